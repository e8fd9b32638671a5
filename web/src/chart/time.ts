// Times and durations in the viewer's zone; ticks on round local times, also where clocks change.

import { NO_BREAK, number } from "./format";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const STEPS: [size: number, sign: string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A length of time in at most two units. */
export function duration(ms: number): string {
  if (ms > 0 && ms < SECOND) return `${number(ms)}${NO_BREAK}ms`;
  const seconds = Math.round(ms / SECOND);
  for (let i = 0; i < STEPS.length - 1; i++) {
    const [size, sign] = STEPS[i]!;
    const [below, small] = STEPS[i + 1]!;
    if (seconds >= size) {
      let rest = below > 1 ? Math.round((seconds % size) / below) : seconds % size;
      const whole = Math.floor(seconds / size) + Math.floor((rest * below) / size);
      if (rest * below >= size) rest = 0;
      return `${whole}${NO_BREAK}${sign}` + (rest ? ` ${rest}${NO_BREAK}${small}` : "");
    }
  }
  return `${seconds}${NO_BREAK}s`;
}

/** How long something has lasted or takes: whole minutes once it is one, so that figures do not tick by the second. */
export function age(ms: number): string {
  return duration(ms >= MINUTE ? Math.floor(ms / MINUTE) * MINUTE : Math.max(0, ms));
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function parts(ms: number, zone: string): Record<string, string> {
  let format = FORMATS.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      weekday: "short",
      year: "numeric",
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    FORMATS.set(zone, format);
  }
  const found: Record<string, string> = {};
  for (const part of format.formatToParts(ms)) found[part.type] = part.value;
  // Some engines write September with four letters.
  found["month"] = found["month"]!.slice(0, 3);
  return found;
}

/** The zone that the viewer's machine is in. */
export function viewerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** What a clock in `zone` is ahead of UTC at a time, in ms. */
export function offsetAt(ms: number, zone: string): number {
  const p = parts(ms, zone);
  const month = "JanFebMarAprMayJunJulAugSepOctNovDec".indexOf(p["month"]!) / 3;
  const local = Date.UTC(Number(p["year"]), month, Number(p["day"]), Number(p["hour"]), Number(p["minute"]), Number(p["second"]));
  return local - Math.floor(ms / SECOND) * SECOND;
}

/** `03:14`, with seconds where they are asked for. */
export function clock(ms: number, zone: string, seconds = false): string {
  const p = parts(ms, zone);
  return `${p["hour"]}:${p["minute"]}${seconds ? `:${p["second"]}` : ""}`;
}

/** A time as short as `now` allows: `03:14` today, `Wed 14:10` this week, `26 Feb 11:20` before, with another year. */
export function moment(ms: number, zone: string, now?: number, seconds = false): string {
  const p = parts(ms, zone);
  const time = clock(ms, zone, seconds);
  const day = `${p["day"]} ${p["month"]}`;
  if (now === undefined) return `${day} ${p["year"]} ${time}`;
  const today = dayNumber(now, zone);
  const ago = today - dayNumber(ms, zone);
  if (ago === 0) return time;
  if (ago > 0 && ago < 7) return `${p["weekday"]} ${time}`;
  return p["year"] === parts(now, zone)["year"] ? `${day} ${time}` : `${day} ${p["year"]} ${time}`;
}

/** The same in UTC, whole, for hover and machines. */
export function utc(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

function dayNumber(ms: number, zone: string): number {
  return Math.floor((ms + offsetAt(ms, zone)) / DAY);
}

/** A tick of the time axis. */
export interface Tick {
  time: number;
  text: string;
  /** A new day: bold and dated. */
  major: boolean;
}

const UNITS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
];

/** Ticks on round local times between two times, about `most` of them. */
export function timeTicks(from: number, to: number, zone: string, most = 8): Tick[] {
  const span = to - from;
  if (!(span > 0)) return [];
  const step = UNITS.find((unit) => span / unit <= most);
  if (step === undefined) return calendarTicks(from, to, zone, most);
  const found: Tick[] = [];
  let before = offsetAt(from, zone);
  // Local midnight of the first day: steps of a day and less divide it, whatever the offset is.
  for (let local = Math.ceil((from + before) / step) * step; ; local += step) {
    // The offset that holds where this local time is; twice, since the first guess may stand beyond a clock change.
    let offset = offsetAt(local - before, zone);
    offset = offsetAt(local - offset, zone);
    const time = local - offset;
    if (time > to) break;
    if (time < from || (found.length > 0 && time <= found[found.length - 1]!.time)) continue;
    const changed = found.length > 0 && offset !== before ? (offset - before) / HOUR : 0;
    const midnight = local % DAY === 0;
    const p = parts(time, zone);
    const text = step >= DAY ? `${p["day"]} ${p["month"]}` : midnight ? `${p["weekday"]} ${p["day"]} ${p["month"]}` : clock(time, zone, step < MINUTE);
    const note = changed ? ` ${changed > 0 ? "+" : "−"}${Math.abs(changed)}${NO_BREAK}h` : "";
    found.push({ time, text: text + note, major: midnight && step < DAY });
    before = offset;
  }
  return found;
}

function calendarTicks(from: number, to: number, zone: string, most: number): Tick[] {
  const months = (to - from) / (30.44 * DAY);
  const every = [1, 2, 3, 6, 12, 24, 60, 120].find((n) => months / n <= most) ?? 240;
  const start = new Date(from + offsetAt(from, zone));
  const found: Tick[] = [];
  let index = start.getUTCFullYear() * 12 + start.getUTCMonth();
  index = Math.ceil(index / every) * every;
  for (; ; index += every) {
    const local = Date.UTC(Math.floor(index / 12), index % 12, 1);
    const time = local - offsetAt(local, zone);
    if (time > to) break;
    if (time < from) continue;
    const january = index % 12 === 0;
    const p = parts(time, zone);
    found.push({ time, text: january ? p["year"]! : `${p["month"]} ${every < 12 ? "" : p["year"]}`.trim(), major: january });
  }
  return found;
}
