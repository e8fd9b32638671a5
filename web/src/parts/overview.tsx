// The whole history below a chart, lowest to highest, with a tick per alert and a window with grips.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { thin, type Thinned } from "../chart/density";
import { palette, onRepaint } from "../chart/palette";
import type { Points, Span } from "../chart/points";
import { extent, type Range } from "../chart/scale";
import { timeTicks } from "../chart/time";
import { minute, zone } from "../frame";
import { words } from "../words";

const HEIGHT = 40;
const GRIP = 8;

interface Props {
  points: Points;
  alerts: readonly Span[];
  range: Range;
  onRange: (from: number, to: number) => void;
  /** The window is being dragged: told at most once a frame. */
  onMove?: (range: Range) => void;
}

type Drag = { part: "from" | "to" | "whole"; at: number; range: Range };

export function Overview({ points, alerts, range, onRange, onMove }: Props): JSX.Element | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [paints, setPaints] = useState(0);
  const [moving, setMoving] = useState<Range | null>(null);
  const drag = useRef<Drag | null>(null);
  const frame = useRef(0);
  const wanted = useRef<Range | null>(null);
  const n = points.times.length;
  const first = points.times[0] ?? 0;
  const last = Math.max(points.times[n - 1] ?? 0, Math.min(range[1], minute.value));
  const seen = moving ?? range;
  useEffect(() => onRepaint(() => setPaints((k) => k + 1)), []);
  useEffect(() => {
    const el = canvas.current;
    if (!el) return undefined;
    const observer = new ResizeObserver(() => setWidth(el.clientWidth));
    observer.observe(el);
    return () => observer.disconnect();
  }, [n > 1]);
  useEffect(() => {
    if (canvas.current && width && n > 1) paint(canvas.current, width, points, alerts, [first, last]);
  }, [points, alerts, width, paints, last]);
  if (n < 2) return null;
  const x = (time: number): number => ((Math.min(Math.max(time, first), last) - first) / (last - first || 1)) * 100;
  const timeAt = (event: PointerEvent): number => {
    const box = canvas.current!.getBoundingClientRect();
    return first + ((event.clientX - box.left) / box.width) * (last - first);
  };
  const down = (part: Drag["part"]) => (event: PointerEvent) => {
    drag.current = { part, at: timeAt(event), range: seen };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const move = (event: PointerEvent): void => {
    if (!drag.current) return;
    const by = timeAt(event) - drag.current.at;
    const [from, to] = drag.current.range;
    const { part } = drag.current;
    const next: Range = [part === "to" ? from : Math.min(from + by, to - 60_000), part === "from" ? to : Math.max(to + by, from + 60_000)];
    setMoving(next);
    if (!frame.current) {
      frame.current = requestAnimationFrame(() => {
        frame.current = 0;
        if (wanted.current) onMove?.(wanted.current);
      });
    }
    wanted.current = next;
  };
  const up = (): void => {
    if (drag.current && moving) onRange(moving[0], moving[1]);
    wanted.current = null;
    drag.current = null;
    setMoving(null);
  };
  const nudge = (event: KeyboardEvent): void => {
    const by = (event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0) * (seen[1] - seen[0]) * (event.shiftKey ? 1 : 0.1);
    if (by) {
      event.preventDefault();
      onRange(seen[0] + by, seen[1] + by);
    }
  };
  return (
    <div class="overview">
      <canvas ref={canvas} style={{ height: `${HEIGHT}px` }} aria-hidden="true" />
      <div
        class="window"
        tabIndex={0}
        role="slider"
        aria-label={words.windowLabel}
        aria-valuemin={first}
        aria-valuemax={last}
        aria-valuenow={seen[0]}
        aria-valuetext={`${new Date(seen[0]).toISOString()} / ${new Date(seen[1]).toISOString()}`}
        style={{ left: `${x(seen[0])}%`, width: `${Math.max(x(seen[1]) - x(seen[0]), 0.4)}%` }}
        onPointerDown={down("whole")}
        onPointerMove={move}
        onPointerUp={up}
        onKeyDown={nudge}
      >
        <i class="grip" style={{ left: `${-GRIP / 2}px` }} onPointerDown={(event) => [down("from")(event), event.stopPropagation()]} onPointerMove={move} onPointerUp={up} />
        <i class="grip" style={{ right: `${-GRIP / 2}px` }} onPointerDown={(event) => [down("to")(event), event.stopPropagation()]} onPointerMove={move} onPointerUp={up} />
      </div>
      <p class="third">
        {timeTicks(first, last, zone, 6).map((tick) => (
          <span key={tick.time} style={{ left: `${x(tick.time)}%` }}>
            {tick.text}
          </span>
        ))}
      </p>
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, width: number, points: Points, alerts: readonly Span[], [from, to]: Range): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  const ctx = canvas.getContext("2d");
  const values = extent(points.lowest ?? points.y, points.highest ?? points.y);
  if (!ctx || !values) return;
  ctx.scale(ratio, ratio);
  const colours = palette();
  const x = (time: number): number => ((time - from) / (to - from || 1)) * width;
  const y = (value: number): number => HEIGHT - 2 - ((value - values[0]) / (values[1] - values[0] || 1)) * (HEIGHT - 10);
  ctx.strokeStyle = colours["cell-near"];
  ctx.lineWidth = 1;
  ctx.beginPath();
  // Of roll-ups lowest and highest, one over the other, so that no spike is lost.
  for (const column of points.lowest && points.highest ? [points.highest, points.lowest] : [points.y]) trace(ctx, thin(points.times, column, from, to, width), x, y);
  ctx.stroke();
  ctx.fillStyle = colours.out;
  for (const alert of alerts) ctx.fillRect(x(alert.start) - 1, 0, Math.max(2, x(alert.end ?? to) - x(alert.start)), 4);
}

function trace(ctx: CanvasRenderingContext2D, { times, values }: Thinned, x: (time: number) => number, y: (value: number) => number): void {
  let pen = false;
  for (let i = 0; i < times.length; i++) {
    if (values[i] !== values[i]) pen = false;
    else if (pen) ctx.lineTo(x(times[i]!), y(values[i]!));
    else {
      ctx.moveTo(x(times[i]!), y(values[i]!));
      pen = true;
    }
  }
}
