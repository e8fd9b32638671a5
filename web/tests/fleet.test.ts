import { describe, expect, it } from "vitest";
import { at, cellSize, layout, PITCH, place } from "../src/chart/fleet";
import { hotCells } from "../src/parts/fleet";
import { sparkPaths } from "../src/parts/spark";
import { ranked } from "../src/pages/now";
import type { Incident } from "../src/api/types";

const GROUPS = [
  { name: "checkout", count: 870 },
  { name: "orders", count: 1100 },
  { name: "batch", count: 3 },
];

describe("the fleet strip", () => {
  it("has one place for every series, and finds the series at a place", () => {
    const l = layout(GROUPS, 700);
    const seen = new Set<string>();
    for (let i = 0; i < 1973; i++) {
      const spot = place(l, i)!;
      seen.add(`${spot.x},${spot.y}`);
      expect(at(l, spot.x + 1, spot.y + 1)).toBe(i);
      expect(spot.x + PITCH).toBeLessThanOrEqual(l.width + PITCH);
    }
    expect(seen.size).toBe(1973);
    expect(place(l, 1973)).toBeNull();
    expect(at(l, -3, -3)).toBe(-1);
  });
  it("keeps 10,000 series within its width, and wraps what is too wide", () => {
    const wide = layout([{ name: "all", count: 9640 }], 1300);
    expect(wide.groups[0]!.columns * PITCH).toBeLessThanOrEqual(1300);
    const narrow = layout(GROUPS, 120);
    expect(new Set(narrow.groups.map((g) => g.top)).size).toBeGreaterThan(1);
    expect(layout([], 100).groups).toEqual([]);
  });
  it("shows what is hot larger, hottest first in the table", () => {
    expect([null, 0.5, 1, 1.2, 1.8, 2.5, 9].map(cellSize)).toEqual([3, 3, 3, 6, 7, 8, 9]);
    expect(hotCells([0.4, 3, null, 1.2])).toEqual([1, 3]);
  });
});

describe("a sparkline", () => {
  const points = { times_ms: [0, 1, 2, 3, 4], y: [5, 5, 9, null, 5], yhat_lower: [4, 4, 4, 4, null], yhat_upper: [6, 6, 6, 6, null] };
  it("breaks where nothing came, and is warm from the last point inside", () => {
    const { value, out, band, last } = sparkPaths(points, 100, 40);
    expect(value.match(/M/g)?.length).toBe(2);
    expect(out).toMatch(/^M.*L/);
    expect(band.endsWith("Z")).toBe(true);
    expect(last?.[2]).toBe(false);
  });
});

describe("incidents", () => {
  it("stand worst first, then newest", () => {
    const of = (id: string, severity: string, opened: string) => ({ id, severity, opened }) as Incident;
    const found = ranked([of("a", "info", "2026-01-02"), of("b", "critical", "2026-01-01"), of("c", "critical", "2026-01-03")]);
    expect(found.map((i) => i.id)).toEqual(["c", "b", "a"]);
  });
});
