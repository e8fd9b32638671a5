// Models: whether what was learned keeps what it promises, what drifts, and the way back to an earlier state.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Resource, useResource } from "../api/resource";
import type { Page } from "../api/types";
import type { DriftRow, Model, ModelHistory, Snapshot } from "../api/types/models";
import type { Challenged, ModelEvent } from "../api/types/retraining";
import { number, quantity } from "../chart/format";
import type { Points } from "../chart/points";
import type { Range } from "../chart/scale";
import { moment } from "../chart/time";
import { now, zone } from "../frame";
import { Card, Empty, Waiting } from "../parts/card";
import { Chart } from "../parts/chart";
import { ChallengerCard, ModelEvents } from "../parts/challenger_card";
import { DriftCard, SnapshotsCard } from "../parts/model_cards";
import { choose, href, view } from "../route";
import { words } from "../words";
import { modelWords, share } from "../words/models";

const DAY = 86_400_000;
const PERIODS: [text: string, days: number, name: string][] = [
  ["1d", 1, "day"],
  ["1w", 7, "week"],
  ["30d", 30, "30 days"],
  ["1y", 365, "year"],
];
const HEIGHT = 150;
/** How far coverage may be off before its monitor says so. */
const SLACK = 0.02;

export function ModelsPage(): JSX.Element {
  const models = useResource<Page<Model>>("models", {}, ["configuration", "alerts"]);
  const rows = models.data?.data ?? [];
  const name = view.value.get("watch") ?? worst(rows)?.watch ?? null;
  const model = rows.find((row) => row.watch === name) ?? null;
  const drifting = useResource<Page<DriftRow>>("drift", { state: "drifting", watch: view.value.get("watch"), limit: 20 }, ["configuration", "alerts"]);
  const snapshots = useResource<Page<Snapshot>>("snapshots", { watch: view.value.get("watch") }, ["configuration"]);
  const challengers = useResource<Page<Challenged>>("models/challengers", {}, ["configuration", "alerts", "tasks"]);
  const events = useResource<Page<ModelEvent>>("models/events", { watch: view.value.get("watch"), limit: 20 }, ["configuration"]);
  const again = (): void => {
    challengers.again();
    events.again();
    models.again();
    drifting.again();
    snapshots.again();
  };
  const all = rows.reduce((sum, row) => sum + (row.drift?.drifting ?? 0), 0);
  return (
    <div class="page models">
      <header class="head-line">
        <h1>{models.data ? modelWords.title(model?.coverage ?? null, model?.nominal ?? null, model && model.judged > 0 ? model.watch : null) : words.pages["models"]}</h1>
        {model && model.judged > 0 && (
          <p class="second">
            {modelWords.second(model.watch, model.judged, model.anomaly_rate, model.promised_rate)}. {modelWords.drifts(all)}
          </p>
        )}
      </header>
      <div class="column">
        <Watches of={models} rows={rows} chosen={name} />
        {model && <ChallengerCard of={challengers} watch={model.watch} again={again} key={model.watch} />}
        {model && <History model={model} />}
      </div>
      <div class="side">
        <DriftCard of={drifting} models={rows} again={again} />
        <SnapshotsCard of={snapshots} again={again} />
        <ModelEvents of={events} />
      </div>
    </div>
  );
}

/** The watch whose coverage falls shortest of what it promises; of equal ones the first. */
export function worst(rows: readonly Model[]): Model | null {
  const off = (row: Model): number => (row.coverage === null || row.nominal === null ? -2 : row.nominal - row.coverage);
  return rows.reduce<Model | null>((best, row) => (best === null || off(row) > off(best) ? row : best), null);
}

function Watches({ of, rows, chosen }: { of: Resource<Page<Model>>; rows: readonly Model[]; chosen: string | null }): JSX.Element {
  const c = modelWords.columns;
  return (
    <Card class="watches" title={modelWords.list} aside={rows[0] ? modelWords.listAside(rows[0].over) : undefined}>
      <Waiting of={of} what={modelWords.list} rows={3} />
      {rows.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th>{c.watch}</th>
              <th class="figure wide">{c.series}</th>
              <th class="figure">{c.coverage}</th>
              <th class="figure">{c.rate}</th>
              <th class="figure wide">{c.cutoff}</th>
              <th class="figure">{c.drift}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.watch} class={row.watch === chosen ? "chosen" : ""}>
                <th scope="row">
                  <a href={href("models", { watch: row.watch })} aria-current={row.watch === chosen ? "true" : undefined}>
                    {row.watch}
                  </a>
                  <p class="third" title={modelWords.memory(quantity("_bytes", row.bytes), quantity("_bytes", row.bytes_a_series))}>
                    {row.detector} · {row.budget ?? row.rule}
                  </p>
                  {row.stopped && <p class="text-warning">{modelWords.stopped}</p>}
                </th>
                <Figure wide main={number(row.series, 9)} below={row.warming ? modelWords.warming(row.warming) : ""} />
                <Figure main={share(row.coverage)} below={row.nominal === null ? modelWords.noPromise : modelWords.ofNominal(row.nominal)} out={short(row)} />
                <Figure main={share(row.anomaly_rate, 2)} below={row.promised_rate === null ? modelWords.noPromise : modelWords.ofPromised(row.promised_rate)} />
                <Figure wide main={row.cutoff === null ? "–" : number(row.cutoff)} below={row.cutoff === null ? modelWords.noCutoff : modelWords.spanOf(number(row.cutoff_low), number(row.cutoff_high))} />
                <Figure main={row.drift ? (row.drift.drifting ? number(row.drift.drifting, 9) : modelWords.none) : "–"} below={row.drift ? "" : modelWords.notWatched} out={(row.drift?.drifting ?? 0) > 0} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function short(row: Model): boolean {
  return row.coverage !== null && row.nominal !== null && row.coverage < row.nominal - SLACK;
}

function Figure({ main, below, out, wide }: { main: string; below: string; out?: boolean; wide?: boolean }): JSX.Element {
  return (
    <td class={wide ? "figure wide" : "figure"}>
      <b class={out ? "out" : ""}>{main}</b>
      {below && <p class="third">{below}</p>}
    </td>
  );
}

function History({ model }: { model: Model }): JSX.Element {
  const series = view.value.get("series");
  const period = PERIODS.find(([text]) => text === (view.value.get("period") ?? "1w")) ?? PERIODS[1]!;
  // A new minute is no reason to ask again: what is shown are hours.
  const end = Math.floor(now.value / (DAY / 24)) * (DAY / 24) + DAY / 24;
  const start = end - period[1] * DAY;
  const range = series ? {} : { from: new Date(start).toISOString(), to: new Date(end).toISOString() };
  const found = useResource<ModelHistory>("models/history", { watch: model.watch, series, ...range }, ["configuration"]);
  const history = found.data;
  const times = history?.times_ms ?? [];
  const shown: Range = series && times.length ? [times[0]!, times[times.length - 1]! + DAY] : [start, end];
  const charts = useMemo(() => (history ? columns(history) : null), [history]);
  return (
    <>
      <div class="bar-row">
        <p class="second">
          {modelWords.of} <b>{series ?? modelWords.allSeries(model.series)}</b>{" "}
          {series && (
            <button type="button" class="button small" onClick={() => choose({ series: null })}>
              {modelWords.back}
            </button>
          )}
        </p>
        {!series && (
          <div class="spans" role="group" aria-label={words.rangeLabel}>
            {PERIODS.map(([text, , label]) => (
              <button type="button" key={text} aria-pressed={period[0] === text} onClick={() => choose({ period: text })}>
                {words.lastPeriod(label)}
              </button>
            ))}
          </div>
        )}
      </div>
      <Track title={modelWords.cutoff} aside={modelWords.cutoffAside(history?.step ?? "1h")} of={found} metric="score" points={charts?.cutoff} range={shown} />
      <Track title={modelWords.coverage} aside={modelWords.coverageAside(history?.nominal ?? model.nominal)} of={found} metric="coverage_percent" points={charts?.coverage} range={shown} />
      <Track title={modelWords.rate} aside={modelWords.rateAside} of={found} metric="rate_percent" points={charts?.rate} range={shown} />
    </>
  );
}

interface TrackProps {
  title: string;
  aside: string;
  of: Resource<ModelHistory>;
  metric: string;
  points: Points | undefined;
  range: Range;
}

function Track({ title, aside, of, metric, points, range }: TrackProps): JSX.Element {
  const last = points ? lastKnown(points.y) : -1;
  return (
    <Card class="track" title={title} aside={aside}>
      <Waiting of={of} what={title} rows={3} />
      {points && last < 0 && <Empty>{of.data?.series ? modelWords.noSeriesHistory : title === modelWords.cutoff && of.data!.times_ms.length > 0 ? modelWords.noCutoff : modelWords.noHistory}</Empty>}
      {points && last >= 0 && (
        <Chart height={HEIGHT} sync="models" picture={{ metric, points }} range={range} spoken={modelWords.spoken(title, quantity(metric, points.y[last]!), moment(points.times[last]!, zone, now.value))} />
      )}
    </Card>
  );
}

function lastKnown(values: Float64Array): number {
  for (let i = values.length - 1; i >= 0; i--) if (Number.isFinite(values[i]!)) return i;
  return -1;
}

/** How far off coverage may be: what does not matter, and what so many points leave to chance. */
function room(nominal: number, count: number): number {
  return Math.max(SLACK, 3.29 * Math.sqrt((nominal * (1 - nominal)) / Math.max(1, count)));
}

/** The three charts of a history: what is measured, and the band in which it should lie. */
export function columns(history: ModelHistory): { cutoff: Points; coverage: Points; rate: Points } {
  const n = history.times_ms.length;
  const nothing = (): Float64Array => new Float64Array(n).fill(NaN);
  const column = (values: readonly (number | null)[], factor = 1): Float64Array => Float64Array.from(values, (v) => (v === null ? NaN : v * factor));
  const times = Float64Array.from(history.times_ms);
  const nominal = history.nominal;
  const edge = (sign: number): Float64Array => Float64Array.from(history.points, (count) => (nominal === null ? NaN : 100 * Math.min(1, nominal + sign * room(nominal, count))));
  const [low, high] = [column(history.cutoff_low), column(history.cutoff_high)];
  return {
    cutoff: { times, y: column(history.cutoff), yhat: low.map((v, i) => Math.sqrt(v * high[i]!)), lower: low, upper: high, score: nothing() },
    coverage: {
      times,
      y: column(history.coverage, 100),
      yhat: new Float64Array(n).fill(nominal === null ? NaN : 100 * nominal),
      lower: edge(-1),
      upper: edge(1),
      score: nothing(),
    },
    rate: { times, y: column(history.anomaly_rate, 100), yhat: column(history.promised_rate, 100), lower: nothing(), upper: nothing(), score: nothing() },
  };
}
