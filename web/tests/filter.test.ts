import { describe, expect, it } from "vitest";
import { typedInto } from "../src/parts/filter_bar";
import { chipWords, filterQuery, filterText, parseFilter } from "../src/filter";

describe("the filter", () => {
  it("reads words, labels and ranges from one field", () => {
    const found = parseFilter('checkout service=edge-* score>1 score<=3 risk:"High Load,Critical" zone!=a "two words"');
    expect(found.map((c) => chipWords(c).join(" "))).toEqual([
      "contains checkout",
      "service is edge-*",
      "anomaly score 1 to 3",
      "risk is High Load, Critical",
      "zone is not a",
      "contains two words",
    ]);
  });
  it("is written as it is read", () => {
    for (const text of ["a b", "service=x,y", 'host=~"web-.*"', "score>=1", "score>=1 score<=3", 'name="a b"', 'x!="q\\"r"', "score=0.2..4"]) {
      const once = parseFilter(text);
      expect(parseFilter(filterText(once))).toEqual(once);
    }
    expect(parseFilter("")).toEqual([]);
  });
  it("asks for labels by matchers, with what is no pattern taken as it stands", () => {
    expect(filterQuery(parseFilter("a b score>1 host=w.1 host=w*,v? job!=x state=ALARM"))).toEqual({
      text: ["a", "b"],
      score_min: "1",
      match: '{host="w.1",host=~"w.*|v.",job!="x"}',
      state: ["ALARM"],
    });
  });
});

describe("typing", () => {
  it("makes chips of what is whole, and keeps the rest as it stands", () => {
    let draft = { chips: parseFilter("zone=a"), typed: "" };
    for (const typed of ["s", "service=jo", "service=jobs", "service=jobs "]) draft = typedInto(draft, typed);
    expect(draft.chips.map((c) => chipWords(c).join(" "))).toEqual(["zone is a", "service is jobs"]);
    expect(draft.typed).toBe("");
    expect(typedInto(draft, "two words ").typed).toBe("two words ");
  });
});
