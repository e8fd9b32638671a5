// A window as somebody plans it in the form, and what the API is asked of it.

import type { PlannedWindow } from "./api/types/windows";
import { offsetAt } from "./chart/time";

export interface Draft {
  name: string;
  action: string;
  factor: string;
  series: string;
  /** Local time of the viewer, `2026-03-01T02:00`; empty: now. */
  start: string;
  /** A duration: `1h`. */
  length: string;
  repeat: "once" | "daily" | "weekdays" | "weekly";
  text: string;
}

export const LENGTHS = ["15m", "30m", "1h", "2h", "4h", "8h", "1d"];
const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EMPTY: Draft = { name: "", action: "mute", factor: "2", series: "*", start: "", length: "1h", repeat: "once", text: "" };

/** A draft from an address, so that a plan can be handed over. */
export function draftOf(chosen: URLSearchParams): Draft {
  const found: Record<string, string> = { ...EMPTY };
  for (const key of Object.keys(EMPTY)) found[key] = chosen.get(key) ?? found[key]!;
  return found as unknown as Draft;
}

/** A window that is there, as a draft. */
export function draftFrom(window: PlannedWindow, zone: string): Draft {
  const days = window.repeat?.days ?? [];
  return {
    name: window.name,
    action: window.action,
    factor: String(window.factor ?? EMPTY.factor),
    series: window.series,
    start: localTime(Date.parse(window.repeat?.from ?? window.start), zone),
    length: shortest(window.seconds),
    repeat: days.length === 0 ? "once" : days.length === 7 ? "daily" : days.length === 5 ? "weekdays" : "weekly",
    text: window.text ?? "",
  };
}

/** What is in a draft and not as it is by itself: for an address. */
export function draftLink(draft: Draft): Record<string, string> {
  const given = Object.entries(draft).filter(([key, value]) => value !== EMPTY[key as keyof Draft]);
  return Object.fromEntries(given) as Record<string, string>;
}

/** Days of the week on which it comes again, by the clock of `zone`. */
export function daysOf(draft: Draft, zone: string, now: number): string[] {
  if (draft.repeat === "once") return [];
  if (draft.repeat === "daily") return WEEK;
  if (draft.repeat === "weekdays") return WEEK.slice(0, 5);
  const at = startOf(draft, zone) ?? now;
  const local = new Date(at + offsetAt(at, zone));
  return [WEEK[(local.getUTCDay() + 6) % 7]!];
}

/** When it begins, ms; null: now. */
export function startOf(draft: Draft, zone: string): number | null {
  if (!draft.start) return null;
  const local = Date.parse(`${draft.start}Z`);
  if (!Number.isFinite(local)) return null;
  // Twice: the first guess may stand beyond a change of the clock.
  const guess = local - offsetAt(local, zone);
  return local - offsetAt(guess, zone);
}

/** What the API is asked: a new window, or a preview of it. */
export function bodyOf(draft: Draft, zone: string, now: number): Record<string, unknown> {
  const start = startOf(draft, zone);
  const days = daysOf(draft, zone, now);
  return {
    name: draft.name.trim(),
    action: draft.action,
    series: draft.series.trim(),
    duration: draft.length,
    ...(start === null ? {} : { start: new Date(start).toISOString() }),
    ...(draft.action === "expect" ? { factor: Number(draft.factor) } : {}),
    ...(days.length ? { days, zone } : {}),
    ...(draft.text.trim() ? { text: draft.text.trim() } : {}),
  };
}

/** What is other than it was; times only where they were touched. */
export function changesOf(before: Draft, after: Draft, zone: string, now: number): Record<string, unknown> {
  const all = bodyOf(after, zone, now);
  const found: Record<string, unknown> = {};
  for (const key of ["name", "series", "factor"] as const) if (before[key] !== after[key] && key in all) found[key] = all[key];
  if (before.text !== after.text) found["text"] = after.text.trim();
  if (before.start !== after.start) found["start"] = all["start"];
  if (before.length !== after.length || before.start !== after.start) found["duration"] = after.length;
  if (before.repeat !== after.repeat) {
    found["days"] = daysOf(after, zone, now);
    found["zone"] = zone;
  }
  return found;
}

/** A time on the viewer's clock, as a field of a form has it. */
export function localTime(ms: number, zone: string): string {
  return new Date(ms + offsetAt(ms, zone)).toISOString().slice(0, 16);
}

function shortest(seconds: number): string {
  for (const [size, sign] of [
    [86_400, "d"],
    [3600, "h"],
    [60, "m"],
  ] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${sign}`;
  }
  return `${Math.round(seconds)}s`;
}
