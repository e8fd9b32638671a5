// The strip of 10,000 series: the pointer walks over its cells, and every tenth frame brings new scores.

import { render } from "preact";
import "../src/style/tokens.css";
import "../src/style/base.css";
import "../src/style/now.css";
import type { Fleet } from "../src/api/types";
import { FleetStrip } from "../src/parts/fleet";

const SERIES = 10_000;
const GROUPS = 20;
const FRAMES = 120;
const NEWS = 10;

function made(turn: number): Fleet {
  const scores = Array.from({ length: SERIES }, (_, i) => ((i + turn) % 500 === 0 ? 1 + (i % 3) : ((i * 7919 + turn * 31) % 1000) / 1100));
  return {
    time: "2026-01-01T00:00:00Z",
    groups: Array.from({ length: GROUPS }, (_, k) => ({ name: `service-${k}`, count: SERIES / GROUPS })),
    scores,
    states: scores.map((_, i) => (i % 50 === 0 ? 1 : 0)),
    history: Array.from({ length: 72 }, (_, k) => ({ start: new Date(k * 300_000).toISOString(), outside: (k * 7) % 20 })),
  };
}

const host = document.getElementById("fleet")!;
const shows = (turn: number): void => render(<FleetStrip fleet={made(turn)} zone="UTC" nameOf={(i) => `series-${i}`} open={() => undefined} />, host);
shows(0);
let frame = 0;

function walk(): void {
  const canvas = host.querySelector("canvas")!;
  const { left, top, width } = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + (frame / FRAMES) * width, clientY: top + 30 + (frame % 5), bubbles: true }));
  if (frame % NEWS === 0) shows(frame);
  if (++frame < FRAMES) requestAnimationFrame(walk);
  else document.title = "done";
}

(window as unknown as { walk: () => void }).walk = () => {
  document.title = "walking";
  requestAnimationFrame(walk);
};
// Once the strip knows how wide it is.
requestAnimationFrame(() => requestAnimationFrame(() => (document.title = "ready")));
