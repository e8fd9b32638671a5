// Which features made an alert strange, with their shares of its score.

import type { JSX } from "preact";
import type { Alert } from "../api/types";
import { featureWords } from "../words/features";
import { Card } from "./card";

const WIDTH = 100;

/** A line a feature: its name, its share as a bar and as a number; nothing where the alert says none. */
export function Strange({ alert }: { alert: Alert }): JSX.Element | null {
  const features = alert.features ?? [];
  if (!features.length) return null;
  return (
    <ul class="strange" aria-label={featureWords.title}>
      {features.map(({ name, share }) => (
        <li key={name}>
          <span class="name">{name}</span>
          <svg viewBox={`0 0 ${WIDTH} 6`} preserveAspectRatio="none" aria-hidden="true">
            <rect class="whole" width={WIDTH} height={6} />
            <rect class="share" width={WIDTH * Math.min(1, Math.max(0, share))} height={6} />
          </svg>
          <span class="number">{featureWords.share(share)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The same as a card. */
export function StrangeCard({ alert }: { alert: Alert }): JSX.Element | null {
  if (!alert.features?.length) return null;
  return (
    <Card class="strange-card" title={featureWords.title} aside={featureWords.aside}>
      <Strange alert={alert} />
    </Card>
  );
}
