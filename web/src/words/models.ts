// Words of models, drift and snapshots.

import { count, counted, EN_DASH, NO_BREAK, number } from "../chart/format";
import type { Monitor, Reading } from "../api/types/models";

const MONITORS: Record<Monitor, string> = { cutoff: "cut-off", values: "values", scores: "scores", rate: "anomaly rate", coverage: "coverage" };

/** A share as per cent, with as many digits as tell it apart from the whole. */
export function share(value: number | null, digits = 3): string {
  return value === null ? "unknown" : `${number(100 * value, digits)}${NO_BREAK}%`;
}

/** A reading beside the limits it should keep. */
export function readingWords({ monitor, reading, low, high }: Reading): string {
  if (reading === null) return "nothing to say yet";
  const write = monitor === "coverage" ? (x: number | null) => share(x) : (x: number | null) => number(x);
  if (monitor === "values" || monitor === "scores") return `distance ${write(reading)}${high === null ? "" : `, at most ${write(high)}`}`;
  const limits = low === null || high === null ? "" : `, ${write(low)}${EN_DASH}${write(high)}`;
  return `${monitor === "rate" ? `${write(reading)} times the usual` : write(reading)}${limits}`;
}

export const modelWords = {
  title: (coverage: number | null, nominal: number | null, watch: string | null) =>
    coverage === null || nominal === null ? (watch === null ? "Nothing is measured yet" : `${watch} promises no coverage`) : `Coverage ${share(coverage)} of nominal ${share(nominal)}`,
  second: (watch: string, judged: number, rate: number | null, promised: number | null) =>
    `${watch}: ${share(rate, 2)} of ${count(judged)} points were anomalous${promised === null ? "" : `, ${share(promised, 2)} promised`}`,
  drifts: (n: number) => (n === 0 ? "Nothing drifts." : `${counted(n, "series drifts", "series drift")}.`),
  list: "Watches",
  listAside: (over: string) => `coverage and anomaly rate over ${over === "1w" ? "a week" : over}`,
  columns: { watch: "Watch", series: "Series", coverage: "Coverage", rate: "Anomalies", cutoff: "Cut-off", drift: "Drift" },
  warming: (n: number) => `${count(n)} warming up`,
  ofNominal: (nominal: number) => `of ${share(nominal)}`,
  ofPromised: (promised: number) => `of ${share(promised, 2)}`,
  noPromise: "nothing promised",
  spanOf: (low: string, high: string) => `${low}${EN_DASH}${high}`,
  notWatched: "not watched",
  none: "none",
  stopped: "cannot go on",
  memory: (size: string, each: string) => `${size}, ${each} a series at most`,
  noCutoff: "none in units of score",
  cutoff: "Cut-off",
  cutoffAside: (step: string) => `mean of each ${({ "1h": "hour", "1d": "day", "1w": "week" } as Record<string, string>)[step] ?? step}; the band is the mean ± 3σ of those before`,
  coverage: "Coverage",
  coverageAside: (nominal: number | null) => (nominal === null ? "share within the band; this rule names no nominal one" : `share within the nominal band of ${share(nominal)}`),
  rate: "Anomaly rate",
  rateAside: "share of judged points; dashed what the rule promises",
  spoken: (what: string, last: string, when: string) => `${what}: ${last}, ${when}.`,
  noHistory: "Nothing is kept of this range yet: figures are summed up by the hour.",
  noSeriesHistory: "Of a series its last 32 days are kept, from the end of its first day on.",
  of: "Of",
  allSeries: (n: number) => `all ${counted(n, "series", "series")}`,
  back: "All series",
  drift: "Drift",
  driftAside: (n: number, all: number) => `${count(n)} of ${counted(all, "series", "series")}`,
  monitor: (name: Monitor) => MONITORS[name],
  quiet: (every: string) => `Every series is what its model was made for, looked at once in ${every}.`,
  learning: (n: number, every: string) => `${counted(n, "series is", "series are")} still compared with nothing: a reference takes 17 blocks of ${every}.`,
  unwatched: "This watch is light: nothing looks for drift. Set its drift to true.",
  noneWatched: "No watch looks for drift.",
  since: (time: string) => `since ${time}`,
  more: (n: number) => `${count(n)} more`,
  approve: "Approve",
  approveAsk: (series: string) => `Take what ${series} does now as its new reference? Its alert of drift ends; its model is not changed.`,
  approved: "Approved: a new reference is learned.",
  snapshots: "Snapshots",
  snapshotsAside: "states that can be gone back to",
  noSnapshots: "None is written yet. Each watch is written down by the hour.",
  entry: (n: number) => `behind entry ${count(n)}`,
  later: (n: number) => (n === 0 ? "nothing since" : `${counted(n, "entry", "entries")} since`),
  unusable: "of other parameters",
  revert: "Revert",
  revertAsk: (watch: string, time: string, entries: number) =>
    `${watch} forgets what it learned since ${time}, from ${counted(entries, "entry", "entries")} of the log; what it was then is restored bit for bit. Open alerts, points and charts stay. It is written down, and cannot be taken back but by a later snapshot.`,
  reverted: (series: number) => `Reverted: ${counted(series, "series", "series")} of it ${series === 1 ? "is" : "are"} what ${series === 1 ? "it was" : "they were"}.`,
  confirm: "Do it",
  cancel: "Leave it",
} as const;
