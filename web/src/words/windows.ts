// Words of windows and deploys.

import { count, counted } from "../chart/format";

const DAYS: Record<string, string> = { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" };
const ACTIONS: Record<string, string> = { mute: "mute", no_learn: "no learning", expect: "expect" };

/** `Mon–Fri`, `every day`, `Mon, Thu`. */
export function dayWords(days: readonly string[]): string {
  if (days.length === 7) return "every day";
  const known = Object.keys(DAYS);
  const first = known.indexOf(days[0] ?? "");
  const row = days.every((day, k) => known[first + k] === day);
  if (row && days.length > 2) return `${DAYS[days[0]!]}–${DAYS[days[days.length - 1]!]}`;
  return days.map((day) => DAYS[day] ?? day).join(", ");
}

/** What a window does, in short: `mute`, `expect ×3`. */
export function actionWords(action: string, factor: number | null = null): string {
  return `${ACTIONS[action] ?? action}${factor === null ? "" : ` ×${factor}`}`;
}

export const windowWords = {
  title: (active: number, coming: number) =>
    active ? `${counted(active, "window")} active` : coming ? `No window is active; ${count(coming)} ${coming === 1 ? "is" : "are"} to come` : "No window is active",
  quiet: "Every series is judged, learned from and told of.",
  touched: (n: number) => `${counted(n, "series", "series")} judged otherwise right now`,
  active: "Active now",
  activeNone: "No window is open: what is strange is told.",
  plan: "Plan a window",
  list: "Windows",
  listAside: (shown: number, all: number) => (shown < all ? `${count(shown)} of ${count(all)}` : "coming first, then what is over"),
  listNone: "No window is planned, and none was. Maintenance, load tests and campaigns stand here, whoever asked for them.",
  columns: { when: "When", name: "Name", action: "What it does", series: "Series", origin: "Asked for by", act: "" },
  deploys: "Deploys",
  deploysAside: "newest first",
  deploysNone: "No deploy was told of. A pipeline does so with one line:",
  endNow: "End now",
  endNext: "End this time",
  deleteIt: "Delete",
  changeIt: "Change",
  deleteAll: "Delete all of it",
  saved: "Saved.",
  ends: (time: string, left: string) => `until ${time}, ${left} left`,
  ended: "ended early",
  repeats: (days: string, at: string, zone: string) => `${days} at ${at}, ${zone}`,
  lasts: (length: string) => `for ${length}`,
  by: (name: string) => name,
  configured: (place: string) => `configuration, ${place}`,
  matching: (n: number) => counted(n, "series", "series"),
  every: "every series",
  any: "any series",
  past: "over",
  coming: "coming",
  needs: "Planning a window needs the role operator.",
  handOver: "Copy a link to this plan for somebody who has it.",
  copied: "The link is copied.",
  form: {
    title: "Plan a window",
    change: (name: string) => `Change ${name}`,
    name: "Name",
    namePlaceholder: "kernel upgrade",
    action: "What it does",
    actions: {
      mute: "Mute: nothing is told; what lasts at the end is told then",
      no_learn: "Do not learn: judged as usual, leaves no trace",
      expect: "Expect a factor: so many times the usual is no news",
    } as Record<string, string>,
    factor: "Factor",
    series: "Series",
    seriesHint: "A selector, such as * or {service=\"checkout\"}",
    start: "Begins",
    now: "now",
    length: "For",
    until: (time: string) => `until ${time}`,
    otherLength: "other",
    repeat: "Again",
    repeats: { once: "once", daily: "every day", weekdays: "Mon–Fri", weekly: "weekly" } as Record<string, string>,
    zone: (zone: string) => `Times are in ${zone}, also over a change of the clock.`,
    text: "Why",
    textPlaceholder: "for whoever wonders at 3 a.m.",
    submit: "Plan it",
    save: "Save",
    cancel: "Cancel",
  },
  preview: "What it would hold back",
  previewAside: "the same times of the last four weeks",
  previewWaits: "Name the series and the time, and the alerts of those times are counted.",
  previewNone: (series: string) => `No alert of ${series} opened at these times in the last four weeks: nothing would have been held back.`,
  previewAlerts: (n: number, series: string) => `${counted(n, "alert")} of ${series} opened at these times in the last four weeks.`,
  previewHeld: { mute: "They would not have been told then.", no_learn: "They would have been told all the same; nothing would have been learned.", expect: "They would have been judged by the factor." } as Record<string, string>,
  previewOpen: (n: number) => `${counted(n, "alert")} of these series ${n === 1 ? "is" : "are"} open now; while it is muted, ${n === 1 ? "it neither changes nor closes" : "they neither change nor close"}.`,
  previewOutside: (points: number, outside: number) => `${count(outside)} of ${count(points)} points outside their band`,
  previewThen: (then: number) => `${count(then)} with the factor`,
  previewSample: (looked: number, of: number) => `${count(looked)} of ${count(of)} series were read and counted for all.`,
  previewNoSeries: "No series is of this name now; those that come will be.",
  nextTime: (time: string) => `Opens ${time}.`,
  deploy: (name: string) => `deploy ${name}`,
  deployBefore: (name: string, length: string) => `deploy ${name}, ${length} before`,
  deployAfter: (name: string, length: string) => `deploy ${name}, ${length} after`,
  onChart: (action: string, name: string, from: string, to: string) => `${action}: ${name}, ${from}–${to}`,
  deployAt: (name: string, time: string) => `deploy ${name}, ${time}`,
  eventsLabel: "Windows and deploys in this range",
  moreEvents: (n: number) => `${count(n)} more`,
  nextRow: "Next window",
  previousRow: "Previous window",
} as const;
