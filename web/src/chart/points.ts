// Points of one series with what was expected of them, and what of them is drawn in which way.

import { lowerBound } from "./density";

/** Columns of one length; times in ms, ascending; NaN where there is nothing. */
export interface Points {
  times: Float64Array;
  y: Float64Array;
  yhat: Float64Array;
  lower: Float64Array;
  upper: Float64Array;
  score: Float64Array;
  /** Of roll-ups: the lowest and the highest value behind each mean. */
  lowest?: Float64Array;
  highest?: Float64Array;
  /** Of roll-ups: how many points of each were anomalous. */
  anomalies?: Float64Array;
}

/** A stretch of time, ms; `end` null while it lasts. */
export interface Span {
  start: number;
  end: number | null;
}

/** A run of points, first and last index, both in it. */
export interface Run {
  first: number;
  last: number;
}

export const NO_POINTS: Points = {
  times: new Float64Array(),
  y: new Float64Array(),
  yhat: new Float64Array(),
  lower: new Float64Array(),
  upper: new Float64Array(),
  score: new Float64Array(),
};

/** Whether a point lies outside its band; no band, no opinion. */
export function isOutside(points: Points, i: number): boolean {
  const y = points.y[i]!;
  return y > points.upper[i]! || y < points.lower[i]!;
}

/** Runs of neighbours that lie outside their band. A missing value ends a run. */
export function outsideRuns(points: Points): Run[] {
  const found: Run[] = [];
  let first = -1;
  for (let i = 0; i <= points.times.length; i++) {
    const out = i < points.times.length && isOutside(points, i);
    if (out && first < 0) first = i;
    if (!out && first >= 0) {
      found.push({ first, last: i - 1 });
      first = -1;
    }
  }
  return found;
}

/** The values that are drawn warm: each outside run, and the last point inside before it, so that the line leaves from there. */
export function warmLine(points: Points, runs: readonly Run[]): Float64Array {
  const found = new Float64Array(points.times.length).fill(NaN);
  for (const { first, last } of runs) {
    const from = first > 0 && points.y[first - 1] === points.y[first - 1] ? first - 1 : first;
    for (let i = from; i <= last; i++) found[i] = points.y[i]!;
  }
  return found;
}

/** Indices between two times that get a dot: every outside point; where dots would touch, onset, peak and end of all that touch. */
export function dots(points: Points, runs: readonly (Run & { peak: number })[], pixel: number, from = -Infinity, to = Infinity, apart = 7): number[] {
  const { times, score } = points;
  const near = apart * pixel;
  const found: number[] = [];
  // Runs follow each other in time: the first that reaches into view.
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[runs[middle]!.last]! < from) low = middle + 1;
    else high = middle;
  }
  while (low < runs.length && times[runs[low]!.first]! <= to) {
    const first = runs[low]!.first;
    let { last, peak } = runs[low]!;
    let single = last > first ? times[last]! - times[first]! >= near * (last - first) : true;
    for (low++; low < runs.length && times[runs[low]!.first]! - times[last]! < near; low++) {
      single = false;
      last = runs[low]!.last;
      if (score[runs[low]!.peak]! > score[peak]!) peak = runs[low]!.peak;
    }
    if (single) for (let i = first; i <= last; i++) found.push(i);
    else found.push(...new Set([first, peak, last]));
  }
  return found;
}

/** The usual distance of two points, ms: the median of the last thousand steps; 0 below two points. */
export function usualStep(times: Float64Array): number {
  if (times.length < 2) return 0;
  const from = Math.max(1, times.length - 1000);
  const steps: number[] = [];
  for (let i = from; i < times.length; i++) steps.push(times[i]! - times[i - 1]!);
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1]!;
}

/** Stretches in which nothing came: from the last value before to the first after. */
export function gaps(points: Points, step = usualStep(points.times)): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let before = -1;
  for (let i = 0; i < points.times.length; i++) {
    if (points.y[i] !== points.y[i]) continue;
    if (before >= 0 && (points.times[i]! - points.times[before]! > 1.5 * step || i > before + 1)) {
      found.push({ start: points.times[before]!, end: points.times[i]! });
    }
    before = i;
  }
  return found;
}

/** How far a value is beyond the nearer edge, in band widths; 0 inside, NaN without a band. */
export function widthsOff(y: number, lower: number, upper: number): number {
  if (!(upper > lower)) return NaN;
  if (y > upper) return (y - upper) / (upper - lower);
  if (y < lower) return (y - lower) / (upper - lower);
  return y === y ? 0 : NaN;
}

/** Index of the point nearest to a time; -1 of none. */
export function nearest(times: Float64Array, time: number): number {
  if (times.length === 0) return -1;
  const at = Math.min(lowerBound(times, time), times.length - 1);
  return at > 0 && time - times[at - 1]! <= times[at]! - time ? at - 1 : at;
}

const COLUMNS = ["times", "y", "yhat", "lower", "upper", "score"] as const;

/** Points behind others, the later ones standing where both have a time; bounded to the last `most`. Not for roll-ups. */
export function joined(before: Points, more: Points, most = 200_000): Points {
  if (more.times.length === 0) return before;
  const keep = lowerBound(before.times, more.times[0]!);
  const from = Math.max(0, keep + more.times.length - most);
  const found: Points = { ...NO_POINTS };
  for (const name of COLUMNS) {
    const whole = new Float64Array(keep + more.times.length);
    whole.set(before[name].subarray(0, keep));
    whole.set(more[name], keep);
    found[name] = from ? whole.slice(from) : whole;
  }
  return found;
}

/** Points between two times, without copying any. */
export function within(points: Points, from: number, to: number): Points {
  const [first, end] = [lowerBound(points.times, from), lowerBound(points.times, to)];
  const found: Points = { ...NO_POINTS };
  for (const name of COLUMNS) found[name] = points[name].subarray(first, end);
  for (const name of ["lowest", "highest", "anomalies"] as const) if (points[name]) found[name] = points[name].subarray(first, end);
  return found;
}
