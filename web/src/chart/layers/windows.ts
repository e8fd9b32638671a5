// Windows: a hatch over the full height with both ends; `no_learn` is framed by dots, `expect` has ends alone.

import { DEPTH, edges, hatch, type Layer, line } from "../layer";
import type { Span } from "../points";

/** A time in which a series is judged otherwise. */
export interface Window extends Span {
  action: "mute" | "no_learn" | "expect";
  name: string;
}

export function windowLayer(windows: readonly Window[]): Layer {
  return {
    depth: DEPTH.windows,
    draw(frame, colours) {
      const { ctx, ratio } = frame;
      for (const window of windows) {
        const at = edges(frame, window);
        if (!at) continue;
        if (window.action !== "expect") {
          ctx.fillStyle = hatch(ctx, colours.hatch, 45, 6 * ratio, ratio) ?? colours.hatch;
          ctx.fillRect(at[0], frame.top, at[1] - at[0], frame.height);
        }
        ctx.strokeStyle = colours.control;
        ctx.lineWidth = ratio;
        ctx.setLineDash(window.action === "no_learn" ? [ratio, 3 * ratio] : []);
        ctx.beginPath();
        // An end that is out of view is no end.
        if (window.start >= frame.from) line(ctx, at[0], frame.top, at[0], frame.top + frame.height);
        if (window.end === null || window.end <= frame.to) line(ctx, at[1], frame.top, at[1], frame.top + frame.height);
        if (window.action === "no_learn") for (const y of [frame.top + ratio, frame.top + frame.height - ratio]) line(ctx, at[0], y, at[1], y);
        ctx.stroke();
      }
    },
  };
}
