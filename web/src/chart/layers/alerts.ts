// Open alerts: a wash over the full height, a rail on top whose left end is the onset.

import { DEPTH, edges, type Layer } from "../layer";
import type { Span } from "../points";

export function alertLayer(spans: readonly Span[]): Layer {
  return {
    depth: DEPTH.alerts,
    draw(frame, colours) {
      const { ctx } = frame;
      for (const span of spans) {
        const at = edges(frame, span);
        if (!at) continue;
        ctx.fillStyle = colours["out-wash"];
        ctx.fillRect(at[0], frame.top, at[1] - at[0], frame.height);
        ctx.fillStyle = colours.out;
        ctx.fillRect(at[0], frame.top, Math.max(at[1] - at[0], 3 * frame.ratio), 4 * frame.ratio);
      }
    },
  };
}
