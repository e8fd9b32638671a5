// A chart in a page: draws a series, follows pointer, wheel, keyboard and theme.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { BandChart, type ChartOptions, type Picture } from "../chart/band_chart";
import { nearest } from "../chart/points";
import type { Range } from "../chart/scale";
import { zone } from "../frame";

/** Charts of one page that are moved together. */
export type Group = Set<BandChart>;

/** What keys do to a chart, also while it has no focus; whether the key was one of its own. */
export type Press = (key: string, shift?: boolean) => boolean;

interface Props extends Omit<ChartOptions, "zone"> {
  picture: Picture;
  range: Range;
  /** The sentence that is spoken: value, expected, since when. */
  spoken: string;
  /** Words for a picture of it, the strongest first. */
  named?: readonly string[];
  /** Charts that move with it while somebody drags. */
  group?: Group;
  /** Gets what keys do. */
  press?: { current: Press | null };
  /** Somebody asked for one step back in zoom. */
  onBack?: () => void;
}

const WHEEL = 0.0015;
const SETTLE_MS = 150;

export function Chart({ picture, range, spoken, named, group, press, onBack, ...options }: Props): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<BandChart | null>(null);
  const live = useRef({ picture, range, options, onBack, group });
  live.current = { picture, range, options, onBack, group };
  useEffect(() => {
    const drawn = new BandChart(host.current!, picture, range, {
      ...options,
      zone,
      onPoint: (index) => live.current.options.onPoint?.(index),
      onRange: (from, to) => live.current.options.onRange?.(from, to),
    });
    chart.current = drawn;
    group?.add(drawn);
    return () => {
      group?.delete(drawn);
      drawn.destroy();
    };
  }, [options.height, options.score, options.sync, options.timeAxis, options.gutter]);
  useEffect(() => chart.current?.set(picture), [picture]);
  useEffect(() => chart.current?.view(range), [range[0], range[1]]);
  useEffect(() => moved(host.current!, () => ({ ...live.current, charts: live.current.group ?? [chart.current!] })), []);
  const act: Press = (key, shift = false) => pressed(key, shift, chart.current, live.current);
  if (press) press.current = act;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || !act(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return <div class="chart" ref={host} tabIndex={0} role="img" aria-label={spoken} data-words={(named ?? []).join("\n")} onKeyDown={onKeyDown} onDblClick={() => onBack?.()} />;
}

interface Seen {
  picture: Picture;
  range: Range;
  options: Pick<ChartOptions, "onRange">;
  onBack?: (() => void) | undefined;
}

function pressed(key: string, shift: boolean, chart: BandChart | null, { picture, range: [from, to], options, onBack }: Seen): boolean {
  const { times, score } = picture.points;
  const here = chart && chart.index >= 0 ? chart.index : nearest(times, to);
  const middle = chart && chart.index >= 0 ? times[here]! : (from + to) / 2;
  const zoom = (factor: number): void => options.onRange?.(middle - (middle - from) * factor, middle + (to - middle) * factor);
  let next = -1;
  if (key === "+" || key === "=") zoom(0.5);
  else if (key === "-" || key === "−") zoom(2);
  else if (key === "PageUp" || key === "PageDown") {
    const by = (key === "PageUp" ? -0.5 : 0.5) * (to - from);
    options.onRange?.(from + by, to + by);
  } else if (key === "Backspace") onBack?.();
  else if (key === "Home") next = 0;
  else if (key === "End") next = times.length - 1;
  else if (key === "ArrowLeft") next = here - (shift ? 10 : 1);
  else if (key === "ArrowRight") next = here + (shift ? 10 : 1);
  else if (key === "[" || key === "]") {
    const way = key === "[" ? -1 : 1;
    for (next = here + way; next >= 0 && next < times.length && !(score[next]! > 1); ) next += way;
  } else return false;
  if (next < 0 || next >= times.length) return true;
  const time = times[next]!;
  if (time < from || time > to) options.onRange?.(time - (to - from) / 2, time + (to - from) / 2);
  requestAnimationFrame(() => chart?.point(next));
  return true;
}

/** Pan by Shift and drag, or by the wheel sideways; zoom by the wheel with Ctrl or ⌘. Drawn at once, told when it rests. */
function moved(host: HTMLElement, seen: () => Seen & { charts: Iterable<BandChart> }): () => void {
  let range: Range | null = null;
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = (next: Range): void => {
    range = next;
    // However many events come, one drawing a frame.
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (range) for (const chart of seen().charts) chart.pan(range);
    });
  };
  const rest = (): void => {
    clearTimeout(timer);
    if (range) seen().options.onRange?.(range[0], range[1]);
    range = null;
  };
  const wheel = (event: WheelEvent): void => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const zooms = event.ctrlKey || event.metaKey;
    // Without a key the wheel scrolls the page, as everywhere.
    if (!zooms && !sideways) return;
    event.preventDefault();
    const [from, to] = range ?? seen().range;
    const { left, width } = host.querySelector(".u-over")!.getBoundingClientRect();
    if (zooms) {
      const at = from + ((event.clientX - left) / width) * (to - from);
      const factor = Math.exp(event.deltaY * WHEEL);
      show([at - (at - from) * factor, at + (to - at) * factor]);
    } else {
      const by = (event.deltaX / width) * (to - from);
      show([from + by, to + by]);
    }
    clearTimeout(timer);
    timer = setTimeout(rest, SETTLE_MS);
  };
  const down = (event: MouseEvent): void => {
    if (!event.shiftKey || event.button !== 0) return;
    // Before uPlot sees it, which would begin a selection.
    event.stopPropagation();
    event.preventDefault();
    const [from, to] = seen().range;
    const { width } = host.querySelector(".u-over")!.getBoundingClientRect();
    const follow = (move: MouseEvent): void => {
      const by = ((move.clientX - event.clientX) / width) * (to - from);
      show([from - by, to - by]);
    };
    const end = (): void => {
      removeEventListener("mousemove", follow);
      rest();
    };
    addEventListener("mousemove", follow);
    addEventListener("mouseup", end, { once: true });
  };
  host.addEventListener("wheel", wheel, { passive: false });
  host.addEventListener("mousedown", down, { capture: true });
  return () => {
    host.removeEventListener("wheel", wheel);
    host.removeEventListener("mousedown", down, { capture: true });
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  };
}
