// Marks of risk: a state is a shape and a fill, never colour alone.

import type { JSX } from "preact";
import type { State } from "../api/types/risk";

/** Name of a state within a class. */
export function stateClass(state: State): string {
  return `state-${state.toLowerCase().replace(" ", "-")}`;
}

/** The square beside a state's name. */
export function StateMark({ state }: { state: State }): JSX.Element {
  return (
    <svg class={`state-mark ${stateClass(state)}`} width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <rect x=".75" y=".75" width="12.5" height="12.5" rx="2" />
    </svg>
  );
}

/** Stripes that the fill of High Load is made of; once on a page. */
export function RiskPatterns(): JSX.Element {
  return (
    <svg class="patterns" width="0" height="0" aria-hidden="true">
      <defs>
        <pattern id="risk-stripes" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="stripe-ground" width="5" height="5" />
          <line class="stripe" x1="0" y1="0" x2="0" y2="5" />
        </pattern>
      </defs>
    </svg>
  );
}
