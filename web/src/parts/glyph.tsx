// Marks: a meaning is a shape and a fill, never colour alone.

import type { JSX } from "preact";
import type { Severity } from "../api/types";

type Name = Severity | "calm" | "done" | "mark" | "theme" | "learning" | "late" | "unknown";

const SHAPES: Record<Name, JSX.Element> = {
  critical: (
    <>
      <path class="g-critical" d="M8 0.8 15.2 8 8 15.2 0.8 8Z" />
      <path class="g-on-critical" d="M7.1 4h1.8v5H7.1zM7.1 10.2h1.8V12H7.1z" />
    </>
  ),
  warning: (
    <>
      <path class="g-warning-line" d="M8 2 14.8 14H1.2Z" />
      <path class="g-warning" d="M7.2 6.2h1.6v3.6H7.2zM7.2 10.8h1.6v1.6H7.2z" />
    </>
  ),
  info: <circle class="g-info" cx="8" cy="8" r="6" />,
  calm: (
    <>
      <circle class="g-calm" cx="8" cy="8" r="7" />
      <path class="g-calm" d="M4.6 8.2 7 10.6l4.4-5" />
    </>
  ),
  done: <path class="g-line" d="M3 8.4 6.4 12 13 4.4" />,
  learning: <circle class="g-dotted" cx="8" cy="8" r="6" />,
  late: <path class="g-warning-line" d="M8 2 14 8 8 14 2 8Z" />,
  unknown: (
    <>
      <circle class="g-dotted" cx="8" cy="8" r="6.5" />
      <path class="g-line" d="M6 6.4a2 2 0 1 1 2.6 2c-.4.2-.6.5-.6 1M8 11.6v.4" />
    </>
  ),
  theme: (
    <>
      <circle class="g-line" cx="8" cy="8" r="5.5" />
      <path class="g-fill" d="M8 2.5a5.5 5.5 0 0 1 0 11Z" />
    </>
  ),
  mark: (
    <>
      <path class="g-band" d="M.8 8.6c2.8-4.4 5-4.4 7.2-1.4s4.4 3 7.2-1.4v5c-2.8 4.4-5 4.4-7.2 1.4s-4.4-3-7.2 1.4Z" />
      <path class="g-ink" d="M.8 11.2c2.8-3.6 5-3.6 6.4-1.8L11 2.8l2.2 6.6 2-1" />
      <circle class="g-out" cx="11" cy="2.8" r="1.9" />
    </>
  ),
};

/** One mark; give `label` where no word beside it says the same. */
export function Glyph({ name, size = 16, label }: { name: Name; size?: number; label?: string }): JSX.Element {
  return (
    <svg class="glyph" width={size} height={size} viewBox="0 0 16 16" {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}>
      {SHAPES[name]}
    </svg>
  );
}
