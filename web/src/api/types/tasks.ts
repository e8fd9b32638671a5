// Long work, as the API says it.

import type { Page } from "../types";

export type TaskState = "waiting" | "running" | "done" | "failed" | "cancelled";

export interface Task {
  id: string;
  kind: "budget" | "export" | "backup" | "replay" | "retrain";
  title: string;
  by: string;
  state: TaskState;
  cancelling: boolean;
  phase: string | null;
  percent: number;
  eta_seconds: number | null;
  made: string;
  finished: string | null;
  error: string | null;
  /** Where what it found can be had. */
  result: string | null;
  /** The name of a file, where it found one. */
  file: string | null;
  summary: Record<string, string | number | boolean | null> | null;
  /** What was asked, for a page that shows the result. */
  about: Record<string, string>;
}

/** Tasks of this process; a restart forgets them. */
export interface TaskList extends Page<Task> {
  since: string;
}
