// A series with its band, zoomable, on a canvas; below it the score on the same axis of time.
//
// uPlot gives axes, crosshair and selection. What is between them is drawn by layers, of which a page may add its own.

import uPlot from "uplot";
import { number, scaleOf, withUnit } from "./format";
import { drawLayers, type Frame, type Layer, ordered } from "./layer";
import { seriesLayers } from "./layers/series";
import { onRepaint, palette } from "./palette";
import { nearest, type Points } from "./points";
import { Prepared } from "./prepared";
import { type Range, ticks, valueRange } from "./scale";
import { type Tick, timeTicks } from "./time";

/** What a chart shows. */
export interface Picture {
  metric: string;
  points: Points;
  /** Besides the series itself: alerts, windows, forecast, flags, another series. */
  layers?: readonly Layer[];
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
const TICK_APART = 110;

/** Draws one series; `set` gives it what to show, `view` the range. Call `destroy` when it leaves the page. */
export class BandChart {
  private readonly plot: uPlot;
  private readonly ended: (() => void)[] = [];
  private picture: Picture;
  private prepared: Prepared;
  private layers: Layer[] = [];
  private range: Range;
  private settling = false;
  private ticked: { key: string; ticks: Tick[] } = { key: "", ticks: [] };
  private font: string;
  /** The point under the crosshair. */
  index = -1;

  constructor(
    private readonly host: HTMLElement,
    picture: Picture,
    range: Range,
    private readonly options: ChartOptions,
  ) {
    this.picture = picture;
    this.prepared = new Prepared(picture.points);
    this.layers = this.layered();
    this.range = range;
    this.font = getComputedStyle(document.body).fontFamily;
    // uPlot draws no series: two points that nobody sees keep its scales alive.
    this.plot = new uPlot(this.described(), [[0, 1], [null, null]], host);
    const resize = new ResizeObserver(() => this.plot.setSize({ width: host.clientWidth, height: this.height() }));
    resize.observe(host);
    this.ended.push(() => resize.disconnect(), onRepaint(() => this.plot.redraw(false, true)));
  }

  /** Show something else; the range stays. */
  set(picture: Picture): void {
    if (picture.points !== this.picture.points) this.prepared = new Prepared(picture.points);
    this.picture = picture;
    this.layers = this.layered();
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
        // What is drawn may have changed though no scale did.
        this.plot.redraw(false, false);
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

  /** What is drawn now, for a picture to hand over. */
  get canvas(): HTMLCanvasElement {
    return this.plot.ctx.canvas;
  }

  destroy(): void {
    for (const end of this.ended) end();
    this.plot.destroy();
  }

  private layered(): Layer[] {
    return ordered([...seriesLayers(this.prepared), ...(this.picture.layers ?? [])]);
  }

  private settle(change: () => void): void {
    this.settling = true;
    change();
    this.settling = false;
  }

  private height(): number {
    return this.options.height + (this.options.score ? SCORE_HEIGHT : 0);
  }

  private values(): [number, number] {
    const [from, to] = this.range;
    const band = this.layers.flatMap((layer) => layer.extent?.(from, to) ?? []);
    const { range } = valueRange(
      this.prepared.extent(["y", "lowest", "highest"], from, to),
      band.length ? [Math.min(...band), Math.max(...band)] : null,
    );
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
    const { times } = this.picture.points;
    const [from, to] = [plot.scales["x"]!.min ?? 0, plot.scales["x"]!.max ?? 1];
    const [low, high] = [plot.scales["y"]!.min ?? 0, plot.scales["y"]!.max ?? 1];
    const [wide, tall] = [width / (to - from), height / (high - low)];
    const lane = this.options.score ? SCORE_HEIGHT * ratio : 0;
    return {
      ctx: plot.ctx,
      left,
      top,
      width,
      // The lane of scores lies in the same plot, below the values.
      height: height - lane,
      ratio,
      x: (time) => left + (time - from) * wide,
      y: (value) => top + (high - value) * tall,
      from,
      to,
      now: times[times.length - 1] ?? to,
      lane: lane ? { top: top + height - lane + 6 * ratio, height: lane - 6 * ratio } : null,
      font: `${11 * ratio}px ${this.font}`,
    };
  }

  private draw(plot: uPlot, side: "behind" | "before"): void {
    drawLayers(this.frame(plot), this.layers, palette(), side);
  }

  private described(): uPlot.Options {
    const { options } = this;
    const values = this.values();
    return {
      width: Math.max(80, this.host.clientWidth),
      height: this.height(),
      ms: 1,
      padding: [PADDING_TOP, 16, 0, 0],
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
      },
      axes: [this.timeAxis(), this.valueAxis(values)],
      series: [{}, { scale: "y", show: false }],
      hooks: {
        drawClear: [(plot) => this.draw(plot, "behind")],
        draw: [(plot) => this.draw(plot, "before")],
        setCursor: [(plot) => this.moved(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  /** Ticks of what is in view; asked for several times a frame, found once. */
  private timeTicks(plot: uPlot): Tick[] {
    const [from, to] = [plot.scales["x"]!.min!, plot.scales["x"]!.max!];
    const most = Math.max(2, plot.bbox.width / uPlot.pxRatio / TICK_APART);
    const key = `${from}/${to}/${most}`;
    if (key !== this.ticked.key) this.ticked = { key, ticks: timeTicks(from, to, this.options.zone, most) };
    return this.ticked.ticks;
  }

  private timeAxis(): uPlot.Axis {
    const shown = this.options.timeAxis !== false;
    return {
      show: true,
      size: shown ? AXIS_HEIGHT : AXIS_NONE,
      stroke: () => palette()["ink-3"],
      font: this.axisFont(),
      grid: { show: false },
      ticks: { show: shown, stroke: () => palette()["line-strong"], size: 4, width: 1 },
      gap: 4,
      splits: (plot) => this.timeTicks(plot).map((t) => t.time),
      values: (plot) => this.timeTicks(plot).map((t) => (shown ? t.text : "")),
    };
  }

  private valueAxis(initial: Range): uPlot.Axis {
    const shown = (plot: uPlot): Range => {
      const { min = initial[0], max = initial[1] } = plot.scales["y"]!;
      return [min + (max - min) * this.laneShare(), max];
    };
    return {
      scale: "y",
      size: this.options.gutter ?? 48,
      stroke: () => palette()["ink-3"],
      font: this.axisFont(),
      gap: 6,
      grid: { stroke: () => palette().line, width: 1 },
      ticks: { show: false },
      splits: (plot) => ticks(shown(plot), 4),
      values: (plot, splits) => {
        const { factor, sign } = scaleOf(this.picture.metric, Math.max(...shown(plot).map(Math.abs)));
        // The unit stands once, at the topmost tick.
        return splits.map((value, i) => (i === splits.length - 1 ? withUnit(number(value * factor), sign) : number(value * factor)));
      },
    };
  }

  /** uPlot makes its own fonts larger on fine screens. */
  private axisFont(): string {
    return `11px ${this.font}`;
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
