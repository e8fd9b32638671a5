// One series: readout, chart with band and score, what is compared with it, its history as an overview, its points as a table.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { about } from "../api/about";
import { address } from "../api/client";
import { useResource } from "../api/resource";
import type { PointColumns, Series } from "../api/types";
import { aheadOf } from "../chart/ahead";
import { download, fileName, fromColumns } from "../chart/columns";
import { chartsIn, composed, png } from "../chart/picture";
import { NO_POINTS, type Points, usualStep, within } from "../chart/points";
import type { Range } from "../chart/scale";
import { clock, duration, HOUR, MINUTE, moment } from "../chart/time";
import { minute, zone } from "../frame";
import { useKeys } from "../keys";
import { choose, view } from "../route";
import { words } from "../words";
import { aheadWords } from "../words/ahead";
import { exploreWords } from "../words/explore";
import { Ahead, roomAhead, useForecast } from "./ahead";
import { Card, Empty, Waiting } from "./card";
import { Chart, type Group, type Press } from "./chart";
import { useAlertSpans, useChartLayers } from "./chart_layers";
import { Compared } from "./compared";
import { EventList, eventWords, useEventSpans } from "./event_spans";
import { Joined } from "./joined";
import { useLivePoints } from "./live_points";
import { Overview } from "./overview";
import { pointWords, Readout } from "./readout";
import { Recent } from "./recent";

const HEIGHT = 300;
const SHORTEST = 2 * MINUTE;
export const SYNC = "explore";

interface Props {
  series: string | null;
  row: Series | undefined;
  /** Length of the range that ends now; null: all there is. */
  span: number | null;
}

export function SeriesCard({ series, row, span }: Props): JSX.Element {
  const index = useSignal(-1);
  const known = about.value?.features.includes("forecast") ?? false;
  const ahead = known && view.value.get("forecast") !== "off";
  const host = useRef<HTMLDivElement>(null);
  const press = useRef<Press | null>(null);
  const group = useRef<Group>(new Set()).current;
  const watch = view.value.get("watch");
  const history = useHistory(series, watch);
  const [range, zoom, unzoom] = useRange(series, history, span, ahead);
  const { points, resolution, of } = useLivePoints(series, watch, range);
  const spans = useAlertSpans(series, range[0]);
  const future = useForecast(series, range, ahead);
  const expected = useMemo(() => (future ? aheadOf(future, points) : undefined), [future, points]);
  const events = useEventSpans(series, range);
  const layers = useChartLayers({ series, watch, range, ahead: expected, events }, spans);
  const metric = row?.metric ?? series?.split("{")[0] ?? "";
  const picture = useMemo(() => ({ metric, points, layers }), [metric, points, layers]);
  const seen = useMemo(() => within(points, range[0], range[1] + 1), [points, range[0], range[1]]);
  const others = view.value.getAll("with").filter((other) => other !== series);
  useEffect(() => {
    index.value = -1;
  }, [series]);
  useChartKeys(press, known, ahead);
  if (!series) return <Card class="series" title={words.chart}>{<Empty>{words.chooseSeries}</Empty>}</Card>;
  const last = seen.times.length - 1;
  const spoken = last < 0 ? words.noPoints : [spokenPoint(series, metric, seen, last), ...eventWords(events, range, minute.value)].join("; ");
  const show = (next: Range): void => {
    for (const chart of group) chart.pan(next);
  };
  return (
    <div class="series">
      <Card
        title={series}
        aside={
          <>
            <Aside row={row} resolution={resolution} points={seen} />
            <Files series={[series, ...others]} range={range} empty={last < 0} host={host} />
            {known && (
              <button type="button" class="button small" aria-pressed={ahead} onClick={() => choose({ forecast: ahead ? "off" : null })}>
                {words.forecast}
              </button>
            )}
          </>
        }
      >
        <Readout metric={metric} points={points} index={index} end={range[1]} />
        <Waiting of={of} what="the points" rows={6} />
        <div ref={host}>
          <Chart
            picture={picture}
            range={range}
            height={HEIGHT}
            score
            sync={SYNC}
            spoken={spoken}
            named={[series, spoken.slice(series.length + 2)]}
            group={group}
            press={press}
            onPoint={(at) => (index.value = at)}
            onRange={zoom}
            onBack={unzoom}
          />
          {ahead && <Ahead metric={metric} of={future} />}
          <EventList spans={events} range={range} />
          <Joined of={of.data} range={range} spans={spans} group={group} onRange={zoom} onBack={unzoom} />
          <Compared series={others} range={range} group={group} onRange={zoom} onBack={unzoom} />
        </div>
        <Overview points={history} alerts={spans} range={range} onRange={zoom} onMove={show} />
      </Card>
      <Recent metric={metric} points={seen} alerts={spans} />
    </div>
  );
}

/** Everything that is kept of a series, in few points. */
function useHistory(series: string | null, watch: string | null): Points {
  const whole = useResource<PointColumns>(series ? "series/points" : null, { series, watch, max_points: 800, resolution: "hourly" });
  return useMemo(() => (whole.data ? fromColumns(whole.data) : NO_POINTS), [whole.data]);
}

/** The range that the address names, going to another, and one step back. */
function useRange(series: string | null, history: Points, span: number | null, ahead: boolean): [Range, (from: number, to: number) => void, () => void] {
  const back = useRef<(Range | null)[]>([]);
  const given = [view.value.get("from"), view.value.get("to")].map((text) => (text ? Date.parse(text) : NaN));
  const end = minute.value;
  const start = span === null ? (history.times[0] ?? end - 24 * HOUR) : end - span;
  const zoomed = Number.isFinite(given[0]) && Number.isFinite(given[1]) && given[1]! > given[0]!;
  const range: Range = zoomed ? [given[0]!, given[1]!] : [start, ahead ? end + roomAhead(start, end) : end];
  useEffect(() => {
    back.current = [];
  }, [series]);
  const to = (next: Range | null): void => choose({ from: next && new Date(next[0]).toISOString(), to: next && new Date(next[1]).toISOString() });
  const zoom = (from: number, until: number): void => {
    if (until - from < SHORTEST) return;
    back.current.push(zoomed ? range : null);
    to([from, until]);
  };
  return [range, zoom, () => to(back.current.pop() ?? null)];
}

/** Keys of the chart, wherever the focus is. */
function useChartKeys(press: { current: Press | null }, known: boolean, ahead: boolean): void {
  const key = (keys: string, words: string) => ({ keys, words, act: () => void press.current?.(keys) });
  useKeys(
    [
      key("+", exploreWords.zoomIn),
      key("-", exploreWords.zoomOut),
      key("[", words.previousAnomaly),
      key("]", words.nextAnomaly),
      { keys: "0", words: exploreWords.all, act: () => choose({ from: null, to: null, span: "all" }) },
      { keys: "t", words: exploreWords.table, act: () => document.getElementById("points")?.focus() },
      ...(known ? [{ keys: "f", words: aheadWords.toggle, act: () => choose({ forecast: ahead ? "off" : null }) }] : []),
    ],
    [known, ahead],
  );
}

function Aside({ row, resolution, points }: { row: Series | undefined; resolution: string; points: Points }): JSX.Element {
  const step = usualStep(points.times);
  return (
    <>
      <span class="third">{row ? exploreWords.watchOf(row.watch, row.detector) : ""}</span>
      <span class="resolution">
        {exploreWords.resolution[resolution]}
        {resolution === "raw" && step > 0 ? `, ${exploreWords.every(duration(step))}` : ""}
      </span>
    </>
  );
}

/** What is shown as files: its points, and a picture. */
function Files({ series, range, empty, host }: { series: readonly string[]; range: Range; empty: boolean; host: { current: HTMLElement | null } }): JSX.Element {
  const [failed, setFailed] = useState<string | null>(null);
  const [from, to] = range.map((time) => new Date(time).toISOString()) as [string, string];
  const picture = async (): Promise<void> => {
    try {
      const between = `${moment(range[0], zone)} – ${moment(range[1], zone)}`;
      const canvas = composed({ title: series[0]!, lines: [exploreWords.picture(series.join(", "), between, zone)] }, chartsIn(host.current!));
      download(fileName(series[0]!, "png"), await png(canvas));
      setFailed(null);
    } catch (error) {
      setFailed((error as Error).message);
    }
  };
  return (
    <>
      {failed && <span role="alert">{failed}</span>}
      <button type="button" class="button small" disabled={empty} title={exploreWords.csvHint} onClick={() => download(fileName(series[0]!, "csv"), address("series/points.csv", { series, from, to }))}>
        {exploreWords.csv}
      </button>
      <button type="button" class="button small" disabled={empty} title={exploreWords.pngHint} onClick={() => void picture()}>
        {exploreWords.png}
      </button>
    </>
  );
}

function spokenPoint(series: string, metric: string, points: Points, i: number): string {
  const { value, expected, off } = pointWords(metric, points, i);
  return [`${series}: ${value} at ${clock(points.times[i]!, zone)}`, expected, off].filter(Boolean).join("; ");
}
