// Now: is anything wrong, where, since when, why. The verdict answers in a sentence; the rest supports it.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, send } from "../api/client";
import { may } from "../api/about";
import { feed, heard } from "../api/live";
import { type Resource, useResource } from "../api/resource";
import type { Fleet, Incident, Page, Severity, SourceHealth, Summary } from "../api/types";
import { count, number } from "../chart/format";
import { age, clock, duration, moment, utc } from "../chart/time";
import { criticalOpen, now, zone } from "../frame";
import { useKeys } from "../keys";
import { Card, Empty, Waiting } from "../parts/card";
import { FleetStrip } from "../parts/fleet";
import { Glyph } from "../parts/glyph";
import { RiskBars } from "../parts/risk";
import { Spark } from "../parts/spark";
import { Strange } from "../parts/strange";
import { go, href } from "../route";
import { words } from "../words";

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };
const COMPACT_FROM = 4;
const RESOLVED_SHOWN = 2;

/** Worst first, then newest; what somebody put off stands below. */
export function ranked(incidents: readonly Incident[]): Incident[] {
  const rank = (i: Incident): number => RANK[i.severity] + (i.snoozed_until ? 10 : 0);
  return [...incidents].sort((a, b) => rank(a) - rank(b) || Date.parse(b.opened) - Date.parse(a.opened));
}

export function Now(): JSX.Element {
  const open = useResource<Page<Incident>>("incidents", { state: "open", spark: "6h", limit: 100 }, ["alerts"]);
  const ended = useResource<Page<Incident>>("incidents", { state: "closed", limit: RESOLVED_SHOWN }, ["alerts"]);
  const summary = useResource<Summary>("summary", {}, ["series", "alerts"]);
  const sources = useResource<Page<SourceHealth>>("sources", {}, ["sources"]);
  const fleet = useResource<Fleet>("fleet", {}, ["series"]);
  const incidents = useMemo(() => ranked(open.data?.data ?? []), [open.data]);
  const critical = incidents.filter((i) => i.severity === "critical").length;
  useEffect(() => {
    criticalOpen.value = critical;
    const glyph = critical ? "▲ " : "";
    document.title = incidents.length ? `${glyph}${count(critical || incidents.length)} ${critical ? "critical" : "open"} · ${words.name}` : words.name;
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (icon) icon.href = `./icon-${critical ? "critical" : incidents.length ? "warning" : "calm"}.svg`;
  }, [critical, incidents.length]);
  return (
    <div class="page now">
      <Verdict incidents={incidents} known={open.data !== null} last={ended.data?.data[0]} summary={summary.data} />
      <Incidents of={open} incidents={incidents} ended={ended.data?.data ?? []} />
      <div class="side">
        {summary.data?.risk && (
          <Card title={words.risk(summary.data.entities ?? 0)} aside={words.riskAside}>
            <RiskBars rows={summary.data.risk} />
          </Card>
        )}
        <Sources of={sources} />
        <Warming of={summary} />
      </div>
      <FleetCard of={fleet} />
    </div>
  );
}

function Verdict(props: { incidents: readonly Incident[]; known: boolean; last: Incident | undefined; summary: Summary | null }): JSX.Element {
  const { incidents, known, last, summary } = props;
  const worst = incidents[0];
  const stale = feed.value === "stale";
  const same = incidents.filter((i) => i.severity === worst?.severity).length;
  let sentence = known ? words.quiet : "…";
  let second: string = known ? (last?.closed ? words.lastWas(last.title, moment(Date.parse(last.closed), zone, now.value)) : words.quietAlways) : "";
  let glyph: "calm" | "unknown" | Severity = "calm";
  if (worst) {
    const services = new Set(worst.alerts.map((a) => a.labels["service"] ?? a.labels["job"] ?? "")).size;
    sentence = words.verdict(same, worst.severity, worst.title);
    second = `${words.since} ${clock(Date.parse(worst.opened), zone)} (${age(now.value - Date.parse(worst.opened))}), ${words.spread(worst.series, services)}. ${words.smaller(incidents.length - same)}`;
    glyph = worst.severity;
  }
  if (stale) [sentence, glyph] = [words.unknownSince(clock(heard.value, zone, true)), "unknown"];
  // Speaks on a change of severity only; a new critical one at once.
  const spoken = useRef("");
  const level = stale ? "unknown" : (worst?.severity ?? "calm");
  const [said, say] = useState("");
  useEffect(() => {
    if (known && spoken.current !== level) {
      if (spoken.current) say(sentence);
      spoken.current = level;
    }
  }, [level, known]);
  return (
    <header class={`verdict ${level}`}>
      <Glyph name={glyph} size={44} />
      <div>
        <h1>{sentence}</h1>
        <p class="second">{second}</p>
      </div>
      <span class="spoken" aria-live={level === "critical" ? "assertive" : "polite"}>
        {said}
      </span>
      {summary && (
        <dl class="figures">
          <Figure term={words.outsideBand} value={summary.outside} rest={words.ofSeries(summary.series)} />
          <Figure term={words.pointsSecond} value={summary.points_per_second} rest="" />
          <Figure term={words.alertsWeek} value={summary.alerts_week} rest={summary.budget_week === null ? "" : words.ofBudget(summary.budget_week)} />
        </dl>
      )}
    </header>
  );
}

function Figure({ term, value, rest }: { term: string; value: number; rest: string }): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <b>{value < 100 && value % 1 ? number(value) : count(value)}</b> {rest}
      </dd>
    </div>
  );
}

function Incidents({ of, incidents, ended }: { of: Resource<Page<Incident>>; incidents: readonly Incident[]; ended: readonly Incident[] }): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const [shown, setShown] = useState(incidents);
  const [over, setOver] = useState(false);
  // A row enters at its place only while nobody is about to click into the list.
  const fresh = over ? incidents.filter((i) => !shown.some((s) => s.id === i.id)) : [];
  useEffect(() => {
    if (!over) setShown(incidents);
    else setShown((before) => before.map((s) => incidents.find((i) => i.id === s.id) ?? s));
  }, [incidents, over]);
  const move = (by: number): void => {
    const rows = [...(list.current?.querySelectorAll<HTMLAnchorElement>("a.row-link") ?? [])];
    const here = rows.indexOf(document.activeElement as HTMLAnchorElement);
    rows[Math.max(0, Math.min(rows.length - 1, here + by))]?.focus();
  };
  const focused = (): Incident | undefined => shown.find((i) => document.activeElement?.closest("li")?.id === `incident-${i.id}`) ?? shown[0];
  useKeys(
    [
      { keys: "j", words: "Next row", act: () => move(1) },
      { keys: "k", words: "Previous row", act: () => move(-1) },
      ...(may("operator")
        ? [
            { keys: "a", words: words.acknowledge, act: () => void act(focused(), "acknowledge") },
            { keys: "z", words: words.snooze, act: () => void act(focused(), "snooze") },
          ]
        : []),
    ],
    [shown, may("operator")],
  );
  const compact = shown.length >= COMPACT_FROM;
  return (
    <Card class="incidents" title={words.incidents} aside={words.incidentsAside}>
      {fresh.length > 0 && (
        <button type="button" class="fresh" onClick={() => setShown(incidents)}>
          {words.newIncidents(fresh.length)}
        </button>
      )}
      <Waiting of={of} what="the incidents" />
      {of.data && shown.length === 0 && <Empty>{words.quiet}.</Empty>}
      <ol ref={list} onPointerEnter={() => setOver(true)} onPointerLeave={() => setOver(false)}>
        {shown.map((incident) => (
          <Row key={incident.id} incident={incident} compact={compact && incident.severity !== "critical"} />
        ))}
      </ol>
      <ol class="ended">
        {ended.slice(0, RESOLVED_SHOWN).map((incident) => (
          <li key={incident.id}>
            <Glyph name="done" />
            <a href={href("incident", { id: incident.id })}>
              <b>{incident.title}</b>
            </a>
            <span class="third when">
              {incident.closed && words.lasted(moment(Date.parse(incident.closed), zone, now.value), age(Date.parse(incident.closed) - Date.parse(incident.opened)))}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

async function act(incident: Incident | undefined, what: "acknowledge" | "snooze"): Promise<string | null> {
  if (!incident) return null;
  try {
    await send("POST", `incidents/${incident.id}/${what}`, what === "snooze" ? { minutes: 60 } : {});
    return null;
  } catch (error) {
    return error instanceof ApiError && error.problem.role ? words.needsRole(error.problem.role) : String((error as Error).message);
  }
}

function Row({ incident, compact }: { incident: Incident; compact: boolean }): JSX.Element {
  const [refused, setRefused] = useState<string | null>(null);
  const press = (what: "acknowledge" | "snooze") => async () => setRefused(await act(incident, what));
  const { worst, acknowledged } = incident;
  const opened = Date.parse(incident.opened);
  return (
    <li id={`incident-${incident.id}`} class={`incident ${incident.severity} ${compact ? "compact" : ""}`}>
      <Glyph name={incident.severity} label={incident.severity} />
      <div class="what">
        <h3>
          <a class="row-link" href={href("incident", { id: incident.id })}>
            {incident.title}
          </a>
        </h3>
        <p class="reason">{incident.reason}</p>
        {!compact && <Strange alert={worst} />}
        {!compact && (
          <p class="meta third">
            {acknowledged ? (
              <span>{words.acknowledged(acknowledged.by, moment(Date.parse(acknowledged.at), zone, now.value))}</span>
            ) : (
              may("viewer") && <b class="nobody">{words.nobody}</b>
            )}
            {incident.series > 1 && <span>{words.spread(incident.series, 1)}</span>}
            {worst.widths !== null && worst.widths !== 0 && worst.direction && <span>{words.widths(number(Math.abs(worst.widths)), worst.direction)}</span>}
            {worst.kind !== "value" && <span>{words.kind(worst.kind)}</span>}
          </p>
        )}
        {refused && (
          <p class="meta" role="alert">
            {refused}
          </p>
        )}
      </div>
      <Spark points={worst.spark} />
      <p class="age" title={utc(opened)}>
        <b>{age(now.value - opened)}</b>
        <span class="third">{words.sinceTime(moment(opened, zone, now.value))}</span>
      </p>
      {may("operator") && <Buttons incident={incident} compact={compact} press={press} />}
    </li>
  );
}

interface ButtonsProps {
  incident: Incident;
  compact: boolean;
  press: (what: "acknowledge" | "snooze") => () => Promise<void>;
}

function Buttons({ incident, compact, press }: ButtonsProps): JSX.Element {
  const { acknowledged } = incident;
  return (
      <div class="buttons">
        {!acknowledged && (
          <button type="button" class={`button ${incident.severity === "critical" ? "primary" : ""}`} onClick={press("acknowledge")}>
            {words.acknowledge}
          </button>
        )}
        {acknowledged ? (
          <a class="button" href={href("incident", { id: incident.id, note: "new" })}>
            {words.note}
          </a>
        ) : (
          !compact &&
          incident.severity === "critical" && (
            <button type="button" class="button" onClick={press("snooze")}>
              {words.snooze}
            </button>
          )
        )}
      </div>
  );
}

function Sources({ of }: { of: Resource<Page<SourceHealth>> }): JSX.Element {
  const rows = of.data?.data ?? [];
  const late = rows.filter((s) => s.state !== "on time");
  return (
    <Card title={words.sources} aside={of.data ? words.sourcesLate(late.length, rows.length) : undefined}>
      <Waiting of={of} what="the sources" rows={2} />
      {of.data && rows.length === 0 && <Empty>{words.noSources}</Empty>}
      <ul class="rows">
        {late.map((source) => (
          <li key={source.name}>
            <Glyph name={source.state === "filling in" || source.state === "waiting" ? "learning" : "late"} />
            <span>
              {source.name} <span class="third">{source.error ?? source.state}</span>
            </span>
            <b class="when">{source.lag_seconds === null ? "" : duration(1000 * source.lag_seconds)}</b>
          </li>
        ))}
        {rows.length > late.length && (
          <li>
            <i class="dot" aria-hidden="true" />
            <span>{late.length ? words.others(rows.length - late.length) : rows.map((s) => s.name).join(", ")}</span>
            <span class="second when">{words.onTime}</span>
          </li>
        )}
      </ul>
    </Card>
  );
}

function Warming({ of }: { of: Resource<Summary> }): JSX.Element {
  const rows = of.data?.learning ?? [];
  return (
    <Card title={words.warming} aside={of.data && rows.length ? words.warmingAside(of.data.learning_series, of.data.series) : undefined}>
      <Waiting of={of} what="the states" rows={2} />
      {of.data && rows.length === 0 && <Empty>{words.warmingNone}</Empty>}
      <ul class="rows">
        {rows.map((row) => (
          <li key={row.name}>
            <Glyph name="learning" />
            <span>
              {row.name}, {count(row.series)} <span class="third">{row.why}</span>
            </span>
            <span class="when second">{row.ready_at && words.ready(moment(Date.parse(row.ready_at), zone, now.value))}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function FleetCard({ of }: { of: Resource<Fleet> }): JSX.Element {
  // Names are much and seldom change: asked again only when there are more or fewer series.
  const size = of.data?.scores.length ?? 0;
  const names = useResource<Fleet>(size ? "fleet" : null, { names: true, of: size });
  const nameOf = (index: number): string | null => (names.data?.series?.length === size ? names.data.series[index]! : null);
  return (
    <Card class="fleet-card" title={words.fleet} aside={<Legend />}>
      <p class="fleet-aside second">{words.fleetAside}</p>
      <Waiting of={of} what="the fleet" rows={6} />
      {of.data && <FleetStrip fleet={of.data} zone={zone} nameOf={nameOf} open={(index) => go(href("explore", { series: nameOf(index) }))} />}
    </Card>
  );
}

function Legend(): JSX.Element {
  return (
    <span class="legend" aria-hidden="true">
      {words.legend.map((text, k) => (
        <span key={text}>
          <i class={`cell cell-${k}`} /> {text}
        </span>
      ))}
    </span>
  );
}
