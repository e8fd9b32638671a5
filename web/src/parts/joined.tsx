// The other metrics of a watch that judges several together: each in a small plot of its own unit, below the leading one,
// with the moments at which the whole point was strange.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { PointColumns } from "../api/types";
import type { Layer } from "../chart/layer";
import { alertLayer } from "../chart/layers/alerts";
import type { Points, Span } from "../chart/points";
import type { Range } from "../chart/scale";
import { joinedWords } from "../words/joined";
import { Waiting } from "./card";
import { Chart, type Group } from "./chart";
import { useLivePoints } from "./live_points";
import { pointWords, Readout } from "./readout";

const HEIGHT = 96;
const ROW_HEIGHT = 84;
const WITH_AXIS = 104;

interface Props {
  /** What the API said of the leading series. */
  of: PointColumns | null;
  range: Range;
  /** When its alerts were open. */
  spans: readonly Span[];
  onRange: (from: number, to: number) => void;
  onBack: () => void;
}

/** The series beside the leading one. */
export function beside(of: PointColumns | null): string[] {
  return (of?.join ?? []).filter((one) => one !== of?.series);
}

interface Drawn {
  metric: string;
  picture: { metric: string; points: Points; layers: Layer[] };
  live: ReturnType<typeof useLivePoints>;
}

function useColumn(series: string, watch: string, range: Range, spans: readonly Span[]): Drawn {
  const live = useLivePoints(series, watch, range);
  const metric = series.split("{")[0]!;
  const picture = useMemo(() => ({ metric, points: live.points, layers: [alertLayer(spans)] }), [metric, live.points, spans]);
  return { metric, picture, live };
}

/** Below the chart of a series. */
export function Joined({ group, ...rest }: Props & { group: Group }): JSX.Element | null {
  const others = beside(rest.of);
  if (!others.length) return null;
  return (
    <div class="compared joined" role="group" aria-label={joinedWords.title}>
      {others.map((one) => (
        <Below key={one} series={one} group={group} {...rest} />
      ))}
    </div>
  );
}

function Below({ series, of, range, spans, group, onRange, onBack }: Props & { series: string; group: Group }): JSX.Element {
  const index = useSignal(-1);
  const { metric, picture, live } = useColumn(series, of!.watch, range, spans);
  const spoken = joinedWords.beside(series, of!.series);
  return (
    <section class="other">
      <header>
        <b>{series}</b>
        <span class="third">{joinedWords.title}</span>
      </header>
      <Readout metric={metric} points={live.points} index={index} end={range[1]} />
      <Waiting of={live.of} what={series} rows={2} />
      <Chart picture={picture} range={range} height={HEIGHT} timeAxis={false} sync="explore" spoken={spoken} named={[series]} group={group} onPoint={(at) => (index.value = at)} onRange={onRange} onBack={onBack} />
    </section>
  );
}

/** Below a member of an incident; `last`: with the axis of time. */
export function JoinedRows({ last, sync, ...rest }: Props & { last: boolean; sync: string }): JSX.Element {
  const others = beside(rest.of);
  return (
    <>
      {others.map((one, k) => (
        <Row key={one} series={one} axis={last && k === others.length - 1} sync={sync} {...rest} />
      ))}
    </>
  );
}

function Row({ series, of, range, spans, axis, sync, onRange, onBack }: Props & { series: string; axis: boolean; sync: string }): JSX.Element {
  const [index, setIndex] = useState(-1);
  const { metric, picture, live } = useColumn(series, of!.watch, range, spans);
  const i = index >= 0 ? index : live.points.times.length - 1;
  const said = i >= 0 ? pointWords(metric, live.points, i) : null;
  return (
    <div class="member joined">
      <div class="gutter">
        <p>
          <b>{metric}</b>
        </p>
        <p class="third">{joinedWords.title}</p>
        {said && <p class="value">{said.value}</p>}
      </div>
      <Chart picture={picture} range={range} height={axis ? WITH_AXIS : ROW_HEIGHT} timeAxis={axis} sync={sync} spoken={joinedWords.beside(series, of!.series)} named={[series]} onPoint={setIndex} onRange={onRange} onBack={onBack} />
    </div>
  );
}
