// A chart in a page: draws a series, follows the pointer, the keyboard and the theme; `t` shows it as a table.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { BandChart, type ChartOptions, type Picture } from "../chart/band_chart";
import { nearest } from "../chart/points";
import type { Range } from "../chart/scale";
import { zone } from "../frame";

interface Props extends Omit<ChartOptions, "zone"> {
  picture: Picture;
  range: Range;
  /** The sentence that is spoken: value, expected, since when. */
  spoken: string;
  /** Draw again without the range of values moving: while somebody drags. */
  dragging?: boolean;
  /** Somebody asked for one step back in zoom. */
  onBack?: () => void;
}

const WHEEL = 0.0015;

export function Chart({ picture, range, spoken, dragging, onBack, ...options }: Props): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<BandChart | null>(null);
  const live = useRef({ picture, range, options, onBack });
  live.current = { picture, range, options, onBack };
  useEffect(() => {
    const drawn = new BandChart(host.current!, picture, range, {
      ...options,
      zone,
      onPoint: (index) => live.current.options.onPoint?.(index),
      onRange: (from, to) => live.current.options.onRange?.(from, to),
    });
    chart.current = drawn;
    return () => drawn.destroy();
  }, [options.height, options.score, options.sync, options.timeAxis, options.gutter]);
  useEffect(() => chart.current?.set(picture), [picture]);
  useEffect(() => {
    if (dragging) chart.current?.pan(range);
    else chart.current?.view(range);
  }, [range[0], range[1], dragging]);
  useEffect(() => {
    const el = host.current!;
    const wheel = (event: WheelEvent): void => {
      // Without a key the wheel scrolls the page, as everywhere.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const [from, to] = live.current.range;
      const { left, width } = el.querySelector(".u-over")!.getBoundingClientRect();
      const at = from + ((event.clientX - left) / width) * (to - from);
      const factor = Math.exp(event.deltaY * WHEEL);
      live.current.options.onRange?.(at - (at - from) * factor, at + (to - at) * factor);
    };
    el.addEventListener("wheel", wheel, { passive: false });
    return () => el.removeEventListener("wheel", wheel);
  }, []);
  const step = (event: KeyboardEvent): void => {
    const { picture: shown, options: own, range: seen } = live.current;
    const { times, score } = shown.points;
    const here = chart.current?.index ?? -1;
    const from = here >= 0 ? here : nearest(times, seen[1]);
    const by = event.shiftKey ? 10 : 1;
    let to = -1;
    if (event.key === "ArrowLeft") to = from - by;
    else if (event.key === "ArrowRight") to = from + by;
    else if (event.key === "[" || event.key === "]") {
      const way = event.key === "[" ? -1 : 1;
      for (to = from + way; to >= 0 && to < times.length && !(score[to]! > 1); ) to += way;
    } else if (event.key === "+" || event.key === "-" || event.key === "−") {
      const middle = times[from] ?? (seen[0] + seen[1]) / 2;
      const factor = event.key === "+" ? 0.5 : 2;
      own.onRange?.(middle - (middle - seen[0]) * factor, middle + (seen[1] - middle) * factor);
      event.preventDefault();
      return;
    } else if (event.key === "Backspace") {
      live.current.onBack?.();
      event.preventDefault();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
    if (to < 0 || to >= times.length) return;
    if (times[to]! < seen[0] || times[to]! > seen[1]) {
      const half = (seen[1] - seen[0]) / 2;
      own.onRange?.(times[to]! - half, times[to]! + half);
    }
    requestAnimationFrame(() => chart.current?.point(to));
  };
  return <div class="chart" ref={host} tabIndex={0} role="img" aria-label={spoken} onKeyDown={step} onDblClick={() => onBack?.()} />;
}
