// Incident: what it is and the button that matters; its members in order of onset on one axis; what happened when.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import { useResource } from "../api/resource";
import type { Alert, Incident as IncidentData, PointColumns } from "../api/types";
import type { Foreseen } from "../api/types/forecast";
import { download, fileName, fromColumns } from "../chart/columns";
import { counted, number, quantity, range as rangeWords } from "../chart/format";
import { alertLayer } from "../chart/layers/alerts";
import { breachLayer } from "../chart/layers/breach";
import { chartsIn, composed, png } from "../chart/picture";
import { NO_POINTS } from "../chart/points";
import type { Range } from "../chart/scale";
import { age, clock, duration, HOUR, MINUTE, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { useKeys } from "../keys";
import { Card, Empty, Waiting } from "../parts/card";
import { Chart } from "../parts/chart";
import { eventWords, useEventLayers, useEventSpans, useNaming } from "../parts/event_spans";
import { Glyph } from "../parts/glyph";
import { beside, JoinedRows } from "../parts/joined";
import { pointWords } from "../parts/readout";
import { Strange, StrangeCard } from "../parts/strange";
import { choose, href, view } from "../route";
import { words } from "../words";
import { breachWords } from "../words/ahead";
import { exploreWords } from "../words/explore";
import { windowWords } from "../words/windows";

const MEMBERS = 12;
const BEFORE = 2;
const SYNC = "incident";

/** The range that shows an incident: as long before it as it lasted, two hours at least; up to what is foreseen. */
export function incidentRange(opened: number, closed: number | null, at: number, foreseen = 0): Range {
  const end = closed ?? at;
  const length = Math.max(end - opened, HOUR);
  if (closed === null && foreseen > at) return [opened - Math.max(BEFORE * HOUR, length / 2, foreseen - opened), foreseen + (foreseen - opened) / 8];
  return [opened - Math.max(BEFORE * HOUR, length / 2), Math.min(at, end + Math.max(length / 4, 10 * MINUTE))];
}

/** The last moment that an incident's open alerts look at; 0 where none looks ahead. */
function foreseenUntil(incident: IncidentData): number {
  const moments = incident.alerts.filter((a) => !a.closed).flatMap((a) => [a.foreseen?.latest, a.foreseen?.time]);
  return Math.max(0, ...moments.map((text) => (text ? Date.parse(text) : 0)));
}

/** Whether an incident has one series only: of several, each says beside its chart what made it strange. */
function alone(incident: IncidentData): boolean {
  return new Set(incident.alerts.map((a) => `${a.series}/${a.watch}`)).size === 1;
}

export function Incident(): JSX.Element {
  const id = view.value.get("id") ?? "";
  const found = useResource<IncidentData>(id ? `incidents/${encodeURIComponent(id)}` : null, { spark: "6h" }, ["alerts"]);
  const incident = found.data;
  if (!incident) {
    return (
      <div class="page">
        <h1 class="spoken">{words.incident}</h1>
        <Card title={words.incident}>
          <Waiting of={found} what={words.incident} rows={6} />
          {!id && <Empty action={<a class="button" href={href("now")}>{words.toNow}</a>}>{words.noIncident}</Empty>}
        </Card>
      </div>
    );
  }
  return <Shown incident={incident} again={found.again} />;
}

function Shown({ incident, again }: { incident: IncidentData; again: () => void }): JSX.Element {
  const [refused, setRefused] = useState<string | null>(null);
  const opened = Date.parse(incident.opened);
  const closed = incident.closed ? Date.parse(incident.closed) : null;
  const given = [view.value.get("from"), view.value.get("to")].map((text) => (text ? Date.parse(text) : NaN));
  const whole = incidentRange(opened, closed, Math.ceil(now.value / MINUTE) * MINUTE, foreseenUntil(incident));
  const range: Range = Number.isFinite(given[0]) && Number.isFinite(given[1]) ? [given[0]!, given[1]!] : whole;
  const act = async (what: string, body: unknown = {}): Promise<void> => {
    try {
      await send("POST", `incidents/${incident.id}/${what}`, body);
      setRefused(null);
      again();
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  const picture = async (): Promise<void> => {
    const between = `${moment(range[0], zone)} – ${moment(range[1], zone)} (${zone})`;
    const canvas = composed({ title: incident.title, lines: [incident.reason, between] }, chartsIn(document.querySelector(".members") ?? document));
    download(fileName(incident.title, "png"), await png(canvas));
  };
  useKeys(
    [
      ...(may("operator")
        ? [
            { keys: "a", words: words.acknowledge, act: () => void act("acknowledge") },
            { keys: "z", words: words.snooze, act: () => void act("snooze", { minutes: 60 }) },
          ]
        : []),
      { keys: "0", words: words.zoomOut, act: () => choose({ from: null, to: null }) },
    ],
    [incident.id, may("operator")],
  );
  return (
    <div class="page incident-page">
      <header class="incident-head">
        <Glyph name={closed ? "done" : incident.severity} size={32} label={incident.severity} />
        <div>
          <h1>{incident.title}</h1>
          <p class="second">{incident.reason}</p>
          {refused && <p role="alert">{refused}</p>}
        </div>
        <div class="buttons">
          {incident.acknowledged ? (
            <span class="second">{words.acknowledged(incident.acknowledged.by, moment(Date.parse(incident.acknowledged.at), zone, now.value))}</span>
          ) : (
            !closed &&
            may("operator") && (
              <button type="button" class="button primary" onClick={() => void act("acknowledge")}>
                {words.acknowledge} <kbd>a</kbd>
              </button>
            )
          )}
          {!closed && may("operator") && (
            <button type="button" class="button" onClick={() => void act("snooze", { minutes: 60 })}>
              {words.snooze} <kbd>z</kbd>
            </button>
          )}
          <button type="button" class="button" onClick={() => void navigator.clipboard?.writeText(location.href)}>
            {words.copyLink}
          </button>
          <button type="button" class="button" title={exploreWords.pngHint} onClick={() => void picture().catch((error: Error) => setRefused(error.message))}>
            {exploreWords.png}
          </button>
        </div>
      </header>
      <Facts incident={incident} />
      <Members incident={incident} range={range} />
      <div class="side">
        {alone(incident) && <StrangeCard alert={incident.worst} />}
        <Timeline incident={incident} />
        {may("operator") && <Notes incident={incident} add={(text) => act("notes", { text })} />}
      </div>
    </div>
  );
}

function Facts({ incident }: { incident: IncidentData }): JSX.Element {
  const { worst } = incident;
  const opened = Date.parse(incident.opened);
  const end = incident.closed ? Date.parse(incident.closed) : now.value;
  const facts: [string, string][] = [
    [incident.closed ? words.lastedFor : words.openFor, age(end - opened)],
    [worst.foreseen ? breachWords.value : words.value, quantity(worst.metric, worst.value)],
    ...(worst.foreseen ? breachFacts(worst.metric, worst.foreseen) : bandFacts(worst)),
    [words.scoreShort, number(worst.anomaly_score, 2)],
    [words.spreadShort, counted(incident.series, "series", "series")],
    [words.confidence, `${number(100 * worst.confidence, 2)}\u00a0%`],
  ];
  return (
    <dl class="facts card">
      {facts.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function bandFacts(worst: Alert): [string, string][] {
  return [
    [words.expectedShort, worst.lower === null && worst.upper === null ? words.noBand : rangeWords(worst.metric, worst.lower, worst.upper)],
    [words.strength, worst.widths ? words.widths(number(Math.abs(worst.widths)), worst.direction) : worst.kind],
  ];
}

function breachFacts(metric: string, foreseen: Foreseen): [string, string][] {
  const time = (text: string | null): string => (text ? moment(Date.parse(text), zone, now.value) : breachWords.beyond);
  const facts: [string, string][] = [
    [breachWords.threshold, quantity(metric, foreseen.threshold)],
    [breachWords.reached, time(foreseen.time)],
  ];
  if (foreseen.earliest !== foreseen.latest) {
    facts.push([breachWords.interval(foreseen.level), breachWords.between(time(foreseen.earliest), time(foreseen.latest))]);
  }
  return facts;
}

function Members({ incident, range }: { incident: IncidentData; range: Range }): JSX.Element {
  // Each series once, in the order in which they left their band.
  const members = useMemo(() => [...new Map(incident.alerts.map((a) => [`${a.series}/${a.watch}`, a])).values()], [incident]);
  const naming = useNaming();
  return (
    <Card class="members" title={incident.alerts.every((a) => a.foreseen) ? breachWords.members : words.members} aside={words.membersAside}>
      {members.slice(0, MEMBERS).map((alert, k) => (
        <Member key={alert.id} only={members.length === 1} naming={naming} alert={alert} rank={k + 1} range={range} last={k === Math.min(members.length, MEMBERS) - 1} spans={incident.alerts.filter((a) => a.series === alert.series)} />
      ))}
      {members.length > MEMBERS && <p class="more third">{words.moreMembers(members.length - MEMBERS)}</p>}
    </Card>
  );
}

interface MemberProps {
  alert: Alert;
  rank: number;
  range: Range;
  last: boolean;
  /** The only series of the incident: what made it strange is told once, beside it. */
  only: boolean;
  spans: readonly Alert[];
  /** Which windows and deploys this chart names. */
  naming: ReturnType<typeof useNaming>;
}

function Member({ alert, rank, range, last, only, spans, naming }: MemberProps): JSX.Element {
  const [index, setIndex] = useState(-1);
  const asked = { series: alert.series, watch: alert.watch, from: new Date(range[0]).toISOString(), to: new Date(range[1]).toISOString(), max_points: 5000 };
  const found = useResource<PointColumns>("series/points", asked, ["series"]);
  const points = useMemo(() => (found.data ? fromColumns(found.data) : NO_POINTS), [found.data]);
  const events = useEventSpans(alert.series, range, alert.watch);
  const eventLayers = useEventLayers(events, naming(events, rank));
  // What is only foreseen is not outside yet: no wash.
  const open = useMemo(() => spans.filter((a) => !a.foreseen).map((a) => ({ start: Date.parse(a.opened), end: a.closed ? Date.parse(a.closed) : null })), [spans]);
  const picture = useMemo(() => {
    const last = points.times.length - 1;
    const from = last >= 0 && Number.isFinite(points.y[last]!) ? { time: points.times[last]!, value: points.y[last]! } : null;
    const breaches = spans.flatMap((a) => (a.foreseen ? [breachLayer(a.metric, a.foreseen, a.closed ? null : from)] : []));
    return { metric: alert.metric, points, layers: [alertLayer(open), ...breaches, ...eventLayers] };
  }, [points, spans, eventLayers]);
  const axis = last && !beside(found.data).length;
  const zoom = (from: number, to: number): void => choose({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  const back = (): void => choose({ from: null, to: null });
  const i = index >= 0 ? index : points.times.length - 1;
  const said = i >= 0 ? pointWords(alert.metric, points, i) : null;
  return (
    <>
      <div class="member">
        <div class="gutter">
          <p>
            <span class="third">{rank}</span>{" "}
            <a href={href("explore", { series: alert.series })}>
              <b>{alert.metric}</b>
            </a>
          </p>
          <p class="third">{Object.values(alert.labels).join(", ")}</p>
          {said && (
            <>
              <p class={`value ${said.off ? "out" : ""}`}>{said.value}</p>
              <p class="second">{said.expected}</p>
              <p class="out">{said.off}</p>
            </>
          )}
          {only || <Strange alert={alert} />}
        </div>
        <Chart
          picture={picture}
          range={range}
          height={axis ? 124 : 104}
          timeAxis={axis}
          sync={SYNC}
          spoken={[alert.reason, ...eventWords(events, range, now.value)].join(" ")}
          onPoint={setIndex}
          onRange={zoom}
          onBack={back}
        />
      </div>
      <JoinedRows of={found.data} range={range} spans={open} last={last} sync={SYNC} onRange={zoom} onBack={back} />
    </>
  );
}

interface Step {
  at: number;
  mark: "out" | "did" | "person";
  text: string;
}

/** What happened when: what left its band, what Watchband did, what people did. */
export function timeline(incident: IncidentData): Step[] {
  const steps: Step[] = [];
  for (const alert of incident.alerts) {
    const name = [alert.metric, ...Object.values(alert.labels)].join(" ");
    const breach = alert.kind === "breach";
    steps.push({ at: Date.parse(alert.opened), mark: "out", text: breach ? breachWords.foreseen(name) : words.left(name) });
    if (alert.decided !== alert.opened) steps.push({ at: Date.parse(alert.decided), mark: "did", text: words.decided(name, alert.severity) });
    if (alert.closed) steps.push({ at: Date.parse(alert.closed), mark: "did", text: breach ? breachWords.over(name) : words.closed(name) });
  }
  const opened = Date.parse(incident.opened);
  for (const deploy of incident.deploys ?? []) {
    const at = Date.parse(deploy.time);
    const said = at <= opened ? windowWords.deployBefore : windowWords.deployAfter;
    steps.push({ at, mark: "person", text: said(deploy.name, duration(Math.abs(opened - at))) });
  }
  if (incident.acknowledged) steps.push({ at: Date.parse(incident.acknowledged.at), mark: "person", text: words.acknowledgedBy(incident.acknowledged.by) });
  for (const note of incident.notes ?? []) steps.push({ at: Date.parse(note.at), mark: "person", text: `${note.by}: ${note.text}` });
  return steps.sort((a, b) => a.at - b.at);
}

function Timeline({ incident }: { incident: IncidentData }): JSX.Element {
  return (
    <Card title={words.timeline}>
      <ol class="timeline">
        {timeline(incident).map((step, k) => (
          <li key={k} class={step.mark}>
            <time dateTime={utc(step.at)} title={utc(step.at)}>
              {now.value - step.at < 20 * HOUR ? clock(step.at, zone) : moment(step.at, zone, now.value)}
            </time>
            <span>{step.text}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Notes({ incident, add }: { incident: IncidentData; add: (text: string) => Promise<void> }): JSX.Element {
  const [text, setText] = useState("");
  return (
    <Card title={words.notes}>
      <form
        class="note"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) void add(text.trim()).then(() => setText(""));
        }}
      >
        <textarea
          value={text}
          rows={3}
          maxLength={4000}
          aria-label={words.note}
          placeholder={words.notePlaceholder}
          autoFocus={view.value.get("note") === "new"}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={!text.trim()}>
          {words.addNote}
        </button>
      </form>
      {(incident.notes ?? []).length === 0 && <p class="third pad">{words.noNotes}</p>}
    </Card>
  );
}
