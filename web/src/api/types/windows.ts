// Windows and deploys, as the API says them.

export type WindowAction = "mute" | "no_learn" | "expect";
export type WindowState = "active" | "coming" | "past";

export interface Deploy {
  id: string;
  name: string;
  time: string;
  series: string;
  labels: Record<string, string>;
  text: string | null;
  by: string;
  at: string | null;
  /** Of an incident: how long before its onset; below 0 after it. */
  before_seconds?: number;
}

export interface PlannedWindow {
  id: string;
  name: string;
  action: WindowAction;
  state: WindowState;
  series: string;
  /** Series under all watches that it is about; null until the log knows it. */
  matching: number | null;
  start: string;
  end: string;
  seconds: number;
  factor: number | null;
  repeat: { days: string[]; at: string; zone: string; from: string; until: string | null } | null;
  labels: Record<string, string>;
  text: string | null;
  ended_early: boolean;
  origin: { kind: "person" | "configuration"; by: string | null; at: string | null; place: string | null };
  can: ("change" | "end" | "delete")[];
}

/** What a chart of one series draws. */
export interface EventSpans {
  series: string;
  windows: { id: string; name: string; action: WindowAction; factor: number | null; start: string; end: string; by: string | null }[];
  deploys: Deploy[];
}

/** What a window would have held back at its times in the last weeks. */
export interface WindowPreview {
  action: WindowAction;
  series: number;
  looked_at: number;
  of: number;
  next: { start: string; end: string } | null;
  open: number;
  open_alerts: HeldAlert[];
  alerts: number;
  held: HeldAlert[];
  spans: { start: string; end: string; alerts: number; series: number; points: number; outside: number; outside_then: number | null }[];
}

export interface HeldAlert {
  id: string;
  series: string;
  severity: "critical" | "warning" | "info";
  opened: string;
  closed: string | null;
  reason: string;
}
