// More points than pixels: lowest and highest per pixel column, so that no spike is lost and nothing is smoothed.

/** What is drawn of a column: for every pixel with points the time of its lowest and highest value, in order. */
export interface Thinned {
  times: Float64Array;
  values: Float64Array;
  /** Index of each kept point in the column it came from. */
  index: Int32Array;
}

/** Whether a stretch of points is thinned when drawn on so many pixels. */
export function isDense(points: number, pixels: number): boolean {
  return points > 4 * pixels;
}

/** First index whose time is not before `time`; times ascend. */
export function lowerBound(times: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First, lowest, highest and last point of every pixel column of [from, to].
 *
 * A missing value (NaN) inside a column is kept as one, so that the line breaks there. One point beyond each end is
 * kept, so that the line runs to the edge.
 */
export function thin(times: ArrayLike<number>, values: ArrayLike<number>, from: number, to: number, pixels: number): Thinned {
  const first = Math.max(0, lowerBound(times, from) - 1);
  const end = Math.min(times.length, lowerBound(times, to) + 1);
  const kept: number[] = [];
  if (!isDense(end - first, pixels)) {
    for (let i = first; i < end; i++) kept.push(i);
    return gathered(times, values, kept);
  }
  const width = (to - from) / Math.max(1, pixels);
  let i = first;
  while (i < end) {
    const column = Math.floor((times[i]! - from) / width);
    let lowest = -1;
    let highest = -1;
    let missing = -1;
    const start = i;
    for (; i < end && Math.floor((times[i]! - from) / width) === column; i++) {
      const value = values[i]!;
      if (value !== value) missing = i;
      else {
        if (lowest < 0 || value < values[lowest]!) lowest = i;
        if (highest < 0 || value > values[highest]!) highest = i;
      }
    }
    for (const at of [...new Set([start, lowest, highest, missing, i - 1])].filter((at) => at >= 0).sort((a, b) => a - b)) kept.push(at);
  }
  return gathered(times, values, kept);
}

function gathered(times: ArrayLike<number>, values: ArrayLike<number>, kept: number[]): Thinned {
  return {
    times: Float64Array.from(kept, (i) => times[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
    index: Int32Array.from(kept),
  };
}
