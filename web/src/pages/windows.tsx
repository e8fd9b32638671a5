// Windows: what is active now, what comes and what was, deploys; and a plan for one more, with what it would hold back.

import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { about, may } from "../api/about";
import { BASE, send } from "../api/client";
import { type Resource, useResource } from "../api/resource";
import type { Page } from "../api/types";
import type { Deploy, PlannedWindow } from "../api/types/windows";
import { age, clock, duration, MINUTE, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { useKeys } from "../keys";
import { Card, Empty, Waiting } from "../parts/card";
import { WindowForm } from "../parts/window_form";
import { choose, href, view } from "../route";
import { words } from "../words";
import { actionWords, dayWords, windowWords } from "../words/windows";

const SHOWN = 100;
const DEPLOYS = 20;

export function WindowsPage(): JSX.Element {
  const list = useResource<Page<PlannedWindow>>("windows", { limit: SHOWN, cursor: view.value.get("after") }, ["windows", "configuration"]);
  const open = useResource<Page<PlannedWindow>>("windows", { state: "active", limit: SHOWN }, ["windows", "configuration"]);
  // A window opens and ends by itself: what was active a minute ago may be over.
  const active = (open.data?.data ?? []).filter((one) => Date.parse(one.end) > now.value);
  const rest = (list.data?.data ?? []).filter((one) => one.state !== "active" || Date.parse(one.end) <= now.value);
  const coming = rest.filter((one) => one.state === "coming").length;
  const edited = view.value.get("edit");
  const touched = active.reduce((sum, one) => sum + (one.matching ?? 0), 0);
  return (
    <div class="page windows">
      <header class="head-line">
        <h1>{open.data ? windowWords.title(active.length, coming) : words.pages["windows"]}</h1>
        {open.data && <p class="second">{active.length === 0 ? windowWords.quiet : touched > 0 ? windowWords.touched(touched) : ""}</p>}
      </header>
      <div class="column">
        <Active of={open} windows={active} />
        <List of={list} windows={rest} />
        <Deploys />
      </div>
      <WindowForm key={edited ?? ""} edited={[...active, ...rest].find((one) => one.id === edited) ?? null} />
    </div>
  );
}

function Active({ of, windows }: { of: Resource<Page<PlannedWindow>>; windows: readonly PlannedWindow[] }): JSX.Element {
  return (
    <Card class="active" title={windowWords.active}>
      <Waiting of={of} what={windowWords.active} rows={2} />
      {of.data && windows.length === 0 && <p class="second pad">{windowWords.activeNone}</p>}
      {windows.length > 0 && (
        <ul class="open-windows">
          {windows.map((one) => (
            <li key={one.id}>
              <Swatch action={one.action} />
              <div>
                <p class="lead">
                  <b>{one.name}</b> <span class="second">{actionWords(one.action, one.factor)}</span>
                </p>
                <p class="second">
                  <SeriesName window={one} /> · <When window={one} />
                </p>
                <p class="third">
                  {[originWords(one), one.text].filter(Boolean).join(" · ")}
                </p>
              </div>
              <Actions window={one} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** What a window looks like on a chart. */
function Swatch({ action }: { action: string }): JSX.Element {
  return <i class={`swatch ${action}`} aria-hidden="true" />;
}

function SeriesName({ window }: { window: PlannedWindow }): JSX.Element {
  const text = window.series === "*" ? windowWords.every : window.series;
  return (
    <>
      <span class={window.series === "*" ? "" : "mono"}>{text}</span>
      {window.matching !== null && ` (${windowWords.matching(window.matching)})`}
    </>
  );
}

function When({ window }: { window: PlannedWindow }): JSX.Element {
  const [start, end] = [Date.parse(window.start), Date.parse(window.end)];
  const time = (at: number): JSX.Element => (
    <time dateTime={utc(at)} title={utc(at)}>
      {moment(at, zone, now.value)}
    </time>
  );
  const over = end <= now.value;
  const open = !over && start <= now.value;
  const sameDay = moment(start, zone, end) === clock(start, zone);
  return (
    <span>
      {open ? (
        windowWords.ends(moment(end, zone, now.value), duration(Math.max(MINUTE, Math.floor((end - now.value) / MINUTE) * MINUTE)))
      ) : (
        <>
          {time(start)} – {sameDay ? <time dateTime={utc(end)}>{clock(end, zone)}</time> : time(end)}
        </>
      )}
      {window.repeat && !over && <span class="third block">{windowWords.repeats(dayWords(window.repeat.days), window.repeat.at, window.repeat.zone)}</span>}
      {window.ended_early && <span class="third block">{windowWords.ended}</span>}
    </span>
  );
}

/** Who wanted it. */
export function originWords(window: PlannedWindow): string {
  const { origin } = window;
  if (origin.kind === "configuration") return windowWords.configured((origin.place ?? "").split("/").pop()!.replace(/:\d+$/, ""));
  return origin.by ?? "";
}

function Actions({ window }: { window: PlannedWindow }): JSX.Element | null {
  const [said, setSaid] = useState<string | null>(null);
  if (!may("operator") || window.can.length === 0) return null;
  const act = async (method: "POST" | "DELETE", path: string): Promise<void> => {
    try {
      await send(method, path);
      setSaid(null);
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  return (
    <div class="buttons">
      {window.can.includes("end") && (
        <button type="button" class="button small" aria-label={`${windowWords.endNow}: ${window.name}`} onClick={() => void act("POST", `windows/${window.id}/end`)}>
          {window.repeat ? windowWords.endNext : windowWords.endNow}
        </button>
      )}
      {window.can.includes("change") && (
        <button type="button" class="button small" aria-label={`${windowWords.changeIt}: ${window.name}`} onClick={() => choose({ edit: window.id }, true)}>
          {windowWords.changeIt}
        </button>
      )}
      {window.can.includes("delete") && (window.state === "coming" || window.repeat !== null) && (
        <button type="button" class="button small" aria-label={`${windowWords.deleteIt}: ${window.name}`} onClick={() => void act("DELETE", `windows/${window.id}`)}>
          {window.state === "active" ? windowWords.deleteAll : windowWords.deleteIt}
        </button>
      )}
      {said && <p role="alert">{said}</p>}
    </div>
  );
}

function List({ of, windows }: { of: Resource<Page<PlannedWindow>>; windows: readonly PlannedWindow[] }): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (by: number): void => {
    const rows = [...(body.current?.querySelectorAll<HTMLElement>("tr") ?? [])];
    const here = rows.indexOf(document.activeElement as HTMLElement);
    rows[Math.max(0, Math.min(rows.length - 1, here + by))]?.focus();
  };
  useKeys(
    [
      { keys: "j", words: windowWords.nextRow, act: () => move(1) },
      { keys: "k", words: windowWords.previousRow, act: () => move(-1) },
    ],
    [],
  );
  const { columns } = windowWords;
  return (
    <Card class="plans" title={windowWords.list} aside={windows.length ? windowWords.listAside(of.data!.data.length, of.data!.total ?? 0) : undefined}>
      <Waiting of={of} what={windowWords.list} rows={6} />
      {of.data && (of.data.total ?? 0) === 0 && <Empty>{windowWords.listNone}</Empty>}
      {windows.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th>{columns.when}</th>
              <th>{columns.name}</th>
              <th class="wide">{columns.series}</th>
              <th class="wide">{columns.origin}</th>
              <th>
                <span class="spoken">{windowWords.changeIt}</span>
              </th>
            </tr>
          </thead>
          <tbody ref={body}>
            {windows.map((one) => (
              <tr key={one.id} tabIndex={-1} class={one.state === "past" ? "over" : ""}>
                <td>
                  <When window={one} />
                </td>
                <td>
                  <div class="named">
                    <Swatch action={one.action} />
                    <span>
                      <b>{one.name}</b>
                      <span class="second block">{actionWords(one.action, one.factor)}</span>
                      {one.text && <span class="third block">{one.text}</span>}
                    </span>
                  </div>
                </td>
                <td class="wide second">
                  <SeriesName window={one} />
                </td>
                <td class="wide second">{originWords(one)}</td>
                <td>
                  <Actions window={one} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager next={of.data?.next ?? null} />
    </Card>
  );
}

function Pager({ next }: { next: string | null }): JSX.Element | null {
  const after = view.value.get("after");
  if (!after && !next) return null;
  return (
    <p class="pager">
      {after && (
        <button type="button" class="button" onClick={() => choose({ after: null }, true)}>
          {words.newest}
        </button>
      )}
      {next && (
        <button type="button" class="button" onClick={() => choose({ after: next }, true)}>
          {words.older}
        </button>
      )}
    </p>
  );
}

function Deploys(): JSX.Element {
  const found = useResource<Page<Deploy>>("deploys", { limit: DEPLOYS }, ["windows"]);
  const rows = found.data?.data ?? [];
  const base = about.value?.external_url ?? BASE.href;
  return (
    <Card class="deploys" title={windowWords.deploys} aside={rows.length > 0 ? windowWords.deploysAside : undefined}>
      <Waiting of={found} what={windowWords.deploys} />
      {found.data && rows.length === 0 && (
        <div class="empty">
          <p class="second">{windowWords.deploysNone}</p>
          <pre tabIndex={0}>{`curl ${base.replace(/\/$/, "")}/api/v1/deploys \\\n  -H 'Content-Type: application/json' \\\n  -d '{"name": "checkout 4.2"}'`}</pre>
        </div>
      )}
      {rows.length > 0 && (
        <ul class="deploy-list">
          {rows.map((one) => (
            <li key={one.id}>
              <time dateTime={one.time} title={one.time}>
                {moment(Date.parse(one.time), zone, now.value)}
              </time>
              <span>
                <b>{one.name}</b> <span class="second">{one.series === "*" ? windowWords.every : <span class="mono">{one.series}</span>}</span>
                <span class="third block">{[...Object.entries(one.labels).map(([key, value]) => `${key} ${value}`), one.by, one.text].filter(Boolean).join(" · ")}</span>
              </span>
              <span class="third">{age(now.value - Date.parse(one.time))}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** A link that opens the page with a plan in its form. */
export function planLink(draft: Record<string, string>): string {
  return new URL(href("windows", draft), location.href).href;
}
