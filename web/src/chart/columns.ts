// From the API's columns to the chart's.

import type { PointColumns } from "../api/types";
import type { Points } from "./points";

/** Columns with NaN where the API has null. */
export function fromColumns(columns: PointColumns): Points {
  const numbers = (column: readonly (number | null)[]): Float64Array => Float64Array.from(column, (v) => v ?? NaN);
  return {
    times: Float64Array.from(columns.times_ms),
    y: numbers(columns.y),
    yhat: numbers(columns.yhat),
    lower: numbers(columns.yhat_lower),
    upper: numbers(columns.yhat_upper),
    score: numbers(columns.anomaly_score),
  };
}

/** A table as CSV, by RFC 4180; times in UTC. */
export function csvOf(points: Points): string {
  const rows = ["time,y,yhat,yhat_lower,yhat_upper,anomaly_score"];
  const cell = (value: number): string => (value === value ? String(value) : "");
  for (let i = 0; i < points.times.length; i++) {
    const { y, yhat, lower, upper, score } = points;
    rows.push([new Date(points.times[i]!).toISOString(), ...[y, yhat, lower, upper, score].map((c) => cell(c[i]!))].join(","));
  }
  return rows.join("\r\n") + "\r\n";
}

/** Hand a file to the viewer. */
export function download(name: string, content: string | Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type: "text/csv" }) : content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
