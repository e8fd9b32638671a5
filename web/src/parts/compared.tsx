// Further series below the first, each in a small plot of its own unit, on the same axis of time with one crosshair.

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Range } from "../chart/scale";
import { choose, href, view } from "../route";
import { exploreWords } from "../words/explore";
import { Chart, type Group } from "./chart";
import { useAlertSpans, useChartLayers } from "./chart_layers";
import { useLivePoints } from "./live_points";
import { Readout } from "./readout";
import { Waiting } from "./card";

/** Series that are compared at most: more are too low to read. */
export const COMPARED_MAX = 5;
const HEIGHT = 96;

interface Props {
  series: readonly string[];
  range: Range;
  group: Group;
  onRange: (from: number, to: number) => void;
  onBack: () => void;
}

/** Take a series in, or let it go. */
export function toggleCompared(series: string): void {
  const others = view.value.getAll("with");
  const next = others.includes(series) ? others.filter((other) => other !== series) : [...others, series].slice(0, COMPARED_MAX);
  choose({ with: next });
}

export function Compared({ series, ...rest }: Props): JSX.Element | null {
  if (series.length === 0) return null;
  return (
    <div class="compared" role="group" aria-label={exploreWords.compared}>
      {series.slice(0, COMPARED_MAX).map((one) => (
        <One key={one} series={one} {...rest} />
      ))}
    </div>
  );
}

function One({ series, range, group, onRange, onBack }: Omit<Props, "series"> & { series: string }): JSX.Element {
  const index = useSignal(-1);
  const { points, of } = useLivePoints(series, null, range);
  const spans = useAlertSpans(series, range[0]);
  const layers = useChartLayers({ series, range }, spans);
  const metric = series.split("{")[0]!;
  const picture = useMemo(() => ({ metric, points, layers }), [metric, points, layers]);
  return (
    <section class="other">
      <header>
        <a href={href("explore", { series })}>
          <b>{series}</b>
        </a>
        <button type="button" class="icon-button" aria-label={exploreWords.dropCompared(series)} onClick={() => toggleCompared(series)}>
          ×
        </button>
      </header>
      <Readout metric={metric} points={points} index={index} end={range[1]} />
      <Waiting of={of} what={series} rows={2} />
      <Chart picture={picture} range={range} height={HEIGHT} timeAxis={false} sync="explore" spoken={series} named={[series]} group={group} onPoint={(at) => (index.value = at)} onRange={onRange} onBack={onBack} />
    </section>
  );
}
