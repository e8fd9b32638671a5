import { describe, expect, test } from "vitest";
import type { ForecastColumns } from "../src/api/types/forecast";
import { aheadOf } from "../src/chart/ahead";
import { NO_POINTS, type Points } from "../src/chart/points";
import { HOUR } from "../src/chart/time";
import { incidentRange } from "../src/pages/incident";
import { breachWords } from "../src/words/ahead";

const columns = (over: Partial<ForecastColumns> = {}): ForecastColumns => ({
  series: "cpu",
  watch: "all",
  last: "1970-01-01T00:00:03Z",
  until: "1970-01-01T00:00:06Z",
  sees_s: 3,
  tried: 64,
  error: 1,
  persistence_error: 2,
  says: "",
  times_ms: [4000, 5000, 6000],
  yhat: [10, 11, null],
  yhat_lower: [9, 9, null],
  yhat_upper: [11, 13, null],
  ...over,
});

function points(times: number[], yhat = 5): Points {
  const all = (value: number) => Float64Array.from(times, () => value);
  return { times: Float64Array.from(times), y: all(yhat), yhat: all(yhat), lower: all(yhat - 1), upper: all(yhat + 1), score: all(0) };
}

describe("what is expected ahead", () => {
  test("begins at the band of the last point, so that nothing tears", () => {
    const ahead = aheadOf(columns(), points([2000, 3000]))!;
    expect([...ahead.times]).toEqual([3000, 4000, 5000, 6000]);
    expect([...ahead.yhat]).toEqual([5, 10, 11, NaN]);
    expect([...ahead.lower]).toEqual([4, 9, 9, NaN]);
  });

  test("leaves out what came meanwhile", () => {
    expect([...aheadOf(columns(), points([3000, 4000, 5000]))!.times]).toEqual([5000, 6000]);
    expect(aheadOf(columns(), points([6000]))).toBeUndefined();
  });

  test("stands alone where the last point has no band, or none is shown", () => {
    expect([...aheadOf(columns(), points([3000], NaN))!.times]).toEqual([4000, 5000, 6000]);
    expect([...aheadOf(columns(), NO_POINTS)!.times]).toEqual([4000, 5000, 6000]);
  });

  test("is nothing where nothing is said", () => {
    expect(aheadOf(columns({ last: null, times_ms: [], yhat: [], yhat_lower: [], yhat_upper: [] }), points([1000]))).toBeUndefined();
  });
});

describe("a predicted breach in words", () => {
  test("a day that is the same is said once", () => {
    expect(breachWords.between("23 Nov 14:00", "23 Nov 18:00")).toBe("23 Nov 14:00 – 18:00");
    expect(breachWords.between("23 Nov 14:00", "24 Nov 18:00")).toBe("23 Nov 14:00 – 24 Nov 18:00");
    expect(breachWords.between("14:00", "15:00")).toBe("14:00 – 15:00");
  });

  test("the range of an incident reaches to what is foreseen", () => {
    const [from, to] = incidentRange(100 * HOUR, null, 110 * HOUR, 140 * HOUR);
    expect([from / HOUR, to / HOUR]).toEqual([60, 145]);
    expect(incidentRange(100 * HOUR, 120 * HOUR, 150 * HOUR, 140 * HOUR)[1]).toBe(125 * HOUR);
  });
});
