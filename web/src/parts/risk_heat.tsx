// What makes a state: deviations of each feature as numbers on a tone, warm from +2.

import type { JSX } from "preact";
import type { RiskShown } from "../api/types/risk";
import { riskWords } from "../words/risk";
import { StateMark } from "./risk_marks";

const WARM = 2;
const TONES = 6;

/** The tone of a cell: `warm-3`, `tone-0`. */
export function toneOf(value: number): string {
  const size = Math.abs(value);
  if (value >= WARM) return `warm-${Math.min(TONES - 1, Math.floor(size) - WARM)}`;
  return `tone-${Math.min(TONES - 1, Math.floor(2 * size))}`;
}

export function RiskHeat({ of }: { of: RiskShown["heat"] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={riskWords.makes}>
      <table class="heat">
        <thead>
          <tr>
            <td />
            {of.features.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.rows.map((row) => (
            <tr key={row.state}>
              <th scope="row">
                <StateMark state={row.state} /> {row.state}
              </th>
              {row.values.every((v) => v === null) ? (
                <td class="none" colSpan={of.features.length}>
                  {riskWords.noRow}
                </td>
              ) : (
                row.values.map((value, k) => (
                  <td key={of.features[k]} class={value === null ? "none" : toneOf(value)}>
                    {value === null ? "–" : riskWords.signed(value)}
                  </td>
                ))
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
