// A chart of 100,000 points with its band and score, panned; measured from outside by a trace.

import "uplot/dist/uPlot.min.css";
import "../src/style/tokens.css";
import { BandChart } from "../src/chart/band_chart";
import type { Points } from "../src/chart/points";

const POINTS = 100_000;
const STEP = 60_000;
const FRAMES = 120;

function made(): Points {
  const times = Float64Array.from({ length: POINTS }, (_, i) => i * STEP);
  // The same noise every time.
  const y = times.map((_, i) => 100 + 30 * Math.sin(i / 230) + 8 * Math.sin(i * 12.9898) + (i % 9000 > 8970 ? 60 : 0));
  const yhat = times.map((_, i) => 100 + 30 * Math.sin(i / 230));
  return { times, y, yhat, lower: yhat.map((v) => v - 12), upper: yhat.map((v) => v + 12), score: y.map((v, i) => Math.abs(v - yhat[i]!) / 12) };
}

const points = made();
const span = (POINTS * STEP * 9) / 10;
const host = document.getElementById("host")!;
host.style.width = "1200px";
const chart = new BandChart(host, { metric: "cpu_percent", points }, [0, span], { height: 300, zone: "UTC", score: true });
let frame = 0;

function pan(): void {
  const from = (frame / FRAMES) * (POINTS * STEP - span);
  chart.pan([from, from + span]);
  if (++frame < FRAMES) requestAnimationFrame(pan);
  else document.title = "done";
}

(window as unknown as { pan: () => void }).pan = () => requestAnimationFrame(pan);
