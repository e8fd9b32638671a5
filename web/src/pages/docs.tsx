// The page of the API: what its own description says, with examples, and a way to ask.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { BASE } from "../api/client";
import { useResource } from "../api/resource";
import type { Answer, Description, Operation, Parameter } from "../api/types/docs";
import { useKeys } from "../keys";
import { Empty, Waiting } from "../parts/card";
import { Fields, kindOf, resolved } from "../parts/schema";
import { choose, view } from "../route";
import { words } from "../words";
import { docsWords } from "../words/docs";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const SHOWN_MAX = 20_000;

/** One endpoint. */
export interface Endpoint {
  id: string;
  method: string;
  path: string;
  group: string;
  operation: Operation;
}

/** Every endpoint, in the order of the groups. */
export function endpoints(of: Description): Endpoint[] {
  const order = of.tags.map((tag) => tag.name);
  const found = Object.entries(of.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => ({ id: idOf(method, path), method: method.toUpperCase(), path, group: item[method]!.tags?.[0] ?? order.at(-1)!, operation: item[method]! })),
  );
  return found.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
}

/** A name that an address may hold: `get-api-v1-incidents-incident`. */
export function idOf(method: string, path: string): string {
  return `${method}${path.replace(/[^A-Za-z0-9]+/g, "-")}`.replace(/-$/, "").toLowerCase();
}

/** Whether every word is somewhere in an endpoint. */
export function matches(one: Endpoint, text: string): boolean {
  const said = `${one.method} ${one.path} ${one.group} ${one.operation.description ?? ""}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

/** The address that a GET asks: path and query filled in; null while something that must be given is missing. */
export function asked(path: string, parameters: readonly Parameter[], given: Record<string, string>): URL | null {
  let filled = path.replace(/^\//, "");
  const url = (): URL => new URL(filled, BASE);
  for (const one of parameters.filter((p) => p.in === "path")) {
    if (!given[one.name]) return null;
    filled = filled.replace(`{${one.name}}`, encodeURIComponent(given[one.name]!));
  }
  const found = url();
  for (const one of parameters.filter((p) => p.in === "query")) {
    const value = given[one.name];
    if (!value && one.required) return null;
    if (value) found.searchParams.set(one.name, value);
  }
  return found;
}

/** Words between backticks are code. */
function coded(text: string): (string | JSX.Element)[] {
  return text.split("`").map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part));
}

export function DocsPage(): JSX.Element {
  const answer = useResource<Description>("openapi.json");
  const text = view.value.get("q") ?? "";
  useKeys([{ keys: "/", words: words.filter, act: () => document.querySelector<HTMLInputElement>(".docs input[type=search]")?.focus() }], []);
  const found = answer.data;
  const all = found ? endpoints(found) : [];
  const shown = all.filter((one) => matches(one, text));
  const groups = (found?.tags ?? []).map((tag) => ({ ...tag, of: shown.filter((one) => one.group === tag.name) })).filter((group) => group.of.length > 0);
  return (
    <div class="page docs">
      <header class="head-line">
        <h1>{docsWords.title}</h1>
        {found && (
          <p class="second">
            {docsWords.lead(found.info.version)}{" "}
            <a href={new URL("api/v1/openapi.json", BASE).pathname} data-plain>
              {docsWords.description} {found.openapi}
            </a>
          </p>
        )}
        <div class="tools">
          <input type="search" value={text} placeholder={docsWords.placeholder} aria-label={docsWords.filter} onInput={(event) => choose({ q: event.currentTarget.value || null })} />
          {found && (
            <span class="second" role="status">
              {docsWords.shown(shown.length, all.length)}
            </span>
          )}
        </div>
      </header>
      {!found && (
        <section class="card wide">
          <Waiting of={answer} what={docsWords.title} rows={10} />
        </section>
      )}
      {found && groups.length === 0 && <Empty>{docsWords.nothing(text)}</Empty>}
      {groups.map((group) => (
        <section key={group.name} class="card wide" aria-labelledby={`group-${group.name}`}>
          <header>
            <h2 id={`group-${group.name}`}>{group.name}</h2>
            <span class="aside">{group.description}</span>
          </header>
          {group.of.map((one) => (
            <One key={one.id} one={one} of={found!} />
          ))}
        </section>
      ))}
    </div>
  );
}

function One({ one, of }: { one: Endpoint; of: Description }): JSX.Element {
  const chosen = view.value.get("at") === one.id;
  return (
    <details
      class="endpoint"
      id={one.id}
      open={chosen}
      onToggle={(event) => {
        const open = event.currentTarget.open;
        if (open !== (view.value.get("at") === one.id)) {
          if (open) choose({ at: one.id }, true);
          else if (view.value.get("at") === one.id) choose({ at: null });
        }
      }}
    >
      <summary>
        <b class={`method ${one.method.toLowerCase()}`}>{one.method}</b>
        <span class="path">{one.path}</span>
        <span class="second">{coded(one.operation.summary ?? "")}</span>
      </summary>
      {chosen && <Said one={one} of={of} />}
    </details>
  );
}

function Said({ one, of }: { one: Endpoint; of: Description }): JSX.Element {
  const { operation } = one;
  const roles = operation["x-watchband-roles"];
  const success = Object.entries(operation.responses).filter(([status]) => status.startsWith("2"));
  const refusals = Object.entries(operation.responses).filter(([status]) => !status.startsWith("2"));
  const body = operation.requestBody?.content["application/json"];
  return (
    <div class="said-of">
      <p>
        {coded(operation.description ?? "")} <span class="second">{roles ? docsWords.needs(roles) : docsWords.free}</span>
      </p>
      {operation.parameters && operation.parameters.length > 0 && <Parameters of={operation.parameters} />}
      {body?.schema && (
        <>
          <h3>{docsWords.body}</h3>
          <Fields of={resolved(body.schema, of)} all={of} />
        </>
      )}
      {body?.example !== undefined && <Code title={docsWords.bodyExample} text={JSON.stringify(body.example, null, 2)} />}
      {operation["x-codeSamples"] && <Code title={docsWords.curl} text={operation["x-codeSamples"].map((sample) => here(sample.source)).join("\n")} />}
      {success.map(([status, answer]) => (
        <Success key={status} status={status} answer={answer} all={of} />
      ))}
      {refusals.length > 0 && (
        <>
          <h3>{docsWords.errors}</h3>
          <dl class="refusals">
            {refusals.map(([status, answer]) => (
              <div key={status}>
                <dt>{status}</dt>
                <dd>{(answer.$ref ? of.components.responses[status]?.description : answer.description) ?? ""}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {one.method === "GET" && !success.some(([, answer]) => "text/event-stream" in (answer.content ?? {})) && <TryIt one={one} />}
    </div>
  );
}

/** A command of the docs, for where this page is served. */
export function here(command: string): string {
  return command.replaceAll("http://127.0.0.1:8470/", BASE.href);
}

function Parameters({ of }: { of: readonly Parameter[] }): JSX.Element {
  return (
    <>
      <h3>{docsWords.parameters}</h3>
      <table class="table">
        <thead>
          <tr>
            {docsWords.columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.map((one) => (
            <tr key={one.in + one.name}>
              <td class="mono">{one.name}</td>
              <td class="second">
                {one.in} {kindOf(one.schema ?? {})}
              </td>
              <td>
                {[one.required && docsWords.required, one.description?.replace(/\.$/, ""), one.schema?.default !== undefined && one.schema.default !== null && docsWords.byDefault(String(one.schema.default)), one.example !== undefined && docsWords.example(String(one.example))].filter(Boolean).join("; ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Success({ status, answer, all }: { status: string; answer: Answer; all: Description }): JSX.Element {
  const [media, content] = Object.entries(answer.content ?? {})[0] ?? [];
  if (!content || content.example === undefined)
    return (
      <p class="second">
        {docsWords.answer(status)}: {docsWords.noContent}
      </p>
    );
  const text = typeof content.example === "string" ? content.example : JSON.stringify(content.example, null, 2);
  return (
    <>
      <Code title={`${docsWords.answer(status)}, ${media}`} text={text} aside={docsWords.answerShort} />
      {content.schema?.properties && (
        <details class="shape">
          <summary>{docsWords.fields}</summary>
          <Fields of={content.schema} all={all} />
        </details>
      )}
    </>
  );
}

function Code({ title, text, aside }: { title: string; text: string; aside?: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <figure class="code">
      <figcaption>
        <h3>{title}</h3>
        {aside && <span class="third">{aside}</span>}
        <button type="button" class="quiet-button" onClick={() => void copy()}>
          {copied ? docsWords.copied : docsWords.copy}
        </button>
      </figcaption>
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}

interface Heard {
  line: string;
  text: string;
  well: boolean;
}

function TryIt({ one }: { one: Endpoint }): JSX.Element {
  const parameters = (one.operation.parameters ?? []).filter((p) => p.in === "query" || p.in === "path");
  const [given, setGiven] = useState<Record<string, string>>({});
  const [heard, setHeard] = useState<Heard | null>(null);
  const [busy, setBusy] = useState(false);
  const url = asked(one.path, parameters, given);
  const ask = async (): Promise<void> => {
    if (!url) return;
    setBusy(true);
    const began = performance.now();
    try {
      const response = await fetch(url, { credentials: "same-origin" });
      const text = await response.text();
      const line = docsWords.answered(response.status, response.statusText, Math.round(performance.now() - began), text.length);
      setHeard({ line, text: pretty(text), well: response.ok });
    } catch {
      setHeard({ line: docsWords.noAnswer, text: "", well: false });
    }
    setBusy(false);
  };
  return (
    <form
      class="try"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <h3>{docsWords.tryIt}</h3>
      <p class="second">{docsWords.tryWords}</p>
      {parameters.map((p) => (
        <label key={p.name}>
          <span>{p.name}</span>
          <input value={given[p.name] ?? ""} placeholder={p.example === undefined ? kindOf(p.schema ?? {}) : String(p.example)} required={p.required === true} onInput={(event) => setGiven({ ...given, [p.name]: event.currentTarget.value })} />
        </label>
      ))}
      <div class="send">
        <button type="submit" class="button primary" disabled={busy}>
          {docsWords.send}
        </button>
        <code>{url ? decodeURI(url.pathname + url.search) : one.path}</code>
      </div>
      <p role="status" class={heard && !heard.well ? "text-warning" : "second"}>
        {busy ? docsWords.sending : heard?.line}
      </p>
      {heard?.text && <pre tabIndex={0}>{heard.text.slice(0, SHOWN_MAX)}</pre>}
      {heard && heard.text.length > SHOWN_MAX && <p class="third">{docsWords.cut(SHOWN_MAX)}</p>}
    </form>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
