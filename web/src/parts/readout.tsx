// The fixed line above a plot: what the crosshair is on, in words. Never a box that follows the pointer.

import type { JSX } from "preact";
import { number, quantity, range } from "../chart/format";
import { type Points, widthsOff } from "../chart/points";
import { clock, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { words } from "../words";

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

export function Readout({ metric, points, index }: { metric: string; points: Points; index: number }): JSX.Element {
  const last = points.times.length - 1;
  const i = index >= 0 && index <= last ? index : last;
  if (i < 0) return <p class="readout second">{words.noPoints}</p>;
  const time = points.times[i]!;
  const { value, expected, off, score } = pointWords(metric, points, i);
  return (
    <p class="readout">
      <span>
        <b>{moment(time, zone, now.value)}</b> <span class="third">{`${clock(time, "UTC")} UTC`}</span>
        <span class="spoken">{utc(time)}</span>
      </span>
      <b>{value}</b>
      <span>{expected}</span>
      {off && <b class="out">{off}</b>}
      {score && <span>{score}</span>}
    </p>
  );
}
