// One series: readout, chart with band and score, the whole history below as an overview, and its points as a table.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { about } from "../api/about";
import { useResource } from "../api/resource";
import type { PointColumns, Series } from "../api/types";
import { aheadOf } from "../chart/ahead";
import { csvOf, download, fromColumns } from "../chart/columns";
import { number, quantities, quantity, range as rangeWords } from "../chart/format";
import { isOutside, NO_POINTS, type Points, widthsOff } from "../chart/points";
import type { Range } from "../chart/scale";
import { clock, HOUR, MINUTE, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { useKeys } from "../keys";
import { choose, view } from "../route";
import { words } from "../words";
import { aheadWords } from "../words/ahead";
import { Ahead, roomAhead, useForecast } from "./ahead";
import { Card, Empty, Waiting } from "./card";
import { Chart } from "./chart";
import { useAlertSpans, useChartLayers } from "./chart_layers";
import { EventList, eventWords, useEventSpans } from "./event_spans";
import { Overview } from "./overview";
import { pointWords, Readout } from "./readout";

const HEIGHT = 300;
const ROWS = 60;

interface Props {
  series: string | null;
  row: Series | undefined;
  /** Length of the range that ends now; null: all there is. */
  span: number | null;
}

export function SeriesCard({ series, row, span }: Props): JSX.Element {
  const [index, setIndex] = useState(-1);
  const [wanted, setAhead] = useState(true);
  const known = about.value?.features.includes("forecast") ?? false;
  const ahead = wanted && known;
  const back = useRef<Range[]>([]);
  const whole = useResource<PointColumns>(series ? "series/points" : null, { series, max_points: 800, resolution: "hourly" });
  const history = useMemo(() => (whole.data ? fromColumns(whole.data) : NO_POINTS), [whole.data]);
  const given = [view.value.get("from"), view.value.get("to")].map((text) => (text ? Date.parse(text) : NaN));
  const end = Math.ceil(now.value / MINUTE) * MINUTE;
  const start = span === null ? (history.times[0] ?? end - 24 * HOUR) : end - span;
  const zoomed = Number.isFinite(given[0]) && Number.isFinite(given[1]);
  const range: Range = zoomed ? [given[0]!, given[1]!] : [start, ahead ? end + roomAhead(start, end) : end];
  const asked = { series, from: new Date(range[0]).toISOString(), to: new Date(Math.min(range[1], end)).toISOString(), max_points: 20_000 };
  const points = useResource<PointColumns>(series ? "series/points" : null, asked, ["series"]);
  const shown = useKept(points.data ? fromColumns(points.data) : null, series ?? "");
  const spans = useAlertSpans(series, range[0]);
  const future = useForecast(series, range, ahead);
  const expected = useMemo(() => (future ? aheadOf(future, shown) : undefined), [future, shown]);
  const events = useEventSpans(series, range);
  const layers = useChartLayers({ series, range, ahead: expected, events }, spans);
  useKeys(known ? [{ keys: "f", words: aheadWords.toggle, act: () => setAhead((on) => !on) }] : [], [known]);
  const metric = row?.metric ?? series?.split("{")[0] ?? "";
  const picture = useMemo(() => ({ metric, points: shown, layers }), [metric, shown, layers]);
  useEffect(() => {
    back.current = [];
    setIndex(-1);
  }, [series]);
  const zoom = (from: number, to: number): void => {
    back.current.push(range);
    if (to - from >= 2 * MINUTE) choose({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  };
  const unzoom = (): void => {
    const before = back.current.pop();
    if (before && back.current.length) choose({ from: new Date(before[0]).toISOString(), to: new Date(before[1]).toISOString() });
    else choose({ from: null, to: null });
  };
  if (!series) return <Card class="series" title={words.chart}>{<Empty>{words.chooseSeries}</Empty>}</Card>;
  const last = shown.times.length - 1;
  const spoken = last < 0 ? words.noPoints : [spokenPoint(series, metric, shown, last), ...eventWords(events, range, now.value)].join("; ");
  return (
    <div class="series">
      <Card
        title={series}
        aside={
          <>
            {points.data?.resolution === "hourly" ? words.hourly : words.raw}
            <button type="button" class="button small" disabled={last < 0} onClick={() => download(`${metric}.csv`, csvOf(shown))}>
              CSV
            </button>
            {known && (
              <button type="button" class="button small" aria-pressed={ahead} onClick={() => setAhead(!ahead)}>
                {words.forecast}
              </button>
            )}
          </>
        }
      >
        <Readout metric={metric} points={shown} index={index} />
        <Waiting of={points} what="the points" rows={6} />
        <Chart picture={picture} range={range} height={HEIGHT} score spoken={spoken} onPoint={setIndex} onRange={zoom} onBack={unzoom} />
        {ahead && <Ahead metric={metric} of={future} />}
        <EventList spans={events} range={range} />
        <Overview points={history} alerts={spans} range={range} onRange={(from, to) => zoom(from, to)} />
      </Card>
      <Recent metric={metric} points={shown} />
    </div>
  );
}

/** The last points of a series stay while those of another range are on their way. */
function useKept(points: Points | null, key: string): Points {
  const kept = useRef<{ key: string; points: Points }>({ key: "", points: NO_POINTS });
  if (points) kept.current = { key, points };
  return kept.current.key === key ? kept.current.points : NO_POINTS;
}

function spokenPoint(series: string, metric: string, points: Points, i: number): string {
  const { value, expected, off } = pointWords(metric, points, i);
  return [`${series}: ${value} at ${clock(points.times[i]!, zone)}`, expected, off].filter(Boolean).join("; ");
}

function Recent({ metric, points }: { metric: string; points: Points }): JSX.Element {
  const n = points.times.length;
  const indices = Array.from({ length: Math.min(ROWS, n) }, (_, k) => n - 1 - k);
  // Where points are closer than a minute, minutes alone would look the same.
  const seconds = indices.some((i) => points.times[i]! % MINUTE !== 0);
  const { sign } = quantities(metric, indices.map((i) => points.y[i]!));
  return (
    <Card class="recent" title={words.recent} aside={sign}>
      {n === 0 ? (
        <Empty>{words.noPoints}</Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label={words.recent}>
          <table class="table">
            <thead>
              <tr>
                {words.columns.map((name, k) => (
                  <th key={name} scope="col" class={k ? "number" : ""}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {indices.map((i) => {
                const off = widthsOff(points.y[i]!, points.lower[i]!, points.upper[i]!);
                const time = points.times[i]!;
                return (
                  <tr key={time} class={points.score[i]! > 1 || isOutside(points, i) ? "anomaly" : ""}>
                    <td title={utc(time)}>{moment(time, zone, now.value, seconds)}</td>
                    <td class="number">
                      <b>{points.y[i] === points.y[i] ? quantity(metric, points.y[i]!) : words.missing}</b>
                    </td>
                    <td class="number">{quantity(metric, points.yhat[i]!)}</td>
                    <td class="number">{rangeWords(metric, finite(points.lower[i]!), finite(points.upper[i]!))}</td>
                    <td class="number">{off ? number(off) : off === 0 ? words.inside : ""}</td>
                    <td class="number">{Number.isFinite(points.score[i]!) ? number(points.score[i]!, 2) : words.noOpinion}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
