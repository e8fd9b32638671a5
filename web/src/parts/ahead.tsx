// The time beyond the last point: asked for, and told in words: how far ahead is looked, and how wrong that was before.

import type { JSX } from "preact";
import { useResource } from "../api/resource";
import type { ForecastColumns } from "../api/types/forecast";
import { quantities, withUnit } from "../chart/format";
import type { Range } from "../chart/scale";
import { DAY, moment } from "../chart/time";
import { now, zone } from "../frame";
import { aheadWords as words } from "../words/ahead";

/** Share of a chart's width that the future gets. */
const SHARE = 0.12;
/** The API looks eight weeks ahead; a page that was drawn a while ago asks for a little less. */
const LONGEST = 55 * DAY;

/** How far behind `end` a chart shows the future. */
export function roomAhead(start: number, end: number): number {
  return Math.min((end - start) * SHARE, LONGEST);
}

/** What is expected of a series up to the end of the range; null while it is not known, or where none of it is future. */
export function useForecast(series: string | null, range: Range, wanted: boolean): ForecastColumns | null {
  const until = Math.min(range[1], now.value + LONGEST);
  const asked = series && wanted && range[1] > now.value ? "series/forecast" : null;
  // To the minute: the same question is not asked anew every second.
  return useResource<ForecastColumns>(asked, { series, to: new Date(until - (until % 60_000)).toISOString() }).data;
}

/** What is drawn ahead, and how far it can be trusted; nothing while it is not known. */
export function Ahead({ metric, of }: { metric: string; of: ForecastColumns | null }): JSX.Element | null {
  if (!of) return null;
  const said: string[] = [];
  if (of.until) said.push(words.until(moment(Date.parse(of.until), zone, now.value)));
  if (of.tried && of.error !== null && of.persistence_error !== null) {
    const { texts, sign } = quantities(metric, [of.error, of.persistence_error]);
    said.push(words.tried(of.tried, withUnit(texts[0]!, sign), withUnit(texts[1]!, sign)));
  }
  if (of.says) said.push(of.until ? of.says : `${words.nothing} ${of.says}`);
  return said.length ? <p class="ahead third">{said.join(" ")}</p> : null;
}
