import { describe, expect, it } from "vitest";
import type { Task } from "../src/api/types/tasks";
import { endWords, progressWords, trayTasks } from "../src/parts/tray";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const task = (more: Partial<Task>): Task => ({
  id: "t1",
  kind: "export",
  title: "points of cpu as CSV",
  by: "ann",
  state: "running",
  cancelling: false,
  phase: "cpu",
  percent: 42,
  eta_seconds: 12.4,
  made: "2026-03-01T11:59:00Z",
  finished: null,
  error: null,
  result: null,
  file: null,
  summary: null,
  about: {},
  ...more,
});

describe("the tray", () => {
  it("shows what runs, whoever started it, and one's own that ended lately", () => {
    const over = { state: "done" as const, finished: "2026-03-01T11:59:30Z" };
    const tasks = [
      task({ id: "a", by: "bob" }),
      task({ id: "b", ...over }),
      task({ id: "c", ...over, by: "bob" }),
      task({ id: "d", ...over, finished: "2026-03-01T10:00:00Z" }),
      task({ id: "e", ...over }),
      task({ id: "f", state: "waiting" }),
    ];
    expect(trayTasks(tasks, "ann", new Set(["e"]), NOW).map((one) => one.id)).toEqual(["a", "f", "b"]);
    expect(trayTasks([], "ann", new Set(), NOW)).toEqual([]);
  });
  it("says how far a task is", () => {
    expect(progressWords(task({}))).toBe("42\u00a0% · cpu · about 12\u00a0s left");
    expect(progressWords(task({ eta_seconds: null, phase: null, percent: 0 }))).toBe("0\u00a0%");
    expect(progressWords(task({ state: "waiting" }))).toBe("waits for its turn");
    expect(progressWords(task({ cancelling: true }))).toBe("being cancelled");
  });
  it("says what became of it", () => {
    expect(endWords(task({ state: "done", summary: { rows: 1200, series: 2 } }))).toMatch(/^1.200\spoints of 2\sseries$/);
    expect(endWords(task({ state: "failed", error: "no room" }))).toBe("no room");
    expect(endWords(task({ state: "cancelled" }))).toBe("Cancelled");
    expect(endWords(task({ kind: "replay", state: "done", summary: { same: true } }))).toBe("The states are equal, bit for bit.");
    expect(endWords(task({ kind: "backup", state: "done", summary: { directory: "/b/1" } }))).toBe("in /b/1");
  });
});
