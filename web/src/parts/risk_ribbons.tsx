// Risk over time: how many are in High Load or Critical, and below a ribbon for each of the worst.

import type { JSX } from "preact";
import type { RiskRibbon, RiskShown, State } from "../api/types/risk";
import { count } from "../chart/format";
import { ticks } from "../chart/scale";
import { timeTicks } from "../chart/time";
import { zone } from "../frame";
import { riskWords } from "../words/risk";
import { useWidth } from "./width";
import { stateClass } from "./risk_marks";

const HEIGHT: Record<State, number> = { Idle: 6, Normal: 10, "High Load": 14, Critical: 16, Unknown: 0 };
const ROW = 25;
const TOP = 14;
const AREA = 56;
const FIRST = TOP + AREA + 24;

/** Both parts on one time axis. */
export function RiskOverTime({ shown, period }: { shown: RiskShown; period: string }): JSX.Element {
  const [host, width] = useWidth();
  const narrow = width < 560;
  const left = narrow ? 96 : 140;
  const [from, to] = [Date.parse(shown.from), Date.parse(shown.time)];
  const right = Math.max(left + 40, width - 4);
  const x = (time: number): number => left + ((time - from) / (to - from)) * (right - left);
  const height = FIRST + ROW * shown.ribbons.length + 20;
  const last = shown.over_time.high.length - 1;
  const label = riskWords.overLabel(
    shown.over_time.high[last] ?? 0,
    shown.over_time.critical[last] ?? 0,
    period,
    shown.ribbons.map((ribbon) => `${ribbon.entity}: ${ribbon.state}`),
  );
  return (
    <div class="risk-time" ref={host}>
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
          <Counts shown={shown} x={x} left={left} right={right} narrow={narrow} />
          {shown.ribbons.map((ribbon, k) => (
            <Ribbon key={ribbon.entity} ribbon={ribbon} x={x} middle={FIRST + ROW * k + 8} letters={narrow ? 13 : 20} />
          ))}
          <line class="axis" x1={left} x2={right} y1={height - 18} y2={height - 18} />
          {timeTicks(from, to, zone, narrow ? 4 : 8)
            .filter((tick) => x(tick.time) > left + 16 && x(tick.time) < right - 20)
            .map((tick) => (
              <text key={tick.time} class={tick.major ? "tick major" : "tick"} x={x(tick.time)} y={height - 4} text-anchor="middle">
                {tick.text}
              </text>
            ))}
        </svg>
      )}
    </div>
  );
}

interface Placed {
  shown: RiskShown;
  x: (time: number) => number;
  left: number;
  right: number;
  narrow: boolean;
}

function Counts({ shown, x, left, right, narrow }: Placed): JSX.Element {
  const { times_ms: times, high, critical } = shown.over_time;
  const sums = high.map((n, k) => n + critical[k]!);
  const most = Math.max(4, ...sums);
  const y = (n: number): number => TOP + AREA - (n / most) * AREA;
  const area = (values: readonly number[]): string =>
    `M${left} ${y(0)}${values.map((n, k) => `L${x(times[k]!).toFixed(1)} ${y(n).toFixed(1)}`).join("")}L${right} ${y(0)}Z`;
  return (
    <g>
      {ticks([0, most], 2).map((n) => (
        <g key={n}>
          <line class="grid" x1={left} x2={right} y1={y(n)} y2={y(n)} />
          <text class="tick" x={left - 8} y={y(n) + 4} text-anchor="end">
            {count(n)}
          </text>
        </g>
      ))}
      <path class="area state-high-load" d={area(sums)} />
      {critical.some((n) => n > 0) && <path class="area state-critical" d={area(critical)} />}
      {!narrow &&
        riskWords.inLoad.map((word, k) => (
          <text key={word} class="tick" x={0} y={TOP + 10 + 14 * k}>
            {word}
          </text>
        ))}
    </g>
  );
}

function Ribbon({ ribbon, x, middle, letters }: { ribbon: RiskRibbon; x: (time: number) => number; middle: number; letters: number }): JSX.Element {
  const name = ribbon.entity.length > letters ? `${ribbon.entity.slice(0, letters - 1)}…` : ribbon.entity;
  return (
    <g>
      <text class={ribbon.state === "Critical" ? "name worst" : "name"} x={0} y={middle + 4}>
        {name}
        <title>{ribbon.entity}</title>
      </text>
      {ribbon.spans.map(([start, end, state]) => {
        const tall = HEIGHT[state];
        return (
          <rect
            key={start}
            class={stateClass(state)}
            x={(x(start) + 0.5).toFixed(1)}
            y={middle - tall / 2}
            width={Math.max(1.5, x(end) - x(start) - 1).toFixed(1)}
            height={tall}
            rx="1.5"
          />
        );
      })}
    </g>
  );
}
