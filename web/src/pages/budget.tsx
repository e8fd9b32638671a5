// Budget: choose how many alerts you can take, and see at once what the last days would have alerted.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Resource, useResource } from "../api/resource";
import type { Page, Preview, Watch } from "../api/types";
import { count, counted } from "../chart/format";
import { age, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { Card, Empty, Waiting } from "../parts/card";
import { choose, href, view } from "../route";
import { StartTask } from "../parts/start_task";
import { words } from "../words";
import { taskWords } from "../words/tasks";

const WIDTH = 720;
const HEIGHT = 210;
const PAD = 28;
const LANES = 30;
const PERIODS: [text: string, name: string][] = [
  ["1d", "day"],
  ["1w", "week"],
  ["30d", "30 days"],
];

export function BudgetPage(): JSX.Element {
  const watches = useResource<Page<Watch>>("watches", {}, ["configuration"]);
  const rows = (watches.data?.data ?? []).filter((w) => w.budget !== null);
  const name = view.value.get("watch") ?? rows[0]?.name ?? null;
  const watch = rows.find((w) => w.name === name);
  const budget = view.value.get("budget");
  const period = view.value.get("period") ?? "1w";
  const consecutive = view.value.get("consecutive");
  const task = view.value.get("task");
  // A task has counted every series: its answer stands until something else is chosen.
  const quick = task || !watch ? null : `watches/${encodeURIComponent(watch.name)}/preview`;
  const preview = useResource<Preview>(task ? `tasks/${encodeURIComponent(task)}/result` : quick, task ? {} : { budget, period, consecutive });
  // While the next one is on its way the last one stays: nothing jumps.
  const kept = useRef<Preview | null>(null);
  if (preview.data) kept.current = preview.data;
  const shown = kept.current?.watch === name ? kept.current : null;
  return (
    <div class="page budget">
      <h1 class="spoken">{words.pages["budget"]}</h1>
      <div class="bar-row">
        <label>
          {words.watch}{" "}
          <select value={name ?? ""} onChange={(event) => choose({ watch: event.currentTarget.value, budget: null, task: null })}>
            {rows.map((w) => (
              <option key={w.name}>{w.name}</option>
            ))}
          </select>
        </label>
        <div class="spans" role="group" aria-label={words.rangeLabel}>
          {PERIODS.map(([text, label]) => (
            <button type="button" key={text} aria-pressed={period === text} onClick={() => choose({ period: text, task: null })}>
              {words.lastPeriod(label)}
            </button>
          ))}
        </div>
      </div>
      <Card class="curve-card" title={words.budgetTitle} aside={shown ? <LookedAt preview={shown} asked={{ budget, period, consecutive }} counted={task !== null} /> : undefined}>
        {!shown && <Waiting of={watch ? (preview as Resource<unknown>) : watches} what={words.budgetTitle} rows={5} />}
        {watches.data && rows.length === 0 && <Empty>{words.noBudgets}</Empty>}
        {shown && watch && <Curve preview={shown} watch={watch} />}
      </Card>
      <div class="side">{shown && watch && <Change preview={shown} watch={watch} consecutive={consecutive} />}</div>
      {shown && <Lanes preview={shown} />}
    </div>
  );
}

/** How many series stand behind the figures, and the way to count all of them. */
function LookedAt({ preview, asked, counted: all }: { preview: Preview; asked: Record<string, string | null>; counted: boolean }): JSX.Element {
  const body: Record<string, unknown> = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null));
  if (body["consecutive"]) body["consecutive"] = Number(body["consecutive"]);
  return (
    <span class="looked-at">
      {all ? taskWords.counted : words.lookedAt(preview.looked_at, preview.series)}{" "}
      {!all && preview.looked_at < preview.series && (
        <StartTask small body={{ kind: "budget", watch: preview.watch, ...body }} text={taskWords.countAll} hint={taskWords.countHint(preview.looked_at, preview.series)} />
      )}
    </span>
  );
}

/** `2/week` as people say it: `2 a week`. */
export function sayBudget(text: string): string {
  return text.replace("/", " a ");
}

function Curve({ preview, watch }: { preview: Preview; watch: Watch }): JSX.Element {
  const { stops } = preview;
  const most = Math.max(1, ...stops.map((s) => s.alerts));
  // Stops stand at even distances, so that the slider's handle lies under the point it moves.
  const x = (k: number): number => PAD + (k / Math.max(1, stops.length - 1)) * (WIDTH - 2 * PAD);
  const y = (alerts: number): number => HEIGHT - 8 - Math.sqrt(alerts / most) * (HEIGHT - 40);
  const at = Math.max(
    0,
    stops.findIndex((s) => s.budget === preview.asked.budget),
  );
  const force = stops.findIndex((s) => s.budget === watch.budget);
  const [moving, setMoving] = useState<number | null>(null);
  useEffect(() => setMoving(null), [preview]);
  const handle = moving ?? at;
  const stop = stops[handle]!;
  const pick = (k: number): void => {
    setMoving(k);
    choose({ budget: stops[k]!.budget, task: null });
  };
  const line = stops.map((s, k) => `${k ? "L" : "M"}${x(k)} ${y(s.alerts)}`).join("");
  const inForce = watch.budget ? sayBudget(watch.budget) : "";
  return (
    <div class="curve">
      <p class="answer" aria-live="polite">
        <b>{count(stop.alerts)}</b> <span>{words.budgetAnswer(sayBudget(stop.budget), preview.in_force.alerts, stop.alerts, inForce)}</span>
      </p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words.curveSpoken(stops.map((s) => `${sayBudget(s.budget)}: ${s.alerts}`).join(", "))}>
        <path class="s-value" d={line} />
        {stops.map((s, k) => (
          <g key={s.budget}>
            <circle class="stop" cx={x(k)} cy={y(s.alerts)} r={k === handle ? 6 : 3} />
            {k === force && <circle class="force" cx={x(k)} cy={y(s.alerts)} r={10} />}
            <text class="micro" x={x(k)} y={y(s.alerts) - 14}>
              {count(s.alerts)}
            </text>
          </g>
        ))}
      </svg>
      <input
        type="range"
        min={0}
        max={stops.length - 1}
        step={1}
        value={handle}
        aria-label={words.budgetTitle}
        aria-valuetext={`${sayBudget(stop.budget)}: ${counted(stop.alerts, "alert")}`}
        onInput={(event) => pick(Number(event.currentTarget.value))}
      />
      <ol class="stops">
        {stops.map((s, k) => (
          <li key={s.budget} style={{ left: `${(100 * x(k)) / WIDTH}%` }}>
            <button type="button" class={k === handle ? "on" : ""} onClick={() => pick(k)}>
              {sayBudget(s.budget)}
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Change({ preview, watch, consecutive }: { preview: Preview; watch: Watch; consecutive: string | null }): JSX.Element {
  const changed = preview.asked.budget !== watch.budget || consecutive !== null;
  const yaml = ["watches:", `  ${watch.name}:`, `    budget: ${preview.asked.budget}`, ...(consecutive ? [`    consecutive: ${consecutive}`] : [])].join("\n");
  const own = String(watch.policy.consecutive);
  return (
    <>
      <Card title={words.policy}>
        <label class="row">
          {words.consecutive}{" "}
          <select value={consecutive ?? own} onChange={({ currentTarget: { value } }) => choose({ consecutive: value === own ? null : value })}>
            {[...new Set([1, 2, 3, 5, 10, watch.policy.consecutive])]
              .sort((a, b) => a - b)
              .map((n) => (
                <option key={n} value={n}>
                  {n}
                </option>
              ))}
          </select>
        </label>
      </Card>
      <Card title={changed ? words.applyTitle(sayBudget(preview.asked.budget)) : words.inForce}>
        {changed ? (
          <div class="apply">
            <p class="second">{words.applyText}</p>
            <pre class="mono">{yaml}</pre>
            <button type="button" class="button primary" onClick={() => void navigator.clipboard?.writeText(yaml)}>
              {words.copyYaml}
            </button>
          </div>
        ) : (
          <p class="second pad">{words.inForceText(sayBudget(watch.budget ?? ""))}</p>
        )}
      </Card>
    </>
  );
}

/** A series by its metric and the values of its labels, those that say most last to be cut: `cpu a, eu-west-1`. */
export function shortSeries(series: string): string {
  const [metric, labels = ""] = series.split(/\{(.*)\}$/);
  const values = [...labels.matchAll(/="((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]!);
  return values.length ? `${metric} ${values.reverse().join(", ")}` : metric!;
}

function Lanes({ preview }: { preview: Preview }): JSX.Element {
  const from = Date.parse(preview.from);
  const to = Date.parse(preview.to);
  const rows = useMemo(() => {
    const found = new Map<string, Preview["asked"]["list"]>();
    for (const one of preview.asked.list) found.set(one.series, [...(found.get(one.series) ?? []), one]);
    return [...found].sort((a, b) => b[1].length - a[1].length).slice(0, LANES);
  }, [preview]);
  const x = (time: number): number => (100 * (Math.max(time, from) - from)) / (to - from);
  return (
    <Card class="lanes" title={words.lanes} aside={words.lanesAside(rows.length, preview.asked.series)}>
      {rows.length === 0 && <Empty>{words.noneWould}</Empty>}
      <ul>
        {rows.map(([series, alerts]) => (
          <li key={series}>
            <a href={href("explore", { series })} title={series}>
              {shortSeries(series)}
            </a>
            <span class="lane" role="img" aria-label={alerts.map((a) => moment(Date.parse(a.opened), zone, now.value)).join(", ")}>
              {alerts.map((a) => {
                const opened = Date.parse(a.opened);
                const closed = a.closed ? Date.parse(a.closed) : to;
                return <i key={a.opened} title={`${utc(opened)}, ${age(closed - opened)}`} style={{ left: `${x(opened)}%`, width: `${Math.max(0.4, x(closed) - x(opened))}%` }} />;
              })}
            </span>
            <b class="number">{count(alerts.length)}</b>
          </li>
        ))}
      </ul>
    </Card>
  );
}
