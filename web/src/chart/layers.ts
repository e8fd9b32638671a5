// What a chart shows besides lines and band, drawn on the same canvas: washes, windows, forecast, missing, dots, flags.

import { dots, gaps, type Points, type Run, type Span } from "./points";
import type { Palette } from "./palette";

/** Where on the canvas things stand, in canvas pixels. */
export interface Frame {
  ctx: CanvasRenderingContext2D;
  left: number;
  top: number;
  width: number;
  height: number;
  /** Canvas pixels of a CSS pixel. */
  ratio: number;
  x(time: number): number;
  y(value: number): number;
  /** Times at the left and right edge. */
  from: number;
  to: number;
}

/** A time in which a series is judged otherwise. */
export interface Window extends Span {
  action: "mute" | "no_learn" | "expect";
  name: string;
}

/** Something that happened: a deploy, an edit of the configuration. */
export interface Flag {
  time: number;
  text: string;
}

/** Clip to the plot, draw, and leave the context as it was. */
export function within(frame: Frame, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx } = frame;
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left, frame.top, frame.width, frame.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

function edges(frame: Frame, span: Span, now = frame.to): [number, number] | null {
  const end = span.end ?? now;
  if (end < frame.from || span.start > frame.to) return null;
  const left = Math.max(frame.left, frame.x(span.start));
  return [left, Math.max(left + frame.ratio, Math.min(frame.left + frame.width, frame.x(end)))];
}

/** Open alerts: a wash over the full height, a rail on top whose left end is the onset. */
export function drawAlerts(frame: Frame, spans: readonly Span[], now: number, colours: Palette): void {
  const { ctx } = frame;
  for (const span of spans) {
    const at = edges(frame, span, now);
    if (!at) continue;
    ctx.fillStyle = colours["out-wash"];
    ctx.fillRect(at[0], frame.top, at[1] - at[0], frame.height);
    ctx.fillStyle = colours.out;
    ctx.fillRect(at[0], frame.top, Math.max(at[1] - at[0], 3 * frame.ratio), 4 * frame.ratio);
  }
}

/** Windows: a hatch over the full height with both ends; `no_learn` is framed by dots. */
export function drawWindows(frame: Frame, windows: readonly Window[], colours: Palette): void {
  const { ctx, ratio } = frame;
  for (const window of windows) {
    const at = edges(frame, window);
    if (!at || window.action === "expect") continue;
    ctx.fillStyle = hatch(ctx, colours.hatch, 45, 6 * ratio, ratio) ?? colours.hatch;
    ctx.fillRect(at[0], frame.top, at[1] - at[0], frame.height);
    ctx.strokeStyle = colours["line-strong"];
    ctx.lineWidth = ratio;
    ctx.setLineDash(window.action === "no_learn" ? [ratio, 3 * ratio] : []);
    ctx.beginPath();
    for (const x of at) line(ctx, x, frame.top, x, frame.top + frame.height);
    ctx.stroke();
    ctx.setLineDash([]);
  }
}

/** The future: a hatch within the band's edges, right of the line where data end. */
export function drawForecast(frame: Frame, points: Points, colours: Palette): void {
  if (points.times.length < 2) return;
  const { ctx, ratio } = frame;
  const shape = new Path2D();
  const n = points.times.length;
  for (let i = 0; i < n; i++) shape.lineTo(frame.x(points.times[i]!), frame.y(points.upper[i]!));
  for (let i = n - 1; i >= 0; i--) shape.lineTo(frame.x(points.times[i]!), frame.y(points.lower[i]!));
  shape.closePath();
  ctx.fillStyle = hatch(ctx, colours.forecast, -45, 5 * ratio, 1.4 * ratio) ?? colours.forecast;
  ctx.fill(shape);
  ctx.strokeStyle = colours["band-edge"];
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.stroke(shape);
  ctx.strokeStyle = colours.expected;
  ctx.lineWidth = 1.25 * ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.beginPath();
  for (let i = 0; i < n; i++) ctx.lineTo(frame.x(points.times[i]!), frame.y(points.yhat[i]!));
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.strokeStyle = colours["ink-2"];
  ctx.lineWidth = ratio;
  ctx.beginPath();
  const now = frame.x(points.times[0]!);
  line(ctx, now, frame.top, now, frame.top + frame.height);
  ctx.stroke();
}

/** Missing: a dotted bar on the base line as long as the silence. */
export function drawGaps(frame: Frame, points: Points, step: number, colours: Palette): void {
  const { ctx, ratio } = frame;
  const base = frame.top + frame.height - 8 * ratio;
  for (const gap of gaps(points, step)) {
    const at = edges(frame, gap);
    if (!at || at[1] - at[0] < 4 * ratio) continue;
    ctx.strokeStyle = colours["ink-3"];
    ctx.lineWidth = ratio;
    ctx.strokeRect(at[0] + ratio, base, at[1] - at[0] - 2 * ratio, 7 * ratio);
    ctx.fillStyle = colours["ink-3"];
    for (let x = at[0] + 3 * ratio; x < at[1] - 2 * ratio; x += 4 * ratio) {
      ctx.fillRect(x, base + 2 * ratio, ratio, ratio);
      ctx.fillRect(x + 2 * ratio, base + 4 * ratio, ratio, ratio);
    }
  }
}

/** A dot with a ring of the ground on every point outside, or on onset, peak and end of a run. */
export function drawDots(frame: Frame, points: Points, runs: readonly Run[], colours: Palette): void {
  const { ctx, ratio } = frame;
  const pixel = ((frame.to - frame.from) / frame.width) * ratio;
  const visible = runs.filter((r) => points.times[r.last]! >= frame.from && points.times[r.first]! <= frame.to);
  for (const i of dots(points, visible, pixel)) {
    const radius = (points.score[i]! >= 2 ? 3.8 : 3) * ratio;
    ctx.beginPath();
    ctx.arc(frame.x(points.times[i]!), frame.y(points.y[i]!), radius, 0, 2 * Math.PI);
    ctx.fillStyle = colours.out;
    ctx.fill();
    ctx.lineWidth = ratio;
    ctx.strokeStyle = colours.surface;
    ctx.stroke();
  }
}

/** Deploys and other events: a dashed line; the words stand above the plot, their right end at the line. */
export function drawFlags(frame: Frame, flags: readonly Flag[], colours: Palette, font: string): void {
  const { ctx, ratio } = frame;
  ctx.save();
  ctx.font = font;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const flag of flags) {
    if (flag.time < frame.from || flag.time > frame.to) continue;
    const x = frame.x(flag.time);
    ctx.strokeStyle = colours["ink-2"];
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    line(ctx, x, frame.top, x, frame.top + frame.height);
    ctx.stroke();
    const width = ctx.measureText(flag.text).width + 12 * ratio;
    const left = Math.max(frame.left, x - width);
    ctx.fillStyle = colours["ink-2"];
    ctx.fillRect(left, frame.top - 15 * ratio, width, 15 * ratio);
    ctx.fillStyle = colours.surface;
    ctx.fillText(flag.text, left + 6 * ratio, frame.top - 7 * ratio);
  }
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
}

const TILES = new Map<string, HTMLCanvasElement>();

function hatch(ctx: CanvasRenderingContext2D, colour: string, degrees: number, pitch: number, weight: number): CanvasPattern | null {
  const key = `${colour}/${degrees}/${pitch}/${weight}`;
  let tile = TILES.get(key);
  if (!tile) {
    if (TILES.size > 32) TILES.clear();
    const size = Math.max(2, Math.round(pitch * Math.SQRT2));
    tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const pen = tile.getContext("2d");
    if (!pen) return null;
    pen.strokeStyle = colour;
    pen.lineWidth = weight;
    pen.beginPath();
    const sign = degrees > 0 ? 1 : -1;
    // Three strokes, so that the corners of neighbouring tiles meet.
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 1, sign > 0 ? size + 1 : -1);
      pen.lineTo(shift + size + 1, sign > 0 ? -1 : size + 1);
    }
    pen.stroke();
    TILES.set(key, tile);
  }
  return ctx.createPattern(tile, "repeat");
}
