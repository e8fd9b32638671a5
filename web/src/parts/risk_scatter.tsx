// Where each entity stands on the two main components: ring, dot, triangle, diamond.

import type { JSX } from "preact";
import type { RiskShown } from "../api/types/risk";
import { number } from "../chart/format";
import { extent, type Range, ticks } from "../chart/scale";
import { riskWords } from "../words/risk";
import { stateClass } from "./risk_marks";
import { useWidth } from "./width";

const HEIGHT = 392;
const [LEFT, TOP, BOTTOM] = [34, 26, 40];
const NAMED = 6;

function padded(found: Range | null): Range {
  if (!found) return [-1, 1];
  const air = Math.max(0.5, 0.1 * (found[1] - found[0]));
  return [found[0] - air, found[1] + air];
}

type Point = RiskShown["scatter"]["points"][number];

export function RiskScatter({ of }: { of: RiskShown["scatter"] }): JSX.Element {
  const [host, width] = useWidth();
  const right = Math.max(LEFT + 40, width - 10);
  const bottom = HEIGHT - BOTTOM;
  const across = padded(extent(of.points.map((p) => p.x)));
  const up = padded(extent(of.points.map((p) => p.y)));
  const x = (v: number): number => LEFT + ((v - across[0]) / (across[1] - across[0])) * (right - LEFT);
  const y = (v: number): number => bottom - ((v - up[0]) / (up[1] - up[0])) * (bottom - TOP);
  const critical = of.points.filter((p) => p.state === "Critical");
  const [first, second] = of.axes;
  // Drawn last, so that nothing covers them.
  const points = [...of.points].reverse();
  return (
    <div class="risk-scatter" ref={host}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={riskWords.standsLabel(of.points.length, critical.slice(0, NAMED).map((p) => p.entity))}>
          {ticks(up, 4).map((v) => (
            <g key={v}>
              <line class="grid" x1={LEFT} x2={right} y1={y(v)} y2={y(v)} />
              <text class="tick" x={LEFT - 6} y={y(v) + 4} text-anchor="end">
                {number(v)}
              </text>
            </g>
          ))}
          {ticks(across, 7).map((v) => (
            <text key={v} class="tick" x={x(v)} y={bottom + 16} text-anchor="middle">
              {number(v)}
            </text>
          ))}
          {second && (
            <text class="tick" x={LEFT} y={14}>
              {riskWords.component(2, second.word, second.share)}
            </text>
          )}
          {first && (
            <text class="tick" x={right} y={HEIGHT - 6} text-anchor="end">
              {riskWords.component(1, first.word, first.share)}
            </text>
          )}
          {points.map((point) => (
            <Dot key={point.entity} point={point} x={x(point.x)} y={y(point.y)} />
          ))}
          {critical.slice(0, NAMED).map((point) => (
            <text key={point.entity} class="name worst" x={x(point.x) - 10} y={y(point.y) + 4} text-anchor="end">
              {point.entity}
            </text>
          ))}
        </svg>
      )}
    </div>
  );
}

function Dot({ point, x, y }: { point: Point; x: number; y: number }): JSX.Element {
  const title = <title>{`${point.entity}: ${point.state}`}</title>;
  const name = `dot ${stateClass(point.state)}`;
  if (point.state === "Critical")
    return (
      <path class={name} d={`M${x} ${y - 6.5}L${x + 6.5} ${y}L${x} ${y + 6.5}L${x - 6.5} ${y}Z`}>
        {title}
      </path>
    );
  if (point.state === "High Load")
    return (
      <path class={name} d={`M${x} ${y - 4.5}L${x + 4.6} ${y + 3.6}L${x - 4.6} ${y + 3.6}Z`}>
        {title}
      </path>
    );
  return (
    <circle class={name} cx={x} cy={y} r={point.state === "Idle" ? 3.4 : 3}>
      {title}
    </circle>
  );
}
