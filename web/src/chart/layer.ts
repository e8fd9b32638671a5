// What a chart is made of: layers, drawn from back to front on one canvas. A new thing to show is a layer in its own file.

import type { Palette } from "./palette";
import type { Range } from "./scale";

/** Where on the canvas things stand, in canvas pixels. */
export interface Frame {
  ctx: CanvasRenderingContext2D;
  left: number;
  top: number;
  width: number;
  /** Of the values; the lane of scores lies below. */
  height: number;
  /** Canvas pixels of a CSS pixel. */
  ratio: number;
  x(time: number): number;
  y(value: number): number;
  /** Times at the left and right edge. */
  from: number;
  to: number;
  /** Where data end, ms: what is open is open up to there, not into the future. */
  now: number;
  /** Top and height of the lane of scores; null where there is none. */
  lane: { top: number; height: number } | null;
  /** For words on the canvas. */
  font: string;
}

/** From back to front. The grid lies in front of what is below `grid`. */
export const DEPTH = {
  alerts: 10,
  windows: 20,
  grid: 30,
  band: 40,
  expected: 50,
  forecast: 60,
  compared: 65,
  value: 70,
  anomalies: 80,
  missing: 90,
  events: 100,
  score: 110,
} as const;

/** One thing that a chart shows. It holds its own data; where they change, the chart is given another. */
export interface Layer {
  /** One of `DEPTH`, or between two of them; of equal ones the later lies in front. */
  readonly depth: number;
  /** Whether it also draws outside the plot: flags above it, the lane below. */
  readonly beyond?: boolean;
  /** Draw what is in view. The context is as it was before when the next layer draws. */
  draw(frame: Frame, colours: Palette): void;
  /** Lowest and highest of what it shows between two times, for which the axis of values makes room. */
  extent?(from: number, to: number): Range | null;
}

/** Draw layers on one side of the grid, in order, each with a context of its own. */
export function drawLayers(frame: Frame, layers: readonly Layer[], colours: Palette, side: "behind" | "before"): void {
  const { ctx } = frame;
  for (const layer of layers) {
    if (layer.depth < DEPTH.grid !== (side === "behind")) continue;
    ctx.save();
    if (!layer.beyond) {
      ctx.beginPath();
      ctx.rect(frame.left, frame.top, frame.width, frame.height);
      ctx.clip();
    }
    layer.draw(frame, colours);
    ctx.restore();
  }
}

/** Layers in the order in which they are drawn. */
export function ordered(layers: readonly Layer[]): Layer[] {
  return [...layers].sort((a, b) => a.depth - b.depth);
}

/** Left and right edge of a span of time on the canvas; null out of view. `end` null: it lasts. */
export function edges(frame: Frame, span: { start: number; end: number | null }): [number, number] | null {
  const end = span.end ?? frame.now;
  if (end < frame.from || span.start > frame.to) return null;
  const left = Math.max(frame.left, frame.x(span.start));
  return [left, Math.max(left + frame.ratio, Math.min(frame.left + frame.width, frame.x(end)))];
}

/** Add a straight line to the path. */
export function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
}

const TILES = new Map<string, HTMLCanvasElement>();

/** A pattern of slanted lines: `degrees` above 0 rise to the right. */
export function hatch(ctx: CanvasRenderingContext2D, colour: string, degrees: number, pitch: number, weight: number): CanvasPattern | null {
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
