// What the API says. Times are RFC 3339 in UTC; columns of points carry milliseconds.

import type { FeatureShare } from "./types/features";
import type { Foreseen } from "./types/forecast";

import type { Deploy } from "./types/windows";

export type Severity = "critical" | "warning" | "info";
export type State = "OK" | "ALARM" | "INSUFFICIENT_DATA" | "NO_DATA";
export type Risk = "Idle" | "Normal" | "High Load" | "Critical";

/** One answer of a list. */
export interface Page<T> {
  data: T[];
  /** Give it back to go on; null at the end. */
  next: string | null;
  /** All that match, if counted. */
  total?: number;
}

/** An error, by RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  /** The role that would be allowed, where one is missing. */
  role?: Role;
}

export type Role = "viewer" | "operator" | "admin";

/** Who asks, and what the server is. */
export interface About {
  version: string;
  name: string;
  role: Role | null;
  user: string | null;
  /** Whether they have a session, and whether there is anything to sign in to. */
  signed_in: boolean;
  sign_in: boolean;
  started: string;
  external_url: string | null;
  /** Pages that have something to show. */
  pages: string[];
  /** What this server can do besides. */
  features: string[];
}

/** The last minutes of a series, for a sparkline. */
export interface Spark {
  times_ms: number[];
  y: (number | null)[];
  yhat_lower: (number | null)[];
  yhat_upper: (number | null)[];
}

export interface Series {
  series: string;
  metric: string;
  labels: Record<string, string>;
  watch: string;
  detector: string;
  source: string | null;
  state: State;
  muted: boolean;
  time: string | null;
  y: number | null;
  yhat: number | null;
  yhat_lower: number | null;
  yhat_upper: number | null;
  anomaly_score: number | null;
  risk: Risk | null;
  /** While it is learning: the share learned and when the first verdict comes. */
  learned: number | null;
  ready_at: string | null;
  spark?: Spark;
}

export interface PointColumns {
  series: string;
  watch: string;
  /** Of a watch that judges several metrics together, all of them in its order. */
  join?: string[];
  resolution: "raw" | "hourly" | "daily" | "weekly" | "monthly";
  times_ms: number[];
  y: (number | null)[];
  yhat: (number | null)[];
  yhat_lower: (number | null)[];
  yhat_upper: (number | null)[];
  anomaly_score: (number | null)[];
  /** Of roll-ups: lowest and highest value, and how many points were anomalous. */
  y_min?: (number | null)[];
  y_max?: (number | null)[];
  anomalies?: number[];
}

export interface Alert {
  id: string;
  series: string;
  metric: string;
  labels: Record<string, string>;
  watch: string;
  detector: string;
  kind: string;
  severity: Severity;
  opened: string;
  decided: string;
  closed: string | null;
  value: number | null;
  expected: number | null;
  lower: number | null;
  upper: number | null;
  widths: number | null;
  direction: "above" | "below" | "";
  anomaly_score: number;
  confidence: number;
  points: number;
  reason: string;
  members: string[];
  policies: string[];
  spark?: Spark;
  /** Of a predicted breach. */
  foreseen?: Foreseen;
  /** Of a detector that looks at several features: those that made it strange, the largest share first. */
  features?: FeatureShare[];
}

/** Alerts that overlap in time and share labels. */
export interface Incident {
  id: string;
  title: string;
  severity: Severity;
  opened: string;
  closed: string | null;
  reason: string;
  labels: Record<string, string>;
  series: number;
  /** The first to move, and the strangest. */
  first: Alert;
  worst: Alert;
  alerts: Alert[];
  acknowledged?: { by: string; at: string } | null;
  snoozed_until?: string | null;
  notes?: Note[];
  /** Told of from an hour before its onset on. */
  deploys?: Deploy[];
}

export interface Note {
  at: string;
  by: string;
  text: string;
}

export interface SourceHealth {
  name: string;
  kind: string;
  state: "on time" | "late" | "failing" | "filling in" | "waiting";
  lag_seconds: number | null;
  last_success: string | null;
  points: number;
  error: string | null;
  next_try: string | null;
}

/** The fleet as columns, ordered by name for ever. */
export interface Fleet {
  time: string;
  /** Names of groups and how many series each has, in order. */
  groups: { name: string; count: number }[];
  /** Highest anomaly_score of the last 15 minutes; null: no opinion. */
  scores: (number | null)[];
  /** 0 judged, 1 learning, 2 no data, 3 muted. */
  states: number[];
  /** Which series they are, if names were asked for. */
  series?: string[];
  /** Series outside their band every five minutes. */
  history: { start: string; outside: number }[];
}

export interface Summary {
  time: string;
  series: number;
  outside: number;
  points_per_second: number;
  alerts_week: number;
  budget_week: number | null;
  critical: number;
  learning: { name: string; series: number; ready_at: string | null; why: string }[];
  learning_series: number;
  risk: { state: Risk; entities: number; change: number }[] | null;
  entities: number | null;
}

export interface Watch {
  name: string;
  match: string[];
  detector: string;
  rule: string;
  /** `1/week`; null where another rule decides. */
  budget: string | null;
  policy: { consecutive: number; m_of_n: [number, number] | null; close_after: number; cool_down: number };
  route: string[];
  priority: number;
  series: number;
}

interface Counts {
  alerts: number;
  series: number;
}

export interface Preview {
  watch: string;
  from: string;
  to: string;
  series: number;
  /** Series whose scores were looked at; fewer stand for all. */
  looked_at: number;
  in_force: Counts & { budget: string };
  asked: Counts & { budget: string; list: { series: string; opened: string; closed: string | null; anomaly_score: number }[] };
  stops: (Counts & { budget: string; a_week: number })[];
}

/** How a sink does. */
export interface SinkHealth {
  name: string;
  kind: string;
  state: "well" | "failing" | "refused";
  delivered: number;
  waiting: number;
  dead: number;
  last_success: string | null;
  failing_since: string | null;
  error: string | null;
  next_try: string | null;
}

/** A change of an alert that somebody was not told of: it waits, or it was given up. */
export interface Delivery {
  id: string;
  sink: string;
  state: "waiting" | "dead";
  tries: number;
  next_try: string | null;
  error: string | null;
  alert: Alert;
}

export interface Deliveries extends Page<Delivery> {
  waiting: number;
  dead: number;
  sinks: SinkHealth[];
}

export interface ConfigValue {
  key: string;
  /** As it is written; null: not set. */
  value: string | null;
  /** `FILE:LINE:COLUMN`, or `default`. */
  from: string;
}

export interface ConfigEntry {
  name: string | null;
  from: string | null;
  values: ConfigValue[];
}

/** The configuration, without secrets. */
export interface Configuration {
  path: string;
  hash: string | null;
  loaded: string;
  reloads: number;
  failed_reloads: number;
  last_error: string | null;
  restart_needed: string[];
  warnings: { from: string; message: string }[];
  sections: { name: string; waits: boolean; entries: ConfigEntry[] }[];
}

export interface Reloaded {
  hash: string;
  changed: Record<string, string[]>;
  restart_needed: string[];
}

/** Something that somebody did. */
export interface Act {
  number: number;
  at: string;
  by: string;
  deed: string;
  target: string | null;
  text: string | null;
  until: string | null;
}
