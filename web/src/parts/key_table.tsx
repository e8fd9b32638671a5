// API keys: who has one, made and taken back. A secret is shown once, where it was made.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { send } from "../api/client";
import { useResource } from "../api/resource";
import type { Page } from "../api/types";
import type { Key, NewKey } from "../api/types/access";
import { moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { access } from "../words/access";
import { Card, Empty, Waiting } from "./card";

export function Keys(): JSX.Element {
  const found = useResource<Page<Key>>("keys", {}, ["configuration"]);
  const [made, setMade] = useState<NewKey | null>(null);
  const rows = found.data?.data ?? [];
  const live = rows.filter((key) => key.state === "live").length;
  return (
    <Card class="keys-card" title={access.keys} aside={found.data ? access.keysAside(live) : undefined}>
      <Waiting of={found} what={access.keys} rows={3} />
      {made && <Once made={made} done={() => setMade(null)} />}
      {found.data && rows.length === 0 && <Empty>{access.none}</Empty>}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={access.keys}>
          <table class="table">
            <thead>
              <tr>
                {access.columns.map((name) => (name ? <th key={name}>{name}</th> : <td key="act" />))}
              </tr>
            </thead>
            <tbody>
              {rows.map((key) => (
                <Row key={key.id} of={key} again={found.again} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.data && (
        <Form
          first={live === 0 && rows.length === 0}
          made={(key) => {
            setMade(key);
            found.again();
          }}
        />
      )}
    </Card>
  );
}

const LIFETIMES = ["90d", "7d", "30d", "365d", ""] as const;
/** When something will be, months ahead: the day says enough. */
const date = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short", year: "numeric" });

function Time({ at, otherwise }: { at: string | null; otherwise: string }): JSX.Element {
  if (at === null) return <span class="third">{otherwise}</span>;
  return (
    <time dateTime={at} title={utc(Date.parse(at))}>
      {Date.parse(at) > now.value ? date.format(Date.parse(at)) : moment(Date.parse(at), zone, now.value)}
    </time>
  );
}

function Row({ of: key, again }: { of: Key; again: () => void }): JSX.Element {
  const [sure, setSure] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const revoke = async (): Promise<void> => {
    try {
      await send("DELETE", `keys/${key.id}`);
      setSure(false);
      again();
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  if (sure) {
    return (
      <tr class="asked">
        <td colSpan={5}>
          <p>{access.sure(key.name)}</p>
          <button type="button" class="button primary" onClick={() => void revoke()}>
            {access.revoke}
          </button>{" "}
          <button type="button" class="button" onClick={() => setSure(false)}>
            {access.keep}
          </button>
          {refused && <p role="alert">{refused}</p>}
        </td>
      </tr>
    );
  }
  return (
    <tr class={key.state === "live" ? "" : "third"}>
      <th scope="row">{key.name}</th>
      <td>{key.role}</td>
      <td>{key.state === "live" ? <Time at={key.expires} otherwise={access.never} /> : access[key.state]}</td>
      <td>
        <Time at={key.used} otherwise={access.notUsed} />
      </td>
      <td>
        {key.state === "live" && (
          <button type="button" class="button" aria-label={access.revokeNamed(key.name)} onClick={() => setSure(true)}>
            {access.revoke}
          </button>
        )}
      </td>
    </tr>
  );
}

function Once({ made, done }: { made: NewKey; done: () => void }): JSX.Element {
  const text = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    text.current?.select();
    try {
      await navigator.clipboard.writeText(made.secret);
      setCopied(true);
    } catch {
      // Without leave to write there it is selected: the keyboard copies it.
    }
  };
  return (
    <div class="once" role="status">
      <p>
        <b>{access.once(made.key.name)}</b>
      </p>
      <input ref={text} class="mono" readOnly value={made.secret} aria-label={access.once(made.key.name)} onFocus={(event) => event.currentTarget.select()} />
      <button type="button" class="button primary" onClick={() => void copy()}>
        {copied ? access.copied : access.copy}
      </button>
      <button type="button" class="button" onClick={done}>
        {access.done}
      </button>
    </div>
  );
}

function Form({ first, made }: { first: boolean; made: (key: NewKey) => void }): JSX.Element {
  const [refused, setRefused] = useState<string | null>(null);
  const make = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    try {
      const body = { name: String(given.get("name")).trim(), role: given.get("role"), expires: given.get("expires") || null };
      made(await send<NewKey>("POST", "keys", body));
      setRefused(null);
      form.reset();
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  return (
    <form class="new-key" onSubmit={(event) => void make(event)}>
      <label>
        {access.name}
        <input name="name" required maxLength={60} placeholder={access.namePlaceholder} autocomplete="off" />
      </label>
      <label>
        {access.role}
        <select name="role">
          {Object.entries(access.roles)
            .filter(([role]) => !first || role === "admin")
            .map(([role, said]) => (
              <option key={role} value={role}>
                {said}
              </option>
            ))}
        </select>
      </label>
      <label>
        {access.expires}
        <select name="expires">
          {LIFETIMES.map((length) => (
            <option key={length} value={length}>
              {access.lifetimes[length]}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button">
        {access.make}
      </button>
      <p role="alert">{refused}</p>
    </form>
  );
}
