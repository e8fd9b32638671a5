// A series with its band, zoomable, on a canvas; below it the score on the same axis of time.

import uPlot from "uplot";
import { number, scaleOf, withUnit } from "./format";
import { drawAlerts, drawDots, drawFlags, drawForecast, drawGaps, drawWindows, type Flag, type Frame, type Window, within } from "./layers";
import { onRepaint, palette } from "./palette";
import { aligned, nearest, NO_POINTS, outsideRuns, type Points, type Run, type Span, usualStep, warmLine } from "./points";
import { extent, type Range, ticks, valueRange } from "./scale";
import { timeTicks } from "./time";

/** What a chart shows. */
export interface Picture {
  metric: string;
  points: Points;
  forecast?: Points;
  alerts?: readonly Span[];
  windows?: readonly Window[];
  flags?: readonly Flag[];
}

export interface ChartOptions {
  height: number;
  zone: string;
  /** Draw the lane of scores below. */
  score?: boolean;
  /** Charts with the same key share their crosshair. */
  sync?: string;
  /** Width of the gutter of value labels, CSS pixels. */
  gutter?: number;
  /** Draw the axis of time. */
  timeAxis?: boolean;
  /** The pointer or a key is at the point of this index; -1: nowhere. */
  onPoint?: (index: number) => void;
  /** Somebody selected another range. */
  onRange?: (from: number, to: number) => void;
}

const SCORE_HEIGHT = 46;
const AXIS_HEIGHT = 26;
const AXIS_NONE = 8;
const PADDING_TOP = 20;
const SCORE_TOP = 4;

/** Draws one series; `set` gives it what to show, `view` the range. Call `destroy` when it leaves the page. */
export class BandChart {
  private readonly plot: uPlot;
  private readonly ended: (() => void)[] = [];
  private picture: Picture;
  private runs: Run[] = [];
  private step = 0;
  private range: Range;
  private settling = false;
  /** The point under the crosshair. */
  index = -1;

  constructor(
    private readonly host: HTMLElement,
    picture: Picture,
    range: Range,
    private readonly options: ChartOptions,
  ) {
    this.picture = picture;
    this.range = range;
    this.plot = new uPlot(this.described(), this.columns(), host);
    const resize = new ResizeObserver(() => this.plot.setSize({ width: host.clientWidth, height: this.height() }));
    resize.observe(host);
    this.ended.push(() => resize.disconnect(), onRepaint(() => this.plot.redraw(true, true)));
  }

  /** Show something else; the range stays. */
  set(picture: Picture): void {
    this.picture = picture;
    this.settle(() => this.plot.setData(this.columns(), false));
    this.view(this.range);
  }

  /** Show another range. The value axis settles on what is in it. */
  view(range: Range): void {
    this.range = range;
    const values = this.values();
    this.settle(() =>
      this.plot.batch(() => {
        this.plot.setScale("x", { min: range[0], max: range[1] });
        this.plot.setScale("y", { min: values[0], max: values[1] });
      }),
    );
  }

  /** Move the range by a drag: the value axis stays until `view`. */
  pan(range: Range): void {
    this.range = range;
    this.settle(() => this.plot.setScale("x", { min: range[0], max: range[1] }));
  }

  /** Put the crosshair on a point. */
  point(index: number): void {
    const time = this.picture.points.times[index];
    if (time === undefined) return;
    this.plot.setCursor({ left: this.plot.valToPos(time, "x"), top: 10 });
  }

  destroy(): void {
    for (const end of this.ended) end();
    this.plot.destroy();
  }

  private settle(change: () => void): void {
    this.settling = true;
    change();
    this.settling = false;
  }

  private height(): number {
    return this.options.height + (this.options.score ? SCORE_HEIGHT : 0);
  }

  private columns(): uPlot.AlignedData {
    const { points } = this.picture;
    this.step = usualStep(points.times);
    this.runs = outsideRuns(points);
    return aligned(points, warmLine(points, this.runs), this.step) as unknown as uPlot.AlignedData;
  }

  private values(): [number, number] {
    const { points, forecast = NO_POINTS } = this.picture;
    const [from, to] = this.range;
    const slice = (p: Points, column: Float64Array) => {
      const first = Math.max(0, nearest(p.times, from));
      return column.subarray(first, nearest(p.times, to) + 1);
    };
    const band = extent(...[points, forecast].flatMap((p) => [slice(p, p.lower), slice(p, p.upper)]));
    const { range } = valueRange(extent(slice(points, points.y)), band);
    // The values keep clear of the lane below them: their scale reaches further down than its numbers.
    const share = this.laneShare();
    return [range[0] - ((range[1] - range[0]) * share) / (1 - share), range[1]];
  }

  /** The share of the plot's height that the lane of scores takes. */
  private laneShare(): number {
    const { score, timeAxis } = this.options;
    return score ? SCORE_HEIGHT / (this.height() - PADDING_TOP - (timeAxis === false ? AXIS_NONE : AXIS_HEIGHT)) : 0;
  }

  private frame(plot: uPlot): Frame {
    const { left, top, width, height } = plot.bbox;
    const ratio = uPlot.pxRatio;
    return {
      ctx: plot.ctx,
      left,
      top,
      width,
      // The lane of scores lies in the same plot, below the values.
      height: this.options.score ? height - SCORE_HEIGHT * ratio : height,
      ratio,
      x: (time) => plot.valToPos(time, "x", true),
      y: (value) => plot.valToPos(value, "y", true),
      from: plot.scales["x"]!.min ?? 0,
      to: plot.scales["x"]!.max ?? 0,
    };
  }

  private described(): uPlot.Options {
    const { options } = this;
    const colour = (token: Parameters<typeof colourOf>[0]) => () => colourOf(token);
    const values = this.values();
    return {
      width: Math.max(80, this.host.clientWidth),
      height: this.height(),
      ms: 1,
      padding: [PADDING_TOP, 8, 0, 0],
      legend: { show: false },
      focus: { alpha: 1 },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        bind: { dblclick: () => () => null },
        ...(options.sync ? { sync: { key: options.sync, scales: ["x", null] } } : {}),
      },
      scales: {
        x: { time: false, auto: false, min: this.range[0], max: this.range[1] },
        y: { auto: false, min: values[0], max: values[1] },
        score: { auto: false, min: 0, max: SCORE_TOP / (this.laneShare() || 1) },
      },
      bands: [{ series: [2, 1], fill: colour("band") }],
      axes: [this.timeAxis(), this.valueAxis(values)],
      series: [
        {},
        { scale: "y", stroke: colour("band-edge"), width: 1, points: { show: false } },
        { scale: "y", stroke: colour("band-edge"), width: 1, points: { show: false } },
        { scale: "y", stroke: colour("expected"), width: 1.25, dash: [4, 3], points: { show: false } },
        { scale: "y", stroke: colour("ink"), width: 1.5, points: { show: false } },
        { scale: "y", stroke: colour("out"), width: 2.25, points: { show: false } },
        { scale: "score", stroke: colour("cell-near"), fill: colour("cell-calm"), width: 1, show: options.score ?? false, points: { show: false } },
      ],
      hooks: {
        drawClear: [(plot) => this.drawBehind(plot)],
        draw: [(plot) => this.drawAbove(plot)],
        setCursor: [(plot) => this.moved(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  private timeAxis(): uPlot.Axis {
    const shown = this.options.timeAxis !== false;
    return {
      show: true,
      size: shown ? AXIS_HEIGHT : AXIS_NONE,
      stroke: () => colourOf("ink-3"),
      font: axisFont(),
      grid: { show: false },
      ticks: { show: shown, stroke: () => colourOf("line-strong"), size: 4, width: 1 },
      gap: 4,
      splits: (plot) => timeTicks(plot.scales["x"]!.min!, plot.scales["x"]!.max!, this.options.zone, Math.max(2, plot.bbox.width / uPlot.pxRatio / 110)).map((t) => t.time),
      values: (plot, splits) => {
        const named = new Map(timeTicks(plot.scales["x"]!.min!, plot.scales["x"]!.max!, this.options.zone, Math.max(2, plot.bbox.width / uPlot.pxRatio / 110)).map((t) => [t.time, t.text]));
        return shown ? splits.map((time) => named.get(time) ?? "") : splits.map(() => "");
      },
    };
  }

  private valueAxis(initial: Range): uPlot.Axis {
    const shown = (plot: uPlot): Range => [plot.posToVal(plot.bbox.height / uPlot.pxRatio - (this.options.score ? SCORE_HEIGHT : 0), "y"), plot.scales["y"]!.max ?? initial[1]];
    return {
      scale: "y",
      size: this.options.gutter ?? 48,
      stroke: () => colourOf("ink-3"),
      font: axisFont(),
      gap: 6,
      grid: { stroke: () => colourOf("line"), width: 1 },
      ticks: { show: false },
      splits: (plot) => ticks(shown(plot), 4),
      values: (plot, splits) => {
        const { factor, sign } = scaleOf(this.picture.metric, Math.max(...shown(plot).map(Math.abs)));
        // The unit stands once, at the topmost tick.
        return splits.map((value, i) => (i === splits.length - 1 ? withUnit(number(value * factor), sign) : number(value * factor)));
      },
    };
  }

  private drawBehind(plot: uPlot): void {
    const frame = this.frame(plot);
    const colours = palette();
    within(frame, () => {
      const { times } = this.picture.points;
      // What is open is open up to where data end, not into the future.
      drawAlerts(frame, this.picture.alerts ?? [], times[times.length - 1] ?? frame.to, colours);
      drawWindows(frame, this.picture.windows ?? [], colours);
    });
  }

  private drawAbove(plot: uPlot): void {
    const frame = this.frame(plot);
    const colours = palette();
    const { points, forecast, flags } = this.picture;
    within(frame, () => {
      if (forecast) drawForecast(frame, forecast, colours);
      drawGaps(frame, points, this.step, colours);
      drawDots(frame, points, this.runs, colours);
    });
    if (flags) drawFlags(frame, flags, colours, font());
    if (this.options.score) this.drawScore(plot, frame);
  }

  private drawScore(plot: uPlot, frame: Frame): void {
    const { ctx } = frame;
    const colours = palette();
    const y = (score: number) => plot.valToPos(Math.min(score, SCORE_TOP), "score", true);
    const base = y(0);
    const { points } = this.picture;
    ctx.save();
    ctx.fillStyle = colours.out;
    const first = Math.max(0, nearest(points.times, frame.from) - 1);
    for (let i = first; i < points.times.length && points.times[i]! <= frame.to; i++) {
      const score = points.score[i]!;
      if (!(score > 1)) continue;
      const x = frame.x(points.times[i]!);
      const width = Math.max(frame.ratio, frame.x(points.times[i]! + this.step) - x);
      ctx.fillRect(x - width / 2, y(score), width, base - y(score));
    }
    ctx.strokeStyle = colours["ink-2"];
    ctx.lineWidth = frame.ratio;
    ctx.setLineDash([3 * frame.ratio, 3 * frame.ratio]);
    ctx.beginPath();
    ctx.moveTo(frame.left, y(1));
    ctx.lineTo(frame.left + frame.width, y(1));
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = font();
    ctx.fillStyle = colours["ink-3"];
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    ctx.fillText("1", frame.left - 6 * frame.ratio, y(1));
    ctx.restore();
  }

  private moved(plot: uPlot): void {
    const { left } = plot.cursor;
    const found = left === undefined || left === null || left < 0 ? -1 : nearest(this.picture.points.times, plot.posToVal(left, "x"));
    if (found !== this.index) {
      this.index = found;
      this.options.onPoint?.(found);
    }
  }

  private selected(plot: uPlot): void {
    if (this.settling || plot.select.width < 4) return;
    const from = plot.posToVal(plot.select.left, "x");
    const to = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.options.onRange?.(from, to);
  }
}

function colourOf(token: keyof ReturnType<typeof palette>): string {
  return palette()[token];
}

/** uPlot makes its own fonts larger on fine screens; what is drawn beside it has to. */
function axisFont(): string {
  return `11px ${getComputedStyle(document.body).fontFamily}`;
}

function font(): string {
  return `${11 * uPlot.pxRatio}px ${getComputedStyle(document.body).fontFamily}`;
}
