// Deploys and other events: a dashed line with a small flag. Names stand above the plot, see names.ts.

import { DEPTH, type Layer, line } from "../layer";

/** Something that happened: a deploy, an edit of the configuration. */
export interface Flag {
  time: number;
  text: string;
}

export function flagLayer(flags: readonly Flag[]): Layer {
  return {
    depth: DEPTH.events,
    draw(frame, colours) {
      const { ctx, ratio } = frame;
      ctx.strokeStyle = ctx.fillStyle = colours["ink-2"];
      ctx.lineWidth = ratio;
      for (const flag of flags) {
        if (flag.time < frame.from || flag.time > frame.to) continue;
        const x = frame.x(flag.time);
        ctx.setLineDash([2 * ratio, 3 * ratio]);
        ctx.beginPath();
        line(ctx, x, frame.top, x, frame.top + frame.height);
        ctx.stroke();
        ctx.beginPath();
        ctx.moveTo(x, frame.top);
        ctx.lineTo(x - 6 * ratio, frame.top);
        ctx.lineTo(x, frame.top + 6 * ratio);
        ctx.fill();
      }
    },
  };
}
