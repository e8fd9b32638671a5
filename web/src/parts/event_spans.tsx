// Windows and deploys of a series: asked for, drawn as layers of its chart, and said below it in words.

import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useResource } from "../api/resource";
import type { EventSpans } from "../api/types/windows";
import type { Layer } from "../chart/layer";
import { type Flag, flagLayer } from "../chart/layers/flags";
import { nameLayer } from "../chart/layers/names";
import { type Window, windowLayer } from "../chart/layers/windows";
import type { Range } from "../chart/scale";
import { MINUTE, moment } from "../chart/time";
import { minute, zone } from "../frame";
import { href } from "../route";
import { actionWords, windowWords } from "../words/windows";

const STEP = 10 * MINUTE;
const SAID_MAX = 6;

/** Windows and deploys in a range, asked for a little wider so that a small step asks nothing anew. */
export function useEventSpans(series: string | null, range: Range, watch?: string | null): EventSpans | null {
  const from = new Date(Math.floor(range[0] / STEP) * STEP).toISOString();
  const to = new Date(Math.ceil(range[1] / STEP) * STEP).toISOString();
  return useResource<EventSpans>(series ? "windows/spans" : null, { series, watch, from, to }, ["windows", "configuration"]).data;
}

/** What a chart draws of them; `named` says which it names, where charts share an axis and each is named once. */
export function useEventLayers(spans: EventSpans | null, named?: ReadonlySet<string>): readonly Layer[] {
  return useMemo(() => {
    if (!spans || spans.windows.length + spans.deploys.length === 0) return NONE;
    const windows = spans.windows.map((one): Window & { id: string; short: string } => {
      const short = actionWords(one.action, one.factor);
      return { id: one.id, action: one.action, name: `${short}: ${one.name}`, short, start: Date.parse(one.start), end: Date.parse(one.end) };
    });
    const flags: (Flag & { id: string })[] = spans.deploys.map((one) => ({ id: one.id, time: Date.parse(one.time), text: one.name }));
    const mine = (one: { id: string }): boolean => named?.has(one.id) ?? true;
    return [windowLayer(windows), flagLayer(flags), nameLayer(windows.filter(mine), flags.filter(mine))];
  }, [spans, named && [...named].join()]);
}

const NONE: readonly Layer[] = [];

/** Of charts on one axis, which of them names what: the first that shows it. */
export function useNaming(): (spans: EventSpans | null, rank: number) => ReadonlySet<string> {
  const first = useSignal<Readonly<Record<string, number>>>({});
  return (spans, rank) => {
    const ids = [...(spans?.windows ?? []), ...(spans?.deploys ?? [])].map((one) => one.id);
    const earlier = ids.filter((id) => rank < (first.value[id] ?? Infinity));
    useEffect(() => {
      if (earlier.length) first.value = { ...first.value, ...Object.fromEntries(earlier.map((id) => [id, rank])) };
    }, [earlier.join()]);
    return new Set(ids.filter((id) => first.value[id] === rank));
  };
}

/** The same in words, in order of time. */
export function eventWords(spans: EventSpans | null, [from, to]: Range, at: number, place = zone): string[] {
  if (!spans) return [];
  const time = (text: string): string => moment(Date.parse(text), place, at);
  const found: [number, string][] = [];
  for (const one of spans.windows) {
    if (Date.parse(one.end) < from || Date.parse(one.start) > to) continue;
    found.push([Date.parse(one.start), windowWords.onChart(actionWords(one.action, one.factor), one.name, time(one.start), time(one.end))]);
  }
  for (const one of spans.deploys) {
    const when = Date.parse(one.time);
    if (when >= from && when <= to) found.push([when, windowWords.deployAt(one.name, time(one.time))]);
  }
  return found.sort((a, b) => a[0] - b[0]).map(([, text]) => text);
}

/** A line below a chart that says what is drawn on it; nothing where nothing is. */
export function EventList({ spans, range }: { spans: EventSpans | null; range: Range }): JSX.Element | null {
  const said = eventWords(spans, range, minute.value);
  if (said.length === 0) return null;
  return (
    <ul class="event-list" aria-label={windowWords.eventsLabel}>
      {said.slice(-SAID_MAX).map((text) => (
        <li key={text}>{text}</li>
      ))}
      {said.length > SAID_MAX && (
        <li>
          <a href={href("windows")}>{windowWords.moreEvents(said.length - SAID_MAX)}</a>
        </li>
      )}
    </ul>
  );
}
