import { describe, expect, it } from "vitest";
import { lowerBound } from "../src/chart/density";
import type { Frame } from "../src/chart/layer";
import type { Points } from "../src/chart/points";
import { DENSE, Prepared } from "../src/chart/prepared";
import { Pyramid } from "../src/chart/pyramid";

/** Numbers between 0 and 1, the same every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function brute(values: Float64Array, first: number, end: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = first; i < end; i++) {
    if (values[i]! < low) low = values[i]!;
    if (values[i]! > high) high = values[i]!;
  }
  return [low, high];
}

describe("the pyramid", () => {
  it("says of every stretch what looking at each value says", () => {
    const roll = dice(7);
    for (const n of [0, 1, 7, 8, 9, 63, 64, 65, 500, 4099]) {
      const values = Float64Array.from({ length: n }, () => (roll() < 0.2 ? NaN : Math.round((roll() - 0.5) * 1000)));
      const pyramid = new Pyramid(values);
      for (let round = 0; round < 400; round++) {
        const a = Math.floor(roll() * (n + 1));
        const b = Math.floor(roll() * (n + 1));
        const [low, high] = brute(values, a, b);
        expect(pyramid.read(a, b)).toBe(low <= high);
        expect([pyramid.low, pyramid.high]).toEqual([low, high]);
      }
    }
  });
  it("takes no stretch for more than there is", () => {
    const pyramid = new Pyramid(Float64Array.of(3, NaN, 1));
    expect(pyramid.read(-5, 50)).toBe(true);
    expect([pyramid.low, pyramid.high]).toEqual([1, 3]);
    expect(pyramid.read(1, 2)).toBe(false);
    expect(pyramid.read(2, 1)).toBe(false);
  });
});

function made(n: number, roll: () => number): Points {
  let time = 0;
  const times = Float64Array.from({ length: n }, () => (time += roll() < 0.01 ? 500 : 10));
  const y = times.map(() => (roll() < 0.05 ? NaN : roll() * 100));
  return { times, y, yhat: y.map(() => 50), lower: y.map(() => 20), upper: y.map(() => 80), score: y.map((v) => Math.abs(v - 50) / 30) };
}

function frameOf(from: number, to: number, width: number): Frame {
  return { from, to, width, left: 0, top: 0, height: 100, ratio: 1, now: to, lane: null, font: "", ctx: null as never, x: (t) => ((t - from) / (to - from)) * width, y: (v) => v };
}

describe("what is in view", () => {
  const points = made(20_000, dice(3));
  const end = points.times[points.times.length - 1]!;
  it("is every point where there is room", () => {
    const seen = new Prepared(points).view(frameOf(1000, 3000, 400));
    const first = lowerBound(points.times, 1000) - 1;
    expect(seen.dense).toBe(false);
    expect(seen.edge[0]).toBe(first);
    expect(seen.edge[seen.n]).toBe(lowerBound(points.times, 3000) + 1);
    for (let k = 1; k < seen.n; k++) expect(seen.apart[k] === 1).toBe(points.times[first + k]! - points.times[first + k - 1]! > 15);
  });
  it("is one column a pixel where there is not, every point in exactly one, and each within its pixel", () => {
    const frame = frameOf(0, end, 300);
    const seen = new Prepared(points).view(frame);
    expect(points.times.length).toBeGreaterThan(DENSE * 300);
    expect(seen.dense).toBe(true);
    expect(seen.edge[0]).toBe(0);
    expect(seen.edge[seen.n]).toBe(points.times.length);
    for (let k = 0; k < seen.n; k++) {
      const [a, b] = [seen.edge[k]!, seen.edge[k + 1]!];
      expect(b).toBeGreaterThan(a);
      for (const i of [a, b - 1]) expect(Math.abs(frame.x(points.times[i]!) - seen.x[k]!)).toBeLessThanOrEqual(0.5 + 1e-6);
    }
  });
  it("keeps its columns while it is panned", () => {
    const prepared = new Prepared(points);
    const width = end / 2 / 200;
    const before = prepared.view(frameOf(0, end / 2, 200));
    const edges = new Set(before.edge.slice(5, before.n - 5));
    const after = prepared.view(frameOf(3.37 * width, end / 2 + 3.37 * width, 200));
    const kept = [...edges].filter((edge) => after.edge.subarray(0, after.n + 1).includes(edge)).length;
    expect(kept).toBe(edges.size);
  });
  it("has the extent that looking at each point finds", () => {
    const prepared = new Prepared(points);
    const [first, last] = [lowerBound(points.times, 5000), lowerBound(points.times, 9001)];
    expect(prepared.extent(["y"], 5000, 9000)).toEqual(brute(points.y, first, last));
    expect(prepared.extent(["lower", "upper", "lowest"], 5000, 9000)).toEqual([20, 80]);
    expect(prepared.extent(["y"], end + 1, end + 2)).toBeNull();
  });
});
