// Alerts: the log of all that was decided, and whether people were told of it.

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { type Resource, useResource } from "../api/resource";
import type { Alert, Deliveries, Page, Watch } from "../api/types";
import { number } from "../chart/format";
import { age, DAY, MINUTE, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { useKeys } from "../keys";
import { Card, Empty, Waiting } from "../parts/card";
import { Glyph } from "../parts/glyph";
import { Letters } from "../parts/letters";
import { pageCursor, Pager } from "../parts/pager";
import { choose, href, view } from "../route";
import { words } from "../words";
import { incidentRange } from "./incident";

const SHOWN = 50;
const LETTERS = 200;
const SPANS: [name: string, ms: number | null][] = [
  ["24 h", DAY],
  ["7 d", 7 * DAY],
  ["30 d", 30 * DAY],
  ["all", null],
];
const SEVERITIES = ["critical", "warning", "info"];

/** Where a range begins that ends now: on a round time, so that the same range is asked for while it is looked at. */
export function spanStart(ms: number | null, at: number): string | null {
  return ms === null ? null : new Date(Math.floor((at - ms) / (10 * MINUTE)) * 10 * MINUTE).toISOString();
}

export function AlertsPage(): JSX.Element {
  const span = view.value.get("span") ?? "7 d";
  const from = spanStart(SPANS.find(([name]) => name === span)?.[1] ?? null, now.value);
  const kind = { watch: view.value.get("watch"), severity: view.value.get("severity"), state: view.value.get("state") };
  const list = useResource<Page<Alert>>("alerts", { ...kind, from, limit: SHOWN, cursor: pageCursor() }, ["alerts"]);
  const open = useResource<Page<Alert>>("alerts", { state: "open", limit: 1 }, ["alerts"]);
  const all = useResource<Page<Alert>>("alerts", { from, limit: 1 }, ["alerts"]);
  // Tries are no news of their own, but they follow the points that come.
  const letters = useResource<Deliveries>("deliveries", { limit: LETTERS }, ["alerts", "sources"]);
  const answer = open.data && all.data ? words.alertsOpen(open.data.total ?? 0, all.data.total ?? 0, words.alertsPeriod(span)) : words.pages["alerts"];
  return (
    <div class="page alerts">
      <header class="head-line">
        <h1>{answer}</h1>
        {letters.data && <p class={letters.data.dead ? "text-warning" : "second"}>{words.undelivered(letters.data.dead, letters.data.waiting)}</p>}
      </header>
      <Filters {...kind} span={span} />
      <Log of={list} filtered={Object.values(kind).some(Boolean)} />
      <Letters of={letters} />
    </div>
  );
}

type Kind = Record<"watch" | "severity" | "state", string | null>;

function Filters({ watch, severity, state, span }: Kind & { span: string }): JSX.Element {
  const watches = useResource<Page<Watch>>("watches", {}, ["configuration"]);
  const names = [...new Set([...(watches.data?.data.map((w) => w.name) ?? []), ...(watch ? [watch] : [])])];
  return (
    <div class="bar-row">
      <Select name="watch" label={words.watch} any={words.anyWatch} value={watch} options={names.map((n) => [n, n])} />
      <Select name="severity" label={words.severity} any={words.anySeverity} value={severity} options={SEVERITIES.map((n) => [n, n])} />
      <Select
        name="state"
        label={words.state}
        any={words.anyState}
        value={state}
        options={[
          ["open", words.stateOpen],
          ["closed", words.stateClosed],
        ]}
      />
      <div class="spans" role="group" aria-label={words.rangeLabel}>
        {SPANS.map(([name]) => (
          <button type="button" key={name} aria-pressed={span === name} onClick={() => choose({ span: name, after: null }, true)}>
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}

interface SelectProps {
  name: string;
  label: string;
  any: string;
  value: string | null;
  options: readonly (readonly [value: string, text: string])[];
}

function Select({ name, label, any, value, options }: SelectProps): JSX.Element {
  return (
    <label>
      <span class="spoken">{label}</span>
      <select value={value ?? ""} onChange={(event) => choose({ [name]: event.currentTarget.value || null, after: null }, true)}>
        <option value="">{any}</option>
        {options.map(([given, text]) => (
          <option key={given} value={given}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Log({ of, filtered }: { of: Resource<Page<Alert>>; filtered: boolean }): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const move = (by: number): void => {
    const links = [...(body.current?.querySelectorAll<HTMLAnchorElement>("a.what") ?? [])];
    const here = links.indexOf(document.activeElement as HTMLAnchorElement);
    links[Math.max(0, Math.min(links.length - 1, here + by))]?.focus();
  };
  useKeys(
    [
      { keys: "j", words: words.nextAlert, act: () => move(1) },
      { keys: "k", words: words.previousAlert, act: () => move(-1) },
    ],
    [],
  );
  const rows = of.data?.data ?? [];
  const { logColumns: names } = words;
  return (
    <Card class="log" title={words.log} aside={of.data ? words.logAside(rows.length, of.data.total ?? rows.length) : undefined}>
      <Waiting of={of} what={words.log} rows={8} />
      {of.data && rows.length === 0 && <Nothing filtered={filtered} />}
      {rows.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th class="wide">{names.opened}</th>
              <th>{names.what}</th>
              <th class="wide">{names.watch}</th>
              <th class="number wide">{names.lasted}</th>
              <th class="number wide">{names.score}</th>
              <th class="wide">{names.see}</th>
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((alert) => (
              <Row key={alert.id} alert={alert} />
            ))}
          </tbody>
        </table>
      )}
      <Pager next={of.data?.next} />
    </Card>
  );
}

function Nothing({ filtered }: { filtered: boolean }): JSX.Element {
  const everything = { watch: null, severity: null, state: null, after: null, span: "all" };
  return (
    <Empty
      action={
        <button type="button" class="button" onClick={() => choose(everything, true)}>
          {words.allAlerts}
        </button>
      }
    >
      {filtered ? words.noAlertsOf : words.noAlerts}
    </Empty>
  );
}

function Row({ alert }: { alert: Alert }): JSX.Element {
  const opened = Date.parse(alert.opened);
  const closed = alert.closed ? Date.parse(alert.closed) : null;
  const length = age((closed ?? now.value) - opened);
  const [from, to] = incidentRange(opened, closed, Math.ceil(now.value / MINUTE) * MINUTE).map((ms) => new Date(ms).toISOString());
  return (
    <tr class={closed === null ? "anomaly" : ""}>
      <td class="nowrap wide">
        <time dateTime={utc(opened)} title={utc(opened)}>
          {moment(opened, zone, now.value)}
        </time>
      </td>
      <td>
        <div class="severity-line">
          <Glyph name={alert.severity} label={alert.severity} />
          <a class="what" href={href("incident", { id: alert.id })}>
            {alert.reason}
          </a>
        </div>
        <span class="narrow second">
          {moment(opened, zone, now.value)} · {closed === null ? words.stillOpen(length) : length}
        </span>
      </td>
      <td class="wide second">{alert.watch}</td>
      <td class="number nowrap wide">{closed === null ? words.stillOpen(length) : length}</td>
      <td class="number wide">{number(alert.anomaly_score, 2)}</td>
      <td class="wide">
        <a href={href("explore", { series: alert.series, from, to })} aria-label={words.exploreOf(alert.series)}>
          {words.toExplore}
        </a>
      </td>
    </tr>
  );
}
