// Words and tones of the page of risk.

import { describe, expect, it } from "vitest";
import { toneOf } from "../src/parts/risk_heat";
import { stateClass } from "../src/parts/risk_marks";
import { riskWords } from "../src/words/risk";

describe("risk", () => {
  it("says how many are Critical", () => {
    expect(riskWords.title(0, 0)).toBe("No entity yet");
    expect(riskWords.title(0, 12).replaceAll("\u00a0", " ")).toBe("None of 12 entities is Critical");
    expect(riskWords.title(4, 540).replaceAll("\u00a0", " ")).toBe("4 of 540 entities are Critical");
  });
  it("says what they share", () => {
    expect(riskWords.shared("latency", 3, 3, "02:51")).toBe("all of them: latency, since 02:51");
    expect(riskWords.shared("latency", 2, 3, "02:51")).toBe("2 of them: latency, since 02:51");
    expect(riskWords.shared("latency", 1, 1, "02:51")).toBe("latency, since 02:51");
  });
  it("is warm from +2 and never for what is low", () => {
    expect([0, 1.9, 2, 2.9, 3, 12, -1, -8].map(toneOf)).toEqual(["tone-0", "tone-3", "warm-0", "warm-0", "warm-1", "warm-5", "tone-2", "tone-5"]);
  });
  it("writes small shares and changes in words", () => {
    expect(riskWords.share(0.4)).toContain("< 1");
    expect(riskWords.share(0)).toContain("0");
    expect(riskWords.change(-3)).toBe("3 fewer than an hour ago");
    expect(riskWords.change(0)).toBe("as an hour ago");
    expect(riskWords.signed(-0.02)).toBe("0.0");
    expect(riskWords.signed(1.26)).toBe("+1.3");
  });
  it("names states for the stylesheet", () => {
    expect(stateClass("High Load")).toBe("state-high-load");
  });
});
