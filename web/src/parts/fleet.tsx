// The fleet strip: ten hot series in ten thousand are found without searching, by eye, by arrow key or in a table.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Fleet } from "../api/types";
import { at, drawFleet, layout, place } from "../chart/fleet";
import { count, number } from "../chart/format";
import { onRepaint } from "../chart/palette";
import { clock } from "../chart/time";
import { words } from "../words";

interface Props {
  fleet: Fleet;
  zone: string;
  /** Name of the series at a place; null while it is not known. */
  nameOf: (index: number) => string | null;
  open: (index: number) => void;
}

/** Indices of series outside their band, hottest first. */
export function hotCells(scores: readonly (number | null)[]): number[] {
  return scores.flatMap((score, i) => (score !== null && score > 1 ? [i] : [])).sort((a, b) => scores[b]! - scores[a]!);
}

export function FleetStrip({ fleet, zone, nameOf, open }: Props): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [focus, setFocus] = useState(-1);
  const [table, setTable] = useState(false);
  const [paints, setPaints] = useState(0);
  const outside = useMemo(() => outsideOf(fleet), [fleet]);
  const least = fleet.groups.map((g, k) => 7 * (g.name.length + (outside[k] ? String(outside[k]).length + 1 : 0)));
  const placed = useMemo(() => layout(fleet.groups, width, least), [fleet.groups, width, least.join()]);
  const hot = useMemo(() => hotCells(fleet.scores), [fleet]);
  useEffect(() => onRepaint(() => setPaints((n) => n + 1)), []);
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(host.current?.clientWidth ?? 0));
    if (host.current) observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width) drawFleet(canvas.current, placed, fleet.scores, fleet.states);
  }, [placed, fleet, paints, width]);
  const step = (by: number): void => {
    if (hot.length === 0) return;
    const here = hot.indexOf(focus);
    setFocus(hot[(here + by + hot.length) % hot.length]!);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "ArrowRight" || event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") step(-1);
    else if (event.key === "Enter" && focus >= 0) open(focus);
    else if (event.key === "t") setTable(!table);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const spoken = useMemo(
    () => words.fleetSpoken(fleet.scores.length, hot.length, fleet.groups.flatMap((g, k) => (outside[k] ? [`${g.name} ${outside[k]}`] : [])).join(", ")),
    [fleet, hot, outside],
  );
  const history = useMemo(() => <Histogram fleet={fleet} zone={zone} />, [fleet, zone]);
  // The ring is no part of the canvas: as it moves over ten thousand cells none is drawn anew.
  const spot = focus >= 0 ? place(placed, focus) : null;
  const named = focus >= 0 ? `${nameOf(focus) ?? ""} ${number(fleet.scores[focus])}` : "";
  return (
    <div class="fleet" ref={host}>
      <div class="fleet-names" aria-hidden="true">
        {placed.groups.map((g, k) => (
          <span key={g.name} style={{ transform: `translate(${g.left}px, ${g.top}px)` }}>
            {g.name} {outside[k] ? <b class="out">{outside[k]}</b> : null}
          </span>
        ))}
      </div>
      <canvas
        ref={canvas}
        style={{ width: `${placed.width}px`, height: `${placed.height}px` }}
        tabIndex={0}
        role="img"
        aria-label={named ? `${spoken} ${named}` : spoken}
        onKeyDown={onKey}
        onPointerMove={(event) => setFocus(at(placed, event.offsetX, event.offsetY))}
        onPointerLeave={() => setFocus(-1)}
        onClick={(event) => {
          const index = at(placed, event.offsetX, event.offsetY);
          if (index >= 0) open(index);
        }}
      />
      {spot && <i class="fleet-ring" aria-hidden="true" style={{ transform: `translate(${spot.x - 5}px, ${spot.y - 5}px)` }} />}
      <p class="fleet-readout second" aria-live="polite">
        {named}
      </p>
      {table && (
        <table class="table">
          <caption class="spoken">{words.outsideBand}</caption>
          <tbody>
            {hot.slice(0, 200).map((i) => (
              <tr key={i}>
                <td>
                  <button type="button" class="link" onClick={() => open(i)}>
                    {nameOf(i) ?? count(i)}
                  </button>
                </td>
                <td class="number out">{number(fleet.scores[i])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {history}
    </div>
  );
}

/** How many of each group are outside, in one walk. */
export function outsideOf({ groups, scores }: Pick<Fleet, "groups" | "scores">): number[] {
  let first = 0;
  return groups.map(({ count: n }) => {
    let found = 0;
    for (let i = first; i < first + n; i++) if ((scores[i] ?? 0) > 1) found++;
    first += n;
    return found;
  });
}

function Histogram({ fleet, zone }: { fleet: Fleet; zone: string }): JSX.Element | null {
  const bars = fleet.history;
  if (bars.length === 0) return null;
  const most = Math.max(1, ...bars.map((b) => b.outside));
  const high = most / 2;
  const last = bars[bars.length - 1]!;
  const every = Math.max(1, Math.floor(bars.length / 6));
  return (
    <div class="fleet-history">
      <svg viewBox={`0 0 ${bars.length * 10} 28`} preserveAspectRatio="none" aria-hidden="true">
        {bars.map((b, i) => (
          <rect key={b.start} class={b.outside > high && b.outside > 1 ? "h-hot" : "h-calm"} x={i * 10} width={9} y={28 - (26 * b.outside) / most - 2} height={(26 * b.outside) / most + 2} />
        ))}
      </svg>
      <p class="third">
        {bars
          .filter((_, i) => i % every === 0)
          .map((b) => (
            <span key={b.start}>{clock(Date.parse(b.start), zone)}</span>
          ))}
        <span>{words.outsideNow(last.outside)}</span>
      </p>
    </div>
  );
}
