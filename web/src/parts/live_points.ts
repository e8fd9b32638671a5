// Points of a series in a range, which grow as they come: asked for once with room at both ends, then only what is new.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get } from "../api/client";
import { changes } from "../api/live";
import { type Resource, useResource } from "../api/resource";
import type { PointColumns } from "../api/types";
import { fromColumns } from "../chart/columns";
import { joined, NO_POINTS, type Points } from "../chart/points";
import type { Range } from "../chart/scale";
import { MINUTE } from "../chart/time";

/** Most points that are asked for; above it the service gathers them to hours, days or weeks. */
const POINTS_MAX = 20_000;
/** Share of the range that is asked for beyond each end, so that a small pan finds points. */
const ROOM = 0.25;
/** Points that are asked for again with new ones: the last may have been corrected. */
const AGAIN = 30;

export interface Live {
  points: Points;
  resolution: PointColumns["resolution"];
  of: Resource<PointColumns>;
}

/** What is asked for to show a range: wider, and in steps, so that the question seldom changes. */
export function askedRange([from, to]: Range): Range {
  const step = 2 ** Math.ceil(Math.log2(Math.max(MINUTE, ROOM * (to - from))));
  return [Math.floor((from - ROOM * (to - from)) / step) * step, Math.ceil((to + ROOM * (to - from)) / step) * step];
}

export function useLivePoints(series: string | null, watch: string | null, range: Range): Live {
  const [from, to] = askedRange(range);
  const query = { series, watch, from: iso(from), to: iso(to), max_points: POINTS_MAX };
  const of = useResource<PointColumns>(series ? "series/points" : null, query);
  const version = changes.series.value;
  const base = useMemo(() => (of.data ? fromColumns(of.data) : null), [of.data]);
  const [grown, setGrown] = useState<{ base: Points; points: Points } | null>(null);
  const kept = useRef<{ key: string; points: Points; resolution: PointColumns["resolution"] }>({ key: "", points: NO_POINTS, resolution: "raw" });
  const asked = useRef({ version, at: Date.now() });
  const key = `${series}/${watch}`;
  if (base && of.data) kept.current = { key, points: grown?.base === base ? grown.points : base, resolution: of.data.resolution };
  useEffect(() => {
    asked.current = { version, at: Date.now() };
  }, [base]);
  useEffect(() => {
    if (!base || !of.data || version === asked.current.version) return undefined;
    if (of.data.resolution !== "raw") {
      // An hour that grows by a minute looks the same.
      if (Date.now() - asked.current.at > MINUTE) of.again();
      return undefined;
    }
    const stop = new AbortController();
    const { points } = kept.current;
    const since = points.times[Math.max(0, points.times.length - AGAIN)] ?? from;
    get<PointColumns>("series/points", { ...query, from: iso(since) }, stop.signal)
      .then((more) => (more.resolution === "raw" ? setGrown({ base, points: joined(points, fromColumns(more)) }) : of.again()))
      // The next change asks again.
      .catch(() => undefined);
    return () => stop.abort();
  }, [version, base]);
  // The points of another range stay while new ones are on their way; those of another series do not.
  return kept.current.key === key ? { ...kept.current, of } : { points: NO_POINTS, resolution: "raw", of };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
