// What the chart of a series shows besides its points: one hook for each kind, asked for here, drawn in chart/layers/.

import { useMemo } from "preact/hooks";
import { useResource } from "../api/resource";
import type { Alert, Page, PointColumns } from "../api/types";
import { fromColumns } from "../chart/columns";
import type { Layer } from "../chart/layer";
import { alertLayer } from "../chart/layers/alerts";
import { forecastLayer } from "../chart/layers/forecast";
import type { Span } from "../chart/points";
import type { Range } from "../chart/scale";
import { now } from "../frame";

/** Which series in which range of time is shown. */
export interface Shown {
  series: string | null;
  watch?: string | null;
  range: Range;
  /** Whether the future is wanted, and known. */
  ahead?: boolean;
}

/** Layers of a series' chart. Add a kind here: a hook that asks for its data and makes a layer of them. */
export function useChartLayers(shown: Shown, alerts: readonly Span[]): Layer[] {
  const forecast = useForecast(shown);
  return useMemo(() => [alertLayer(alerts), ...forecast], [alerts, forecast]);
}

const NONE: readonly Layer[] = [];

function useForecast({ series, range, ahead }: Shown): readonly Layer[] {
  const asked = series && ahead && range[1] > now.value ? "series/forecast" : null;
  const found = useResource<PointColumns>(asked, { series, to: new Date(range[1]).toISOString() });
  return useMemo(() => (found.data ? [forecastLayer(fromColumns(found.data))] : NONE), [found.data]);
}

const ALERTS_MAX = 500;

/** When a series had an open alert, in a range. */
export function useAlertSpans(series: string | null, from: number): readonly Span[] {
  const found = useResource<Page<Alert>>(series ? "alerts" : null, { series, from: new Date(from).toISOString(), limit: ALERTS_MAX }, ["alerts"]);
  return useMemo(() => (found.data?.data ?? []).map((a) => ({ start: Date.parse(a.opened), end: a.closed ? Date.parse(a.closed) : null })), [found.data]);
}
