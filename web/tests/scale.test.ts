import { describe, expect, it } from "vitest";
import { lowerBound, thin } from "../src/chart/density";
import { count, counted, number, quantity, range } from "../src/chart/format";
import { ticks, tickStep, valueRange } from "../src/chart/scale";
import { DAY, duration, HOUR, MINUTE, moment, offsetAt, timeTicks } from "../src/chart/time";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("ticks", () => {
  it("stand on 1, 2, 2.5 and 5 times a power of ten", () => {
    expect([1, 7, 9, 0.011, 432].map((span) => tickStep(span, 4))).toEqual([0.25, 2, 2.5, 0.005, 200]);
    expect(ticks([0, 1], 4)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(ticks([-0.3, 0.3], 3)).toEqual([-0.2, 0, 0.2]);
  });
  it("are bounded whatever the range", () => {
    expect(ticks([5, 5]).length).toBeLessThan(3);
    expect(ticks([NaN, 1])).toEqual([]);
  });
});

describe("the value axis", () => {
  it("begins at 0 where the band keeps its height, and not where it would be a line", () => {
    expect(valueRange([0, 100], [20, 60]).fromZero).toBe(true);
    expect(valueRange([1000, 1010], [1001, 1009]).fromZero).toBe(false);
  });
  it("has air around a constant", () => {
    expect(valueRange([7, 7], null).range).toEqual([3.5, 10.5]);
    expect(valueRange(null, null).range).toEqual([0, 1]);
  });
});

describe("thinning", () => {
  const times = Float64Array.from({ length: 100_000 }, (_, i) => i);
  const values = Float64Array.from(times, (t) => Math.sin(t / 500));
  it("keeps every spike and the order of time", () => {
    values[54_321] = 9;
    values[54_322] = -9;
    values[60_000] = NaN;
    const found = thin(times, values, 0, 99_999, 800);
    expect(found.times.length).toBeLessThan(5 * 801);
    expect(Math.max(...found.values.filter((v) => v === v))).toBe(9);
    expect(Math.min(...found.values.filter((v) => v === v))).toBe(-9);
    expect(found.values.some((v) => v !== v)).toBe(true);
    expect([...found.times].every((t, i, all) => i === 0 || t > all[i - 1]!)).toBe(true);
    expect([...found.index].every((at, i) => times[at] === found.times[i])).toBe(true);
  });
  it("keeps what runs beyond the edges, and all where there is room", () => {
    const found = thin(times, values, 100.5, 199.5, 800);
    expect([found.times[0], found.times[found.times.length - 1]]).toEqual([100, 200]);
    expect(lowerBound(times, 1e9)).toBe(100_000);
  });
});

describe("numbers", () => {
  it("have three digits, a true minus and a unit", () => {
    expect([97.2345, -0.5, 1234567, 3, 1e-7, 2e18].map((v) => number(v))).toEqual([
      "97.2",
      "−0.5",
      "1,230,000",
      "3",
      "1 × 10⁻⁷",
      "2 × 10¹⁸",
    ]);
    expect(plain(quantity("memory_bytes", 3.4e9))).toBe("3.17 GiB");
    expect(plain(quantity("latency_ms", 1840))).toBe("1.84 s");
    expect(plain(range("latency_seconds", 0.39, 0.52))).toBe("390–520 ms");
    expect(plain(range("t", -2, 3))).toBe("−2 to 3");
    expect([number(NaN), number(null), quantity("x_bytes", null)]).toEqual(["unknown", "unknown", "unknown"]);
  });
  it("count with the right word", () => {
    expect([count(9640), plain(counted(1, "alert")), plain(counted(2, "alert"))]).toEqual(["9,640", "1 alert", "2 alerts"]);
  });
});

describe("times", () => {
  it("are as short as today allows", () => {
    const at = Date.UTC(2014, 1, 26, 11, 2);
    expect(moment(at, "UTC", at + MINUTE)).toBe("11:02");
    expect(moment(at, "UTC", at + 2 * DAY)).toBe("Wed 11:02");
    expect(moment(at, "Europe/Dublin")).toBe("26 Feb 2014 11:02");
    expect([0, 45e3, 60e3, 4320e3, 90000e3].map((ms) => plain(duration(ms)))).toEqual(["0 s", "45 s", "1 min", "1 h 12 min", "1 d 1 h"]);
  });
  it("have ticks on round local times, also over a change of the clock", () => {
    const from = Date.UTC(2026, 2, 28, 20);
    const found = timeTicks(from, from + 12 * HOUR, "Europe/Berlin", 14);
    expect(found.map((t) => t.text).join(" ")).toContain("Sun 29 Mar");
    const change = found.find((t) => t.text.includes("+1"));
    expect(change && offsetAt(change.time, "Europe/Berlin")).toBe(2 * HOUR);
    expect(found.every((t, i) => i === 0 || t.time > found[i - 1]!.time)).toBe(true);
  });
  it("fall back to months and years", () => {
    const from = Date.UTC(2006, 5, 1);
    const found = timeTicks(from, from + 20 * 365.25 * DAY, "UTC", 8);
    expect(found.length).toBeGreaterThan(2);
    expect(found.every((t) => t.major && /^\d{4}$/.test(t.text))).toBe(true);
    expect(timeTicks(from, from + 200 * DAY, "Asia/Kolkata", 8).map((t) => t.text)).toContain("Jul");
  });
});
