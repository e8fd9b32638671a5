// From the API's columns to the chart's, and files to hand over.

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
    ...(columns.y_min && columns.y_max ? { lowest: numbers(columns.y_min), highest: numbers(columns.y_max) } : {}),
    ...(columns.anomalies ? { anomalies: Float64Array.from(columns.anomalies) } : {}),
  };
}

/** Hand a file to the viewer. */
export function download(name: string, content: Blob | URL): void {
  const link = document.createElement("a");
  link.href = content instanceof URL ? content.href : URL.createObjectURL(content);
  link.download = name;
  link.click();
  if (!(content instanceof URL)) setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name of a file that every system takes. */
export function fileName(text: string, ending: string): string {
  const plain = text.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return `${plain.slice(0, 80) || "watchband"}.${ending}`;
}
