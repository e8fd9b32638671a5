// What the endpoints of risk answer.

import type { Risk } from "../types";

export type State = Risk | "Unknown";
export const STATES: readonly Risk[] = ["Idle", "Normal", "High Load", "Critical"];

export interface RiskRibbon {
  entity: string;
  state: State;
  /** Start, end (ms) and state. */
  spans: [number, number, Risk][];
}

export interface RiskFit {
  method: string;
  groups: number;
  silhouette: number | null;
  stability: number;
  rows: number;
  entities: number;
  from: string;
  to: string;
  features: number;
  step_seconds: number;
  horizon_steps: number;
  outlook: { rows: number; hits: number; brier: number | null; persistence: number | null; climatology: number | null };
  critical_seen: boolean;
}

export interface RiskShown {
  configured: true;
  time: string;
  from: string;
  entities: number;
  judged: number;
  counts: { state: Risk; entities: number; change: number }[];
  critical: { since: string; category: string; of_them: number; entities: number } | null;
  over_time: { times_ms: number[]; high: number[]; critical: number[] };
  ribbons: RiskRibbon[];
  scatter: { axes: { word: string; share: number }[]; points: { entity: string; state: Risk; x: number; y: number }[] };
  heat: { features: string[]; rows: { state: Risk; values: (number | null)[] }[] };
  words: { state: Risk; text: string }[];
  fit: RiskFit;
}

export type RiskAnswer = RiskShown | { configured: false; command: string; setting: string };

export interface RiskEntity {
  entity: string;
  labels: Record<string, string>;
  state: State;
  since: string;
  time: string;
  description: string;
  category: string | null;
  reason: string | null;
  anomalies: string[];
  load: number | null;
  excess: number | null;
  probability: number | null;
  known: boolean;
  missing: string[];
}
