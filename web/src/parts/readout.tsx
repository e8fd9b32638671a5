// The fixed line above a plot: what the crosshair is on, in words. Never a box that follows the pointer.

import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { number, quantity, range } from "../chart/format";
import { lowerBound } from "../chart/density";
import { type Points, widthsOff } from "../chart/points";
import { clock, moment, utc } from "../chart/time";
import { minute, zone } from "../frame";
import { words } from "../words";
import { exploreWords } from "../words/explore";

/** A point in words: `697 /s; expected 500 (421–579); 0.7 band widths above; score 2.8`. */
export function pointWords(metric: string, points: Points, i: number): { value: string; expected: string; off: string; score: string } {
  const [y, lower, upper] = [points.y[i]!, points.lower[i]!, points.upper[i]!];
  const off = widthsOff(y, lower, upper);
  const band = Number.isFinite(lower) || Number.isFinite(upper);
  return {
    value: quantity(metric, y),
    expected: band ? words.expected(Number.isFinite(points.yhat[i]!) ? quantity(metric, points.yhat[i]!) : "", range(metric, known(lower), known(upper))) : words.noBand,
    off: off ? words.widthsOff(number(Math.abs(off)), off > 0 ? "above" : "below") : "",
    score: Number.isFinite(points.score[i]!) ? words.score(number(points.score[i]!, 2)) : "",
  };
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

interface Props {
  metric: string;
  points: Points;
  /** The point under the crosshair; -1: none, and the last in view is told. */
  index: ReadonlySignal<number>;
  /** Where the view ends, ms. */
  end: number;
}

/** It alone is drawn anew as the crosshair moves. */
export function Readout({ metric, points, index, end }: Props): JSX.Element {
  const last = lowerBound(points.times, end + 1) - 1;
  const i = index.value >= 0 && index.value < points.times.length ? index.value : last;
  if (i < 0) return <p class="readout second">{words.noPoints}</p>;
  const time = points.times[i]!;
  const { value, expected, off, score } = pointWords(metric, points, i);
  const [low, high] = [points.lowest?.[i], points.highest?.[i]];
  return (
    <p class="readout">
      <span title={utc(time)}>
        <b>{moment(time, zone, minute.value)}</b> <span class="third">{`${clock(time, "UTC")} UTC`}</span>
        <span class="spoken">{utc(time)}</span>
      </span>
      <b>{value}</b>
      {low !== undefined && high !== undefined && low < high && <span>{exploreWords.spread(range(metric, known(low), known(high)))}</span>}
      <span>{expected}</span>
      {off && <b class="out">{off}</b>}
      {score && <span>{score}</span>}
    </p>
  );
}
