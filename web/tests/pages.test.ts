import { describe, expect, it } from "vitest";
import type { ConfigEntry } from "../src/api/types";
import { spanStart } from "../src/pages/alerts";
import { reloadWords, shortPlace, shownValues } from "../src/pages/settings";
import { nextTry } from "../src/parts/letters";

const entry: ConfigEntry = {
  name: "web",
  from: "w.yaml:1:1",
  values: [
    { key: "budget", value: "1/week", from: "/etc/w.yaml:12:5" },
    { key: "consecutive", value: "3", from: "default" },
    { key: "cutoff", value: null, from: "default" },
  ],
};

describe("the log of alerts", () => {
  it("asks for the same range for ten minutes", () => {
    const at = Date.parse("2026-03-01T12:34:56Z");
    expect(spanStart(3_600_000, at)).toBe("2026-03-01T11:30:00.000Z");
    expect(spanStart(3_600_000, at + 60_000)).toBe(spanStart(3_600_000, at));
    expect(spanStart(null, at)).toBeNull();
  });
  it("says when something is tried again", () => {
    expect(nextTry("2026-03-01T12:00:30Z", Date.parse("2026-03-01T12:00:00Z"))).toMatch(/^next try in 30\u00a0s$/);
    expect(nextTry("2026-03-01T12:00:00Z", Date.parse("2026-03-01T12:00:01Z"))).toBe("next try now");
  });
});

describe("settings", () => {
  it("show what is given, or all, and of that what is looked for", () => {
    const keys = (text: string, every: boolean): string[] => shownValues(entry, "watches", text, every).map((v) => v.key);
    expect(keys("", false)).toEqual(["budget"]);
    expect(keys("", true)).toEqual(["budget", "consecutive", "cutoff"]);
    expect(keys("WEB week", true)).toEqual(["budget"]);
    expect(keys("watches cutoff", true)).toEqual(["cutoff"]);
    expect(keys("sinks", true)).toEqual([]);
  });
  it("name the file and the line", () => {
    expect(shortPlace("/etc/watchband/watchband.yaml:12:5")).toBe("watchband.yaml:12");
    expect(shortPlace("C:\\w\\w.yaml:3:1")).toBe("w.yaml:3");
  });
  it("say what a reload did", () => {
    expect(reloadWords({ hash: "a", changed: {}, restart_needed: [] })).toBe("Reloaded; nothing is other than it was.");
    expect(reloadWords({ hash: "a", changed: { watches: ["+a", "~b"] }, restart_needed: ["store"] })).toBe("Reloaded: watches +a ~b. A restart is needed for store");
  });
});
