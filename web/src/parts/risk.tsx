// Entities by risk state, as bars on one scale.

import type { JSX } from "preact";
import type { Risk } from "../api/types";
import { count, MINUS } from "../chart/format";

export function RiskBars({ rows }: { rows: readonly { state: Risk; entities: number; change: number }[] }): JSX.Element {
  const most = Math.max(1, ...rows.map((row) => row.entities));
  return (
    <ul class="risk">
      {rows.map((row) => (
        <li key={row.state}>
          <span>{row.state}</span>
          <i class={`bar risk-${row.state.toLowerCase().replace(" ", "-")}`} aria-hidden="true">
            <i style={{ width: `${(100 * row.entities) / most}%` }} />
          </i>
          <b class="number">{count(row.entities)}</b>
          <span class="number third">{row.change > 0 ? `+${row.change}` : row.change < 0 ? `${MINUS}${-row.change}` : "0"}</span>
        </li>
      ))}
    </ul>
  );
}
