// Models, drift and snapshots, as the API says them.

export type Monitor = "cutoff" | "values" | "scores" | "rate" | "coverage";

export interface Model {
  watch: string;
  detector: string;
  rule: string;
  /** `1/week`; null where another rule decides. */
  budget: string | null;
  /** Why it cannot go on; null while it does. */
  stopped: string | null;
  series: number;
  points: number;
  /** Series without a first opinion. */
  warming: number;
  bytes: number;
  bytes_a_series: number;
  /** The time that the shares are of, such as `1w`. */
  over: string;
  coverage: number | null;
  nominal: number | null;
  covered_points: number;
  anomaly_rate: number | null;
  promised_rate: number | null;
  anomalous: number;
  judged: number;
  cutoff: number | null;
  cutoff_low: number | null;
  cutoff_high: number | null;
  /** Null where nothing looks for drift. */
  drift: { every: string; alert: boolean; drifting: number; learning: number; monitors: Record<Monitor, number> } | null;
  snapshots: number;
  last_snapshot: string | null;
}

export interface ModelHistory {
  watch: string;
  series: string | null;
  nominal: number | null;
  /** Length of a stretch, `1h`. */
  step: string;
  times_ms: number[];
  cutoff: (number | null)[];
  /** Mean less and plus three standard deviations of the cut-offs before. */
  cutoff_low: (number | null)[];
  cutoff_high: (number | null)[];
  coverage: (number | null)[];
  anomaly_rate: (number | null)[];
  promised_rate: (number | null)[];
  points: number[];
}

export interface Reading {
  monitor: Monitor;
  out: boolean;
  reading: number | null;
  low: number | null;
  high: number | null;
}

export interface DriftRow {
  series: string;
  watch: string;
  state: "drifting" | "steady" | "learning";
  since: string | null;
  blocks_left: number;
  monitors: Reading[];
}

export interface Snapshot {
  watch: string;
  sequence: number;
  /** Null where the store does not say. */
  written: string | null;
  bytes: number;
  entries_since: number;
  usable: boolean;
}
