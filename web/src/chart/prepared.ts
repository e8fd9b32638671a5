// A series made ready to be drawn many times: what depends on its points alone is found once, what is in view per frame.

import { lowerBound } from "./density";
import type { Frame } from "./layer";
import { gaps, outsideRuns, type Points, type Run, usualStep, warmLine } from "./points";
import { Pyramid } from "./pyramid";

/** Points a pixel from which on lowest to highest of each pixel column is drawn. */
export const DENSE = 4;

export type Column = "y" | "yhat" | "lower" | "upper" | "score" | "warm" | "lowest" | "highest";

/** A run outside the band with its strangest point. */
export interface Peaked extends Run {
  peak: number;
}

/** What stands beside each other on the canvas: single points, or pixel columns of many points. */
export interface Samples {
  dense: boolean;
  n: number;
  /** Where each stands, canvas pixels. */
  x: Float64Array;
  /** Points `[edge[k], edge[k + 1])` are in sample k. */
  edge: Int32Array;
  /** 1 where nothing connects a sample with the one before: silence lies between. */
  apart: Uint8Array;
}

export class Prepared {
  readonly step: number;
  readonly runs: readonly Peaked[];
  readonly gaps: readonly { start: number; end: number }[];
  private readonly warm: Float64Array;
  private readonly pyramids = new Map<Column, Pyramid>();
  private samples: Samples = { dense: false, n: 0, x: new Float64Array(), edge: new Int32Array(1), apart: new Uint8Array() };
  private seen = "";

  constructor(readonly points: Points) {
    this.step = usualStep(points.times);
    this.runs = outsideRuns(points).map((run) => ({ ...run, peak: peakOf(points, run) }));
    this.gaps = gaps(points, this.step);
    this.warm = warmLine(points, this.runs);
  }

  /** Values of a column; none where the points do not have it. */
  column(name: Column): Float64Array | undefined {
    return name === "warm" ? this.warm : this.points[name];
  }

  /** Lowest and highest of any stretch of a column. Made when it is first asked for. */
  pyramid(name: Column): Pyramid {
    let found = this.pyramids.get(name);
    if (!found) this.pyramids.set(name, (found = new Pyramid(this.column(name) ?? new Float64Array())));
    return found;
  }

  /** Lowest and highest of columns between two times; null where nothing is. */
  extent(names: readonly Column[], from: number, to: number): [number, number] | null {
    const { times } = this.points;
    const first = lowerBound(times, from);
    const end = Math.max(first, lowerBound(times, to + 1));
    let low = Infinity;
    let high = -Infinity;
    for (const name of names) {
      const pyramid = this.pyramid(name);
      if (!this.column(name) || !pyramid.read(first, end)) continue;
      low = Math.min(low, pyramid.low);
      high = Math.max(high, pyramid.high);
    }
    return low <= high ? [low, high] : null;
  }

  /** What is in view, and one sample beyond either edge. The same answer is filled anew for another view. */
  view(frame: Frame): Samples {
    const key = `${frame.from}/${frame.to}/${frame.left}/${frame.width}`;
    if (key !== this.seen) {
      this.seen = key;
      const { times } = this.points;
      const first = Math.max(0, lowerBound(times, frame.from) - 1);
      const end = Math.min(times.length, lowerBound(times, frame.to) + 1);
      if (end - first > DENSE * frame.width) this.binned(frame);
      else this.single(frame, first, end);
    }
    return this.samples;
  }

  private room(n: number): Samples {
    if (this.samples.x.length < n) {
      this.samples = { dense: false, n: 0, x: new Float64Array(n), edge: new Int32Array(n + 1), apart: new Uint8Array(n) };
    }
    return this.samples;
  }

  private single(frame: Frame, first: number, end: number): void {
    const { times } = this.points;
    const found = this.room(end - first);
    found.dense = false;
    found.n = end - first;
    for (let k = 0; k < found.n; k++) {
      const i = first + k;
      found.x[k] = frame.x(times[i]!);
      found.edge[k] = i;
      found.apart[k] = k > 0 && this.isApart(i) ? 1 : 0;
    }
    found.edge[found.n] = end;
  }

  /** Pixel columns begin at multiples of their width in time, so that a panned line does not flicker. */
  private binned(frame: Frame): void {
    const { times } = this.points;
    const width = (frame.to - frame.from) / frame.width;
    const start = Math.floor(frame.from / width) - 1;
    const end = Math.ceil(frame.to / width) + 1;
    const found = this.room(end - start);
    found.dense = true;
    let n = 0;
    let i = lowerBound(times, start * width);
    for (let bin = start; bin < end && i < times.length; bin++) {
      const next = boundAfter(times, (bin + 1) * width, i);
      if (next === i) continue;
      found.x[n] = frame.x((bin + 0.5) * width);
      found.edge[n] = i;
      found.apart[n] = n > 0 && this.isApart(i) ? 1 : 0;
      n++;
      i = next;
    }
    found.edge[n] = i;
    found.n = n;
  }

  private isApart(i: number): boolean {
    return this.step > 0 && this.points.times[i]! - this.points.times[i - 1]! > 1.5 * this.step;
  }
}

function peakOf(points: Points, { first, last }: Run): number {
  let peak = first;
  for (let i = first; i <= last; i++) if (points.score[i]! > points.score[peak]!) peak = i;
  return peak;
}

/** First index from `from` on whose time is not before `time`: near ones are found in few steps. */
function boundAfter(times: Float64Array, time: number, from: number): number {
  let step = 1;
  let low = from;
  while (low + step < times.length && times[low + step]! < time) {
    low += step;
    step *= 2;
  }
  let high = Math.min(times.length, low + step);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
