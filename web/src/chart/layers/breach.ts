// A threshold that will be reached: a warm line across; the interval of the time on it; and the way there, in blue.

import type { Foreseen } from "../../api/types/forecast";
import { quantity } from "../format";
import { DEPTH, type Frame, hatch, type Layer, line } from "../layer";
import type { Palette } from "../palette";

const BAR = 5;
const DOT = 4.5;

/** Where the way to the threshold begins: the last value, ms and in units of the metric. */
export interface From {
  time: number;
  value: number;
}

export function breachLayer(metric: string, foreseen: Foreseen, from: From | null): Layer {
  const { threshold } = foreseen;
  const [time, earliest, latest] = [foreseen.time, foreseen.earliest, foreseen.latest].map((text) => (text ? Date.parse(text) : null));
  return {
    depth: DEPTH.forecast + 1,
    extent: () => [threshold, threshold],
    draw(frame, colours) {
      const { ctx, ratio } = frame;
      const y = frame.y(threshold);
      const right = frame.left + frame.width;
      if (from && time != null && time > from.time) {
        way(frame, [frame.x(from.time), frame.y(from.value)], y, [frame.x(earliest ?? time), frame.x(time), latest == null ? right : frame.x(latest)], colours);
      }
      ctx.strokeStyle = colours.out;
      ctx.lineWidth = ratio;
      ctx.beginPath();
      line(ctx, frame.left, y, right, y);
      ctx.stroke();
      if (earliest != null && time != null) {
        ctx.lineWidth = BAR * ratio;
        ctx.beginPath();
        line(ctx, frame.x(earliest), y, latest == null ? right : frame.x(latest), y);
        ctx.stroke();
      }
      if (time != null) dot(frame, frame.x(time), y, colours);
      ctx.font = frame.font;
      ctx.fillStyle = colours.out;
      ctx.textAlign = "left";
      ctx.textBaseline = "bottom";
      ctx.fillText(quantity(metric, threshold), frame.left + 4 * ratio, y - 3 * ratio);
    },
  };
}

/** From the last value to the threshold: the middle dashed, and hatched between the ends of the interval. */
function way({ ctx, ratio }: Frame, [x0, y0]: [number, number], y: number, [first, middle, last]: [number, number, number], colours: Palette): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(first, y);
  ctx.lineTo(last, y);
  ctx.closePath();
  ctx.fillStyle = hatch(ctx, colours.forecast, -45, 5 * ratio, 1.4 * ratio) ?? colours.forecast;
  ctx.fill();
  ctx.strokeStyle = colours["band-edge"];
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.stroke();
  ctx.strokeStyle = colours.expected;
  ctx.lineWidth = 1.25 * ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.beginPath();
  line(ctx, x0, y0, middle, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

function dot({ ctx, ratio }: Frame, x: number, y: number, colours: Palette): void {
  ctx.fillStyle = colours.out;
  ctx.strokeStyle = colours.surface;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.arc(x, y, DOT * ratio, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}
