// Challengers, and what happened to models, as the API says them.

export interface ModelOf {
  number: number;
  /** Null where it cannot go on. */
  detector: string | null;
  rule: string | null;
  settings: Record<string, string | number>;
  since: string | null;
  failed: string | null;
}

export interface Side {
  alerts: number;
  false: number;
  coverage: number | null;
  anomaly_rate: number | null;
  cutoff: number | null;
}

export type Outcome = "waiting" | "better" | "unproven" | "no better" | "worse";

export interface WouldBe {
  id: string;
  series: string;
  opened: string;
  closed: string | null;
  kind: string;
  severity: "critical" | "warning" | "info";
  anomaly_score: number | null;
  by: "both" | "champion" | "challenger";
  confirmed: boolean;
}

/** The comparison is absent while a challenger cannot go on. */
export interface Challenger extends ModelOf {
  from?: string;
  to?: string;
  decides?: string;
  outcome?: Outcome;
  says?: string;
  champion?: Side;
  challenger?: Side;
  spared?: { value: number | null; low: number | null; high: number | null } | null;
  confirmed?: number;
  lost?: string[];
  alerts?: WouldBe[];
}

export interface Challenged {
  watch: string;
  champion: ModelOf;
  challenger: Challenger | null;
  former: (ModelOf & { until: string }) | null;
  /** The rule in words. */
  promotion: string;
  approval: "required" | "none";
  every: string | null;
  on_drift: string[];
  /** The task by which a challenger learns. */
  learning: string | null;
}

export interface ModelEvent {
  number: number;
  time: string;
  watch: string;
  model: number;
  event: string;
  learned: "all" | "cutoff" | null;
  settings: Record<string, string | number>;
  by: string;
  why: string;
  entry: number;
}
