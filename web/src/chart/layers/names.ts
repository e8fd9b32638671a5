// The names of windows and deploys, above the plot: as many as there is room for, none over another.

import { DEPTH, edges, type Layer } from "../layer";
import type { Flag } from "./flags";
import type { Window } from "./windows";

/** A name that wants to stand somewhere: from `at` on, or up to `at` where it is `ends` there. */
export interface Wanted {
  at: number;
  /** From the longest to the shortest. */
  texts: readonly { text: string; width: number }[];
  ends?: boolean;
}

export interface Placed {
  left: number;
  text: string;
  width: number;
  /** Which of those that wanted. */
  of: number;
}

/** Where names stand between `left` and `right`: those given first have the choice; who has no room is left out. */
export function placed(wanted: readonly Wanted[], left: number, right: number, apart: number): Placed[] {
  const found: Placed[] = [];
  wanted.forEach((one, of) => {
    for (const { text, width } of one.texts) {
      const start = Math.max(left, Math.min(one.ends ? one.at - width : one.at, right - width));
      if (width > right - left || found.some((f) => start < f.left + f.width + apart && f.left < start + width + apart)) continue;
      found.push({ left: start, text, width, of });
      return;
    }
  });
  return found;
}

const HEIGHT = 15;

/** Deploys first, since they are moments; then windows, which may be named shorter. */
export function nameLayer(windows: readonly (Window & { short: string })[], flags: readonly Flag[]): Layer {
  return {
    depth: DEPTH.events + 1,
    beyond: true,
    draw(frame, colours) {
      const { ctx, ratio } = frame;
      ctx.font = frame.font;
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      const sized = (text: string): { text: string; width: number } => ({ text, width: ctx.measureText(text).width + 10 * ratio });
      const seen = flags.filter((flag) => flag.time >= frame.from && flag.time <= frame.to);
      const wanted: Wanted[] = seen.map((flag) => ({ at: frame.x(flag.time), texts: [sized(flag.text)], ends: true }));
      for (const window of windows) {
        const at = edges(frame, window);
        if (at) wanted.push({ at: at[0], texts: [sized(window.name), sized(window.short)] });
      }
      for (const one of placed(wanted, frame.left, frame.left + frame.width, 4 * ratio)) {
        const top = frame.top - (HEIGHT + 1) * ratio;
        const moment = one.of < seen.length;
        if (moment) {
          ctx.fillStyle = colours["ink-2"];
          ctx.fillRect(one.left, top, one.width, HEIGHT * ratio);
        }
        ctx.fillStyle = moment ? colours.surface : colours["ink-2"];
        ctx.fillText(one.text, one.left + (moment ? 5 : 1) * ratio, top + (HEIGHT / 2 + 0.5) * ratio);
      }
    },
  };
}
