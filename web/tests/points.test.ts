import { describe, expect, it } from "vitest";
import { dots, gaps, joined, nearest, outsideRuns, type Points, warmLine, widthsOff } from "../src/chart/points";
import { Prepared } from "../src/chart/prepared";

const MINUTE = 60_000;

function series(y: number[], times = y.map((_, i) => i * MINUTE)): Points {
  const f = (value: number) => Float64Array.from(y, () => value);
  return { times: Float64Array.from(times), y: Float64Array.from(y), yhat: f(5), lower: f(4), upper: f(6), score: Float64Array.from(y, (v) => Math.abs(v - 5)) };
}

describe("what is outside", () => {
  const points = series([5, 5, 9, 8, 5, NaN, 1, 1, 5]);
  const runs = outsideRuns(points);
  it("is found in runs that a missing value ends", () => {
    expect(runs).toEqual([
      { first: 2, last: 3 },
      { first: 6, last: 7 },
    ]);
  });
  it("is drawn from the last point inside", () => {
    expect([...warmLine(points, runs)]).toEqual([NaN, 5, 9, 8, NaN, NaN, 1, 1, NaN]);
  });
  it("keeps onset, peak and end where dots would touch", () => {
    const long = series([5, 7, 8, 9.5, 8, 7, 5]);
    const { runs: peaked } = new Prepared(long);
    expect(dots(long, peaked, MINUTE / 20)).toEqual([1, 2, 3, 4, 5]);
    expect(dots(long, peaked, MINUTE)).toEqual([1, 3, 5]);
  });
  it("joins runs whose dots would touch, and leaves out what is not in view", () => {
    const many = series([5, 7, 5, 9, 5, 7, 5, 5, 5, 5, 5, 5, 8, 5]);
    const { runs: peaked } = new Prepared(many);
    expect(dots(many, peaked, MINUTE / 20)).toEqual([1, 3, 5, 12]);
    expect(dots(many, peaked, MINUTE / 3)).toEqual([1, 3, 5, 12]);
    expect(dots(many, peaked, 2 * MINUTE)).toEqual([1, 3, 12]);
    expect(dots(many, peaked, MINUTE / 20, 4 * MINUTE, 6 * MINUTE)).toEqual([5]);
  });
  it("needs a band", () => {
    const bare = series([1, 100]);
    bare.lower.fill(NaN);
    bare.upper.fill(NaN);
    expect(outsideRuns(bare)).toEqual([]);
    expect(widthsOff(1, NaN, NaN)).toBeNaN();
    expect([widthsOff(8, 4, 6), widthsOff(3, 4, 6), widthsOff(5, 4, 6)]).toEqual([1, -0.5, 0]);
  });
});

describe("gaps", () => {
  it("are silence and missing values, and no line bridges them", () => {
    const points = series([5, 5, NaN, 5, 5, 5], [0, 1, 2, 3, 4, 40].map((m) => m * MINUTE));
    expect(gaps(points)).toEqual([
      { start: MINUTE, end: 3 * MINUTE },
      { start: 4 * MINUTE, end: 40 * MINUTE },
    ]);
  });
});

describe("live points", () => {
  it("stand behind, replace what they correct, and never grow without end", () => {
    const more = series([7, 7], [2 * MINUTE, 3 * MINUTE]);
    const whole = joined(series([5, 5, 5]), more, 3);
    expect([...whole.times]).toEqual([MINUTE, 2 * MINUTE, 3 * MINUTE]);
    expect([...whole.y]).toEqual([5, 7, 7]);
    expect(nearest(whole.times, 2.4 * MINUTE)).toBe(1);
    expect(nearest(new Float64Array(), 0)).toBe(-1);
  });
});
