// A sparkline with its band: the last hours of a series beside the number in words.

import type { JSX } from "preact";
import type { Spark as Points } from "../api/types";

const WIDTH = 210;

/** Paths of a sparkline in a box of `width` by `height`. Exported for its test. */
export function sparkPaths(points: Points, width: number, height: number): { band: string; value: string; out: string; last: [number, number, boolean] | null } {
  const n = points.times_ms.length;
  const first = points.times_ms[0] ?? 0;
  const span = (points.times_ms[n - 1] ?? 1) - first || 1;
  const known = [...points.y, ...points.yhat_lower, ...points.yhat_upper].filter((v): v is number => v !== null && Number.isFinite(v));
  const low = Math.min(...known);
  const size = Math.max(...known) - low || 1;
  const pad = 5;
  const x = (i: number) => round(((points.times_ms[i]! - first) / span) * (width - 2 * pad) + pad);
  const y = (v: number) => round(height - pad - ((v - low) / size) * (height - 2 * pad));
  let value = "";
  let out = "";
  let pen = false;
  let warm = false;
  let last: [number, number, boolean] | null = null;
  for (let i = 0; i < n; i++) {
    const v = points.y[i];
    if (v === null || v === undefined) {
      pen = warm = false;
      continue;
    }
    const [lower, upper] = [points.yhat_lower[i], points.yhat_upper[i]];
    const outside = (upper != null && v > upper) || (lower != null && v < lower);
    value += `${pen ? "L" : "M"}${x(i)} ${y(v)}`;
    if (outside) {
      const before = points.y[i - 1];
      if (!warm) out += pen && before != null ? `M${x(i - 1)} ${y(before)}L${x(i)} ${y(v)}` : `M${x(i)} ${y(v)}`;
      else out += `L${x(i)} ${y(v)}`;
    }
    warm = outside;
    pen = true;
    last = [x(i), y(v), outside];
  }
  return { band: bandPath(points, x, y), value, out, last };
}

function bandPath(points: Points, x: (i: number) => number, y: (v: number) => number): string {
  let path = "";
  let run: number[] = [];
  const close = (): void => {
    if (run.length > 1) {
      path += run.map((i, k) => `${k ? "L" : "M"}${x(i)} ${y(points.yhat_upper[i]!)}`).join("");
      path += [...run].reverse().map((i) => `L${x(i)} ${y(points.yhat_lower[i]!)}`).join("") + "Z";
    }
    run = [];
  };
  for (let i = 0; i < points.times_ms.length; i++) {
    if (points.yhat_lower[i] != null && points.yhat_upper[i] != null) run.push(i);
    else close();
  }
  close();
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The last hours of a series; the words beside it say the same, so it is not spoken. */
export function Spark({ points, width = WIDTH, height = 44 }: { points: Points | undefined; width?: number; height?: number }): JSX.Element {
  if (!points || points.times_ms.length < 2) return <svg class="spark" width={width} height={height} aria-hidden="true" />;
  const { band, value, out, last } = sparkPaths(points, width, height);
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="s-band" d={band} />
      <path class="s-value" d={value} />
      <path class="s-out" d={out} />
      {last && <path class={last[2] ? "s-dot-out" : "s-dot"} d={`M${last[0]} ${last[1]}h0`} />}
    </svg>
  );
}
