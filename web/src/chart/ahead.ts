// The time beyond the last point: from the API's columns to the chart's.

import type { ForecastColumns } from "../api/types/forecast";
import type { Points } from "./points";

/** What is expected ahead; it begins at the last point's own band, so that nothing tears where data end. */
export function aheadOf(columns: ForecastColumns, shown: Points): Points | undefined {
  const last = shown.times.length - 1;
  const from = columns.last === null ? NaN : Date.parse(columns.last);
  // What came meanwhile is no future any more.
  const end = Math.max(from, last >= 0 ? shown.times[last]! : -Infinity);
  const first = columns.times_ms.findIndex((time) => time > end);
  if (first < 0) return undefined;
  const joins = last >= 0 && Number.isFinite(shown.yhat[last]!);
  const numbers = (column: readonly (number | null)[], before: number | undefined): Float64Array =>
    Float64Array.from([...(joins ? [before!] : []), ...column.slice(first).map((value) => value ?? NaN)]);
  const times = numbers(columns.times_ms, shown.times[last]);
  const nothing = new Float64Array(times.length).fill(NaN);
  return {
    times,
    y: nothing,
    yhat: numbers(columns.yhat, shown.yhat[last]),
    lower: numbers(columns.yhat_lower, shown.lower[last]),
    upper: numbers(columns.yhat_upper, shown.upper[last]),
    score: nothing,
  };
}
