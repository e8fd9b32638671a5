// A series itself: band, what was expected, the value and what of it is outside, silence, and the lane of scores.

import { DEPTH, edges, type Frame, type Layer, line } from "../layer";
import type { Palette } from "../palette";
import { dots } from "../points";
import type { Column, Prepared, Samples } from "../prepared";

/** The lane of scores ends here. */
export const SCORE_TOP = 4;

/** The layers of one series. Above four points a pixel each pixel column is drawn from lowest to highest. */
export function seriesLayers(series: Prepared): Layer[] {
  return [
    { depth: DEPTH.band, draw: (frame, colours) => drawBand(frame, series, colours), extent: (from, to) => series.extent(["lower", "upper"], from, to) },
    { depth: DEPTH.expected, draw: (frame, colours) => drawExpected(frame, series, colours) },
    { depth: DEPTH.value, draw: (frame, colours) => drawValue(frame, series, colours.ink, colours) },
    { depth: DEPTH.anomalies, draw: (frame, colours) => drawDots(frame, series, colours) },
    { depth: DEPTH.missing, draw: (frame, colours) => drawGaps(frame, series, colours) },
    { depth: DEPTH.score, beyond: true, draw: (frame, colours) => drawScore(frame, series, colours) },
  ];
}

/** A second series of the same unit on the plot: its value alone, dotted, and named at its end. */
export function comparedLayer(series: Prepared): Layer {
  return {
    depth: DEPTH.compared,
    draw(frame, colours) {
      frame.ctx.setLineDash([1.5 * frame.ratio, 2 * frame.ratio]);
      stroke(frame, series, "y", 1.5, colours["ink-2"]);
    },
    extent: (from, to) => series.extent(["y"], from, to),
  };
}

function drawBand(frame: Frame, series: Prepared, colours: Palette): void {
  const { ctx } = frame;
  const seen = series.view(frame);
  const [lower, upper] = [reader(series, "lower", seen), reader(series, "upper", seen)];
  const low = new Float64Array(seen.n);
  const high = new Float64Array(seen.n);
  for (let k = 0; k < seen.n; k++) {
    low[k] = frame.y(lower(k, -1));
    high[k] = frame.y(upper(k, 1));
  }
  const missing = (k: number): boolean => low[k] !== low[k] || high[k] !== high[k];
  const fill = new Path2D();
  const rims = new Path2D();
  for (let start = 0; start < seen.n; ) {
    if (missing(start)) {
      start++;
      continue;
    }
    let end = start + 1;
    while (end < seen.n && !missing(end) && !seen.apart[end]) end++;
    for (let k = start; k < end; k++) fill.lineTo(seen.x[k]!, high[k]!);
    for (let k = end - 1; k >= start; k--) fill.lineTo(seen.x[k]!, low[k]!);
    fill.closePath();
    for (const edge of [low, high]) {
      rims.moveTo(seen.x[start]!, edge[start]!);
      for (let k = start + 1; k < end; k++) rims.lineTo(seen.x[k]!, edge[k]!);
    }
    start = end;
    fill.moveTo(seen.x[start] ?? 0, 0);
  }
  ctx.fillStyle = colours.band;
  ctx.fill(fill);
  ctx.strokeStyle = colours["band-edge"];
  ctx.lineWidth = frame.ratio;
  ctx.stroke(rims);
}

function drawExpected(frame: Frame, series: Prepared, colours: Palette): void {
  frame.ctx.setLineDash([4 * frame.ratio, 3 * frame.ratio]);
  stroke(frame, series, "yhat", 1.25, colours.expected);
}

function drawValue(frame: Frame, series: Prepared, ink: string, colours: Palette): void {
  const seen = series.view(frame);
  if (series.points.lowest && series.points.highest) drawSpread(frame, series, seen, colours);
  if (seen.dense) {
    bars(frame, series, seen, "y", 1, ink);
    bars(frame, series, seen, "warm", 2, colours.out);
  } else {
    frame.ctx.lineJoin = "round";
    stroke(frame, series, "y", 1.5, ink);
    stroke(frame, series, "warm", 2.25, colours.out);
  }
}

/** What lies behind the means of a roll-up: lowest to highest, grey. */
function drawSpread(frame: Frame, series: Prepared, seen: Samples, colours: Palette): void {
  const { ctx, ratio } = frame;
  const [lowest, highest] = [reader(series, "lowest", seen), reader(series, "highest", seen)];
  const wide = Math.max(ratio, seen.n > 1 ? ((seen.x[seen.n - 1]! - seen.x[0]!) / (seen.n - 1)) * 0.7 : ratio);
  ctx.fillStyle = colours["cell-near"];
  ctx.globalAlpha = 0.55;
  ctx.beginPath();
  for (let k = 0; k < seen.n; k++) {
    const [top, base] = [frame.y(highest(k, 1)), frame.y(lowest(k, -1))];
    if (base - top > 0) ctx.rect(seen.x[k]! - wide / 2, top, wide, base - top);
  }
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** Lowest to highest of every pixel column, up to where the one before ended, so that the line holds together. */
function bars(frame: Frame, series: Prepared, seen: Samples, name: Column, weight: number, colour: string): void {
  const { ctx, ratio } = frame;
  const values = series.column(name)!;
  const pyramid = series.pyramid(name);
  const wide = Math.max(1, Math.round(weight * ratio));
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (let k = 0; k < seen.n; k++) {
    const first = seen.edge[k]!;
    if (!pyramid.read(first, seen.edge[k + 1]!)) continue;
    let { low, high } = pyramid;
    const before = values[first - 1];
    if (!seen.apart[k] && before !== undefined && before === before && values[first] === values[first]) {
      low = Math.min(low, before);
      high = Math.max(high, before);
    }
    const top = frame.y(high);
    ctx.rect(Math.round(seen.x[k]! - wide / 2), top - wide / 2, wide, frame.y(low) - top + wide);
  }
  ctx.fill();
}

/** A column as a line that breaks where something is missing. Of a pixel column with many points the middle is taken. */
function stroke(frame: Frame, series: Prepared, name: Column, weight: number, colour: string): void {
  const { ctx } = frame;
  const seen = series.view(frame);
  const low = reader(series, name, seen);
  ctx.strokeStyle = colour;
  ctx.lineWidth = weight * frame.ratio;
  ctx.beginPath();
  let pen = false;
  for (let k = 0; k < seen.n; k++) {
    const value = seen.dense ? (low(k, -1) + low(k, 1)) / 2 : low(k, 1);
    if (value !== value) pen = false;
    else if (pen && !seen.apart[k]) ctx.lineTo(seen.x[k]!, frame.y(value));
    else {
      ctx.moveTo(seen.x[k]!, frame.y(value));
      // A point between two silences is seen as one.
      ctx.lineTo(seen.x[k]! + 0.01, frame.y(value));
      pen = true;
    }
  }
  ctx.stroke();
}

/** What a sample shows of a column: the lowest (`side` -1) or the highest of its points; NaN where there is none. */
function reader(series: Prepared, name: Column, seen: Samples): (k: number, side: -1 | 1) => number {
  const values = series.column(name);
  if (!values) return () => NaN;
  if (!seen.dense) return (k) => values[seen.edge[k]!]!;
  const pyramid = series.pyramid(name);
  return (k, side) => (pyramid.read(seen.edge[k]!, seen.edge[k + 1]!) ? (side < 0 ? pyramid.low : pyramid.high) : NaN);
}

/** Missing: a dotted bar on the base line as long as the silence. */
function drawGaps(frame: Frame, series: Prepared, colours: Palette): void {
  const { ctx, ratio } = frame;
  const base = frame.top + frame.height - 8 * ratio;
  ctx.strokeStyle = ctx.fillStyle = colours["ink-3"];
  ctx.lineWidth = ratio;
  const shortest = (4 * ratio * (frame.to - frame.from)) / frame.width;
  for (const gap of series.gaps) {
    if (gap.start > frame.to) break;
    if (gap.end - gap.start < shortest) continue;
    const at = edges(frame, gap);
    if (!at || at[1] - at[0] < 4 * ratio) continue;
    ctx.strokeRect(at[0] + ratio, base, at[1] - at[0] - 2 * ratio, 7 * ratio);
    for (let x = at[0] + 3 * ratio; x < at[1] - 2 * ratio; x += 4 * ratio) {
      ctx.fillRect(x, base + 2 * ratio, ratio, ratio);
      ctx.fillRect(x + 2 * ratio, base + 4 * ratio, ratio, ratio);
    }
  }
}

/** A dot with a ring of the ground on every point outside, or on onset, peak and end of a run. */
function drawDots(frame: Frame, series: Prepared, colours: Palette): void {
  const { ctx, ratio } = frame;
  const { points } = series;
  const pixel = ((frame.to - frame.from) / frame.width) * ratio;
  const shapes = [new Path2D(), new Path2D()];
  for (const i of dots(points, series.runs, pixel, frame.from, frame.to)) {
    const strong = points.score[i]! >= 2;
    const [x, y] = [frame.x(points.times[i]!), frame.y(points.y[i]!)];
    const shape = shapes[strong ? 1 : 0]!;
    const radius = (strong ? 3.8 : 3) * ratio;
    shape.moveTo(x + radius, y);
    shape.arc(x, y, radius, 0, 2 * Math.PI);
  }
  ctx.fillStyle = colours.out;
  ctx.lineWidth = ratio;
  ctx.strokeStyle = colours.surface;
  for (const shape of shapes) {
    ctx.fill(shape);
    ctx.stroke(shape);
  }
}

/** The lane of scores: calm grey up to 1, the limit dashed at 1, warm above. */
function drawScore(frame: Frame, series: Prepared, colours: Palette): void {
  if (!frame.lane) return;
  const { ctx, ratio } = frame;
  const { top, height } = frame.lane;
  const base = top + height;
  const y = (score: number): number => base - (Math.min(score, SCORE_TOP) / SCORE_TOP) * height;
  const seen = series.view(frame);
  const high = reader(series, "score", seen);
  const each = seen.n > 1 ? (seen.x[seen.n - 1]! - seen.x[0]!) / (seen.n - 1) : ratio;
  const wide = Math.max(ratio, Math.ceil(seen.dense ? ratio : Math.min(each, (series.step / (frame.to - frame.from)) * frame.width)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left, top, frame.width, height);
  ctx.clip();
  for (const warm of [false, true]) {
    ctx.beginPath();
    for (let k = 0; k < seen.n; k++) {
      const score = high(k, 1);
      if (score > 1 === warm && score > 0) ctx.rect(Math.round(seen.x[k]! - wide / 2), y(score), wide, base - y(score));
    }
    ctx.fillStyle = warm ? colours.out : colours["cell-calm"];
    ctx.fill();
  }
  ctx.restore();
  ctx.strokeStyle = colours["ink-2"];
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  line(ctx, frame.left, y(1), frame.left + frame.width, y(1));
  ctx.stroke();
  ctx.font = frame.font;
  ctx.fillStyle = colours["ink-3"];
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const score of [1, SCORE_TOP]) ctx.fillText(String(score), frame.left - 6 * ratio, y(score));
}
