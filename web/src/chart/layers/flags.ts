// Deploys and other events: a dashed line; the words stand above the plot, their right end at the line.

import { DEPTH, type Layer, line } from "../layer";

/** Something that happened: a deploy, an edit of the configuration. */
export interface Flag {
  time: number;
  text: string;
}

export function flagLayer(flags: readonly Flag[]): Layer {
  return {
    depth: DEPTH.events,
    beyond: true,
    draw(frame, colours) {
      const { ctx, ratio } = frame;
      ctx.font = frame.font;
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
    },
  };
}
