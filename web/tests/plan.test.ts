import { describe, expect, it } from "vitest";
import type { EventSpans, PlannedWindow } from "../src/api/types/windows";
import { placed } from "../src/chart/layers/names";
import { eventWords } from "../src/parts/event_spans";
import { bodyOf, changesOf, daysOf, type Draft, draftFrom, draftLink, draftOf, localTime, startOf } from "../src/plan";
import { actionWords, dayWords } from "../src/words/windows";

const NOW = Date.parse("2026-03-02T12:00:00Z");
const draft: Draft = { ...draftOf(new URLSearchParams()), name: "backup", series: "cpu", start: "2026-03-29T02:30" };

const planned: PlannedWindow = {
  id: "w00000001",
  name: "backup",
  action: "mute",
  state: "coming",
  series: "cpu",
  matching: 2,
  start: "2026-03-30T01:00:00Z",
  end: "2026-03-30T02:30:00Z",
  seconds: 5400,
  factor: null,
  repeat: { days: ["mon", "tue", "wed", "thu", "fri"], at: "02:00", zone: "Europe/Dublin", from: "2026-03-02T02:00:00Z", until: null },
  labels: {},
  text: null,
  ended_early: false,
  origin: { kind: "person", by: "ann", at: null, place: null },
  can: ["change", "delete"],
};

describe("a planned window", () => {
  it("begins by the clock of the viewer, also where it changes", () => {
    // Dublin goes from 01:00 to 02:00 on 29 March.
    expect(startOf(draft, "Europe/Dublin")).toBe(Date.parse("2026-03-29T01:30:00Z"));
    expect(startOf({ ...draft, start: "2026-03-28T02:30" }, "Europe/Dublin")).toBe(Date.parse("2026-03-28T02:30:00Z"));
    expect(startOf({ ...draft, start: "" }, "UTC")).toBeNull();
    expect(localTime(Date.parse("2026-07-01T01:00:00Z"), "Europe/Dublin")).toBe("2026-07-01T02:00");
  });
  it("comes again on the weekday on which it begins", () => {
    expect(daysOf({ ...draft, repeat: "weekly" }, "UTC", NOW)).toEqual(["sun"]);
    expect(daysOf({ ...draft, repeat: "weekly", start: "" }, "UTC", NOW)).toEqual(["mon"]);
    expect(daysOf({ ...draft, repeat: "weekdays" }, "UTC", NOW)).toHaveLength(5);
    expect(daysOf(draft, "UTC", NOW)).toEqual([]);
  });
  it("asks the API for no more than was given", () => {
    expect(bodyOf({ ...draft, start: "" }, "UTC", NOW)).toEqual({ name: "backup", action: "mute", series: "cpu", duration: "1h" });
    expect(bodyOf({ ...draft, action: "expect", factor: "3", repeat: "daily" }, "UTC", NOW)).toMatchObject({ factor: 3, zone: "UTC", start: "2026-03-29T02:30:00.000Z" });
  });
  it("is changed in what is other only", () => {
    const before = draftFrom(planned, "Europe/Dublin");
    expect(before).toMatchObject({ start: "2026-03-02T02:00", length: "90m", repeat: "weekdays" });
    expect(changesOf(before, before, "Europe/Dublin", NOW)).toEqual({});
    expect(changesOf(before, { ...before, length: "2h", name: "night" }, "Europe/Dublin", NOW)).toEqual({ name: "night", duration: "2h" });
  });
  it("is handed over by address", () => {
    const link = draftLink(draft);
    expect(link).toEqual({ name: "backup", series: "cpu", start: "2026-03-29T02:30" });
    expect(draftOf(new URLSearchParams(link))).toEqual(draft);
  });
});

describe("names above a chart", () => {
  const text = (name: string, width: number): { text: string; width: number }[] => [{ text: name, width }, { text: "mute", width: 30 }];
  it("never stand over one another, and are shorter where room is short", () => {
    const found = placed(
      [
        { at: 100, texts: [{ text: "deploy", width: 60 }], ends: true },
        { at: 105, texts: text("mute: backup", 90) },
        { at: 150, texts: text("mute: again", 90) },
        { at: 200, texts: text("mute: third", 90) },
      ],
      0,
      240,
      4,
    );
    expect(found.map((one) => [one.text, one.left])).toEqual([
      ["deploy", 40],
      ["mute: backup", 105],
      ["mute", 200],
    ]);
  });
  it("stay within the plot", () => {
    expect(placed([{ at: 5, texts: [{ text: "deploy", width: 60 }], ends: true }], 0, 200, 4)[0]!.left).toBe(0);
    expect(placed([{ at: 190, texts: [{ text: "mute", width: 60 }] }], 0, 200, 4)[0]!.left).toBe(140);
    expect(placed([{ at: 0, texts: [{ text: "wide", width: 300 }] }], 0, 200, 4)).toEqual([]);
  });
});

describe("words", () => {
  const spans: EventSpans = {
    series: "cpu",
    windows: [{ id: "w1", name: "backup", action: "mute", factor: null, start: "2026-03-02T10:00:00Z", end: "2026-03-02T11:00:00Z", by: "ann" }],
    deploys: [{ id: "w2", name: "v2", time: "2026-03-02T09:30:00Z", series: "*", labels: {}, text: null, by: "ci", at: null }],
  };
  it("say what a chart shows, in order", () => {
    expect(eventWords(spans, [NOW - 6 * 3_600_000, NOW], NOW, "UTC")).toEqual(["deploy v2, 09:30", "mute: backup, 10:00–11:00"]);
    expect(eventWords(spans, [NOW - 3_600_000 / 2, NOW], NOW, "UTC")).toEqual([]);
  });
  it("name days and actions", () => {
    expect(dayWords(["mon", "tue", "wed", "thu", "fri"])).toBe("Mon–Fri");
    expect(dayWords(["mon", "thu"])).toBe("Mon, Thu");
    expect(actionWords("expect", 3)).toBe("expect ×3");
  });
});
