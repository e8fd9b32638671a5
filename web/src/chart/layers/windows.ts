// Windows: a hatch over the full height with both ends; `no_learn` is framed by dots.

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
        if (!at || window.action === "expect") continue;
        ctx.fillStyle = hatch(ctx, colours.hatch, 45, 6 * ratio, ratio) ?? colours.hatch;
        ctx.fillRect(at[0], frame.top, at[1] - at[0], frame.height);
        ctx.strokeStyle = colours["line-strong"];
        ctx.lineWidth = ratio;
        ctx.setLineDash(window.action === "no_learn" ? [ratio, 3 * ratio] : []);
        ctx.beginPath();
        for (const x of at) line(ctx, x, frame.top, x, frame.top + frame.height);
        ctx.stroke();
      }
    },
  };
}
