import { describe, expect, it } from "vitest";
import { fileName, fromColumns } from "../src/chart/columns";
import { wrapped } from "../src/chart/picture";
import { NO_POINTS, type Points, within } from "../src/chart/points";
import { outsideOf } from "../src/parts/fleet";
import { askedRange } from "../src/parts/live_points";
import { noteOf } from "../src/parts/recent";
import { windowOf } from "../src/parts/window_of";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function points(times: number[], score = times.map(() => 0)): Points {
  const f = (value: number) => Float64Array.from(times, () => value);
  return { ...NO_POINTS, times: Float64Array.from(times), y: f(5), yhat: f(5), lower: f(4), upper: f(6), score: Float64Array.from(score) };
}

describe("a long list", () => {
  const heights = [32, ...Array.from({ length: 1000 }, () => 50)];
  const whole = heights.reduce((sum, high) => sum + high, 0);
  it("draws what is in view, and the rooms before and behind make up the rest, wherever it is scrolled", () => {
    for (let top = 0; top <= whole; top += 731) {
      const shown = windowOf(heights, top, 600);
      const drawn = heights.slice(shown.first, shown.end).reduce((sum, high) => sum + high, 0);
      expect(shown.before + drawn + shown.behind).toBe(whole);
      expect(shown.before).toBeLessThanOrEqual(Math.min(top, whole));
      expect(shown.before + drawn).toBeGreaterThanOrEqual(Math.min(whole, top + 600));
      expect(shown.end - shown.first).toBeLessThanOrEqual(12 + 13);
    }
  });
  it("may be empty or short", () => {
    expect(windowOf([], 0, 600)).toEqual({ first: 0, end: 0, before: 0, behind: 0 });
    expect(windowOf([32, 50], 0, 600)).toEqual({ first: 0, end: 2, before: 0, behind: 0 });
    expect(windowOf([50, 50], 900, 600).end).toBe(2);
  });
});

describe("the range that is asked for", () => {
  it("holds the range shown with room at both ends, and less than twice it besides", () => {
    for (const span of [MINUTE, 61 * MINUTE, DAY, 365.3 * DAY, 20 * 365 * DAY]) {
      const [from, to] = askedRange([1.7e12, 1.7e12 + span]);
      expect(from).toBeLessThanOrEqual(1.7e12 - span / 4);
      expect(to).toBeGreaterThanOrEqual(1.7e12 + span + span / 4);
      expect(to - from).toBeLessThanOrEqual(Math.max(3 * span, 6 * MINUTE));
    }
  });
  it("is the same while the range moves a little", () => {
    const asked = new Set(Array.from({ length: 60 }, (_, k) => askedRange([1.7e12 + k * MINUTE, 1.7e12 + DAY + k * MINUTE]).join()));
    expect(asked.size).toBeLessThanOrEqual(3);
  });
});

describe("points", () => {
  it("of roll-ups bring lowest, highest and how many were anomalous", () => {
    const empty = { series: "a", watch: "w", times_ms: [1], y: [2], yhat: [null], yhat_lower: [null], yhat_upper: [null], anomaly_score: [null] };
    const raw = fromColumns({ ...empty, resolution: "raw" });
    expect(raw.lowest).toBeUndefined();
    expect(raw.yhat[0]).toBeNaN();
    const days = fromColumns({ ...empty, resolution: "daily", y_min: [1], y_max: [null], anomalies: [3] });
    expect([days.lowest![0], days.highest![0], days.anomalies![0]]).toEqual([1, NaN, 3]);
  });
  it("between two times are those, without a copy", () => {
    const whole = points([0, 1, 2, 3, 4]);
    const some = within(whole, 1, 4);
    expect([...some.times]).toEqual([1, 2, 3]);
    expect(some.y.buffer).toBe(whole.y.buffer);
    expect(within(whole, 9, 12).times.length).toBe(0);
  });
  it("say in the table what they are", () => {
    const some = points([0, 1, 2, 3, 9].map((m) => m * MINUTE), [0, 2, 2, 2, 0]);
    const alerts = [{ start: 2 * MINUTE, end: 3 * MINUTE }];
    const said = [0, 1, 2, 3, 4].map((i) => noteOf(some, i, alerts, MINUTE));
    expect(said.slice(0, 4)).toEqual(["", "anomaly", "alert opened", "open alert"]);
    expect(said[4]).toContain("6\u00a0min");
  });
});

describe("files", () => {
  it("have names that every system takes", () => {
    expect(fileName('cpu{host="a/b",x="ü"}', "png")).toBe("cpu-host-a-b-x-ü.png");
    expect(fileName("../../{}", "csv")).toBe("watchband.csv");
    expect(fileName("x".repeat(300), "png").length).toBe(84);
  });
  it("have words in lines that fit", () => {
    const pen = { measureText: (text: string) => ({ width: text.length }) as TextMetrics };
    expect(wrapped(pen, "one two three four", 9)).toEqual(["one two", "three", "four"]);
    expect(wrapped(pen, "longerthanall", 3)).toEqual(["longerthanall"]);
    expect(wrapped(pen, "", 3)).toEqual([]);
  });
});

it("the fleet counts who is outside by group", () => {
  const groups = [
    { name: "a", count: 2 },
    { name: "b", count: 0 },
    { name: "c", count: 3 },
  ];
  expect(outsideOf({ groups, scores: [1.1, null, 2, 1, 3] })).toEqual([1, 0, 2]);
});
