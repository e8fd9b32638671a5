// What is said of the time beyond the last point.

import { count } from "../chart/format";

export const aheadWords = {
  label: "forecast",
  toggle: "Forecast on or off",
  until: (time: string) => `Ahead until ${time}: what the watch expects, with its band.`,
  tried: (moments: number, error: string, stays: string) => `Tried from ${count(moments)} moments of the past it was ${error} off on average; the last value was ${stays} off.`,
  nothing: "Nothing is drawn ahead.",
};
