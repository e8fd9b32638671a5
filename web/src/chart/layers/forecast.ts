// The future: a hatch within the band's edges, right of the line where data end.

import { aheadWords } from "../../words/ahead";
import { lowerBound } from "../density";
import { DEPTH, type Frame, hatch, type Layer, line } from "../layer";
import type { Points } from "../points";
import { extent } from "../scale";

export function forecastLayer(points: Points): Layer {
  const n = points.times.length;
  return {
    depth: DEPTH.forecast,
    extent(from, to) {
      const [first, end] = [lowerBound(points.times, from), lowerBound(points.times, to)];
      return extent(points.lower.subarray(first, end), points.upper.subarray(first, end));
    },
    draw(frame, colours) {
      if (n < 2) return;
      const { ctx, ratio } = frame;
      const shape = new Path2D();
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
      label(frame, now + 5 * ratio, colours["ink-2"]);
    },
  };
}

/** The word beside the line, where there is room for it. */
function label({ ctx, top, left, width, ratio, font }: Frame, x: number, colour: string): void {
  ctx.font = font;
  if (x + ctx.measureText(aheadWords.label).width > left + width) return;
  ctx.fillStyle = colour;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(aheadWords.label, x, top + 2 * ratio);
}
