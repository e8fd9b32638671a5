// What is said of the time beyond the last point.

import { count } from "../chart/format";

export const aheadWords = {
  label: "forecast",
  toggle: "Forecast on or off",
  until: (time: string) => `Ahead until ${time}: what the watch expects, with its band.`,
  tried: (moments: number, error: string, stays: string) => `Tried from ${count(moments)} moments of the past it was ${error} off on average; the last value was ${stays} off.`,
  nothing: "Nothing is drawn ahead.",
};

// Predicted breaches: a threshold, and when it is reached.
export const breachWords = {
  foreseen: (name: string) => `foreseen to reach its threshold: ${name}`,
  over: (name: string) => `no longer near its threshold: ${name}`,
  threshold: "threshold",
  reached: "reached",
  interval: (level: number) => `${Math.round(100 * level)}\u00a0% interval`,
  beyond: "later than is looked at",
  value: "last value",
  members: "What is foreseen",
  /** Two moments; a day that is the same is said once. */
  between: (first: string, last: string) => {
    const day = first.slice(0, first.lastIndexOf(" ") + 1);
    return `${first} – ${day && last.startsWith(day) ? last.slice(day.length) : last}`;
  },
};
