// What the chart of a series shows besides its points: one hook for each kind, asked for here, drawn in chart/layers/.

import { useMemo } from "preact/hooks";
import { useResource } from "../api/resource";
import type { Alert, Page } from "../api/types";
import type { EventSpans } from "../api/types/windows";
import type { Layer } from "../chart/layer";
import { alertLayer } from "../chart/layers/alerts";
import { forecastLayer } from "../chart/layers/forecast";
import type { Points, Span } from "../chart/points";
import type { Range } from "../chart/scale";
import { useEventLayers } from "./event_spans";

/** Which series in which range of time is shown. */
export interface Shown {
  series: string | null;
  watch?: string | null;
  range: Range;
  /** What is expected beyond the last point. */
  ahead?: Points | undefined;
  /** Windows and deploys. */
  events?: EventSpans | null;
}

/** Layers of a series' chart. Add a kind here: a hook that asks for its data and makes a layer of them. */
export function useChartLayers(shown: Shown, alerts: readonly Span[]): Layer[] {
  const { ahead } = shown;
  const events = useEventLayers(shown.events ?? null);
  return useMemo(() => [alertLayer(alerts), ...events, ...(ahead ? [forecastLayer(ahead)] : [])], [alerts, events, ahead]);
}

const ALERTS_MAX = 500;

/** When a series had an open alert, in a range. */
export function useAlertSpans(series: string | null, from: number): readonly Span[] {
  const found = useResource<Page<Alert>>(series ? "alerts" : null, { series, from: new Date(from).toISOString(), limit: ALERTS_MAX }, ["alerts"]);
  return useMemo(() => (found.data?.data ?? []).map((a) => ({ start: Date.parse(a.opened), end: a.closed ? Date.parse(a.closed) : null })), [found.data]);
}
