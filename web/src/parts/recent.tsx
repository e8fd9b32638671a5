// The last points of what is in view as a table: anomalies by wash, edge and word.

import type { JSX } from "preact";
import { quantities, quantity, range as rangeWords, number } from "../chart/format";
import { isOutside, type Points, type Span, usualStep, widthsOff } from "../chart/points";
import { duration, MINUTE, moment, utc } from "../chart/time";
import { minute, zone } from "../frame";
import { words } from "../words";
import { exploreWords } from "../words/explore";
import { Card, Empty } from "./card";

const ROWS = 120;

interface Props {
  metric: string;
  points: Points;
  alerts: readonly Span[];
}

export function Recent({ metric, points, alerts }: Props): JSX.Element {
  const n = points.times.length;
  const indices = Array.from({ length: Math.min(ROWS, n) }, (_, k) => n - 1 - k);
  // Where points are closer than a minute, minutes alone would look the same.
  const seconds = indices.some((i) => points.times[i]! % MINUTE !== 0);
  const { sign } = quantities(metric, indices.map((i) => points.y[i]!));
  const step = usualStep(points.times);
  return (
    <Card class="recent" title={words.recent} aside={n ? <>{exploreWords.recentAside(indices.length, n)}<b>{sign && `${sign}, `}{zone}</b></> : undefined}>
      {n === 0 ? (
        <Empty>{words.noPoints}</Empty>
      ) : (
        <div class="scroll" id="points" tabIndex={0} role="region" aria-label={words.recent}>
          <table class="table">
            <thead>
              <tr>
                {[...words.columns, exploreWords.kind].map((name, k) => (
                  <th key={name} scope="col" class={k && k < 6 ? "number" : ""} {...(k ? {} : { "aria-sort": "descending" as const })}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {indices.map((i) => (
                <Row key={points.times[i]} metric={metric} points={points} i={i} seconds={seconds} note={noteOf(points, i, alerts, step)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

interface RowProps {
  metric: string;
  points: Points;
  i: number;
  seconds: boolean;
  note: string;
}

function Row({ metric, points, i, seconds, note }: RowProps): JSX.Element {
  const off = widthsOff(points.y[i]!, points.lower[i]!, points.upper[i]!);
  const time = points.times[i]!;
  return (
    <tr class={points.score[i]! > 1 || isOutside(points, i) ? "anomaly" : ""}>
      <td title={utc(time)}>{moment(time, zone, minute.value, seconds)}</td>
      <td class="number">
        <b>{points.y[i] === points.y[i] ? quantity(metric, points.y[i]!) : words.missing}</b>
      </td>
      <td class="number">{Number.isFinite(points.yhat[i]!) ? quantity(metric, points.yhat[i]!) : ""}</td>
      <td class="number">{known(points.lower[i]!) === null && known(points.upper[i]!) === null ? words.noBand : rangeWords(metric, known(points.lower[i]!), known(points.upper[i]!))}</td>
      <td class="number">{off ? number(off) : off === 0 ? words.inside : ""}</td>
      <td class="number">{Number.isFinite(points.score[i]!) ? number(points.score[i]!, 2) : words.noOpinion}</td>
      <td class="second">{note}</td>
    </tr>
  );
}

/** What is said of a point besides its numbers. */
export function noteOf(points: Points, i: number, alerts: readonly Span[], step: number): string {
  const { note } = exploreWords;
  const time = points.times[i]!;
  const found: string[] = [];
  const alert = alerts.find((a) => a.start <= time && time <= (a.end ?? Infinity));
  const before = points.times[i - 1] ?? -Infinity;
  if (alert) found.push(alert.start > before ? note.opened : note.open);
  else if (points.score[i]! > 1) found.push(note.anomaly);
  if (points.anomalies && points.anomalies[i]! > 1) found.push(exploreWords.anomalies(points.anomalies[i]!));
  if (Number.isFinite(before) && step > 0 && time - before > 1.5 * step) found.push(note.gap(duration(time - before)));
  return found.join(", ");
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
