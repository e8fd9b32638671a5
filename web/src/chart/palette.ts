// The stylesheet's colours, resolved for a canvas; they change with the theme.

const TOKENS = [
  "canvas", "surface", "sunken", "ink", "ink-2", "ink-3", "line", "line-strong", "control",
  "band", "band-edge", "expected", "forecast", "out", "out-wash", "hatch", "cell-calm", "cell-near",
  "score-1", "score-2", "score-3", "score-4", "critical", "warning", "info",
  "risk-idle", "risk-normal", "risk-high", "risk-critical",
] as const;
export type Token = (typeof TOKENS)[number];
export type Palette = Record<Token, string>;

let resolved: Palette | null = null;
const listeners = new Set<() => void>();

/** Every colour as the page shows it now. */
export function palette(): Palette {
  if (!resolved) {
    // A token may be written as light-dark(…): only a property that takes a colour resolves it.
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    const found: Partial<Palette> = {};
    for (const token of TOKENS) {
      probe.style.color = `var(--${token})`;
      found[token] = getComputedStyle(probe).color;
    }
    probe.remove();
    resolved = found as Palette;
  }
  return resolved;
}

/** Call when the theme changes: colours are read anew and charts are drawn anew. */
export function repaint(): void {
  resolved = null;
  for (const listener of listeners) listener();
}

/** Be told of a change of theme; the answer ends it. */
export function onRepaint(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Colour of a score: grey up to 1, then the warm ramp. */
export function scoreToken(score: number): Token {
  if (!(score > 0.8)) return "cell-calm";
  if (score <= 1) return "cell-near";
  return score <= 1.5 ? "score-1" : score <= 2 ? "score-2" : score <= 3 ? "score-3" : "score-4";
}
