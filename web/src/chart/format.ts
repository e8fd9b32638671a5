// Numbers with their units, as people read them: the same words as the messages of the service have.

export const NO_BREAK = "\u00a0";
export const MINUS = "\u2212";
export const EN_DASH = "\u2013";
const DIGITS_MAX = 9;
const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

type Step = readonly [size: number, sign: string];
const bytes = (rate: string): Step[] =>
  ["PiB", "TiB", "GiB", "MiB", "KiB", "B"].map((sign, k) => [1024 ** (5 - k), sign + rate] as const);
const SECONDS: Step[] = [
  [172_800, "d"],
  [7200, "h"],
  [120, "min"],
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];
// Two hours are written in hours, but an hour is not two of its unit.
const SIZES: Record<string, number> = { d: 86_400, h: 3600, min: 60 };
const SUFFIXES: [endings: string[], steps: Step[], factor: number][] = [
  [["_bytes_per_second", "_bytes_per_s"], bytes("/s"), 1],
  [["_bytes"], bytes(""), 1],
  [["_percent"], [[1, "%"]], 1],
  [["_milliseconds", "_ms"], SECONDS, 1e-3],
  [["_seconds"], SECONDS, 1],
];

/** A factor and a sign of unit. */
export interface Scale {
  factor: number;
  sign: string;
}

/** What writes numbers of a metric, the largest of which is given, as 1 or more. */
export function scaleOf(metric: string, largest: number): Scale {
  const found = SUFFIXES.find(([endings]) => endings.some((ending) => metric.endsWith(ending)));
  if (!found) return { factor: 1, sign: "" };
  const [, steps, factor] = found;
  const size = largest * factor;
  const base = steps.find(([s]) => s === 1) ?? steps[0]!;
  const step = steps.find(([s]) => size >= s) ?? (size ? steps[steps.length - 1]! : base);
  return { factor: factor / (SIZES[step[1]] ?? step[0]), sign: step[1] };
}

/** A plain number with so many significant digits; `unknown` where there is none. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "unknown";
  if (!Number.isFinite(value)) return `${value < 0 ? MINUS : ""}∞`;
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size <= -5 || size >= 15) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
    return `${trimmed(mantissa)} × 10${raised(Number(exponent))}`.replaceAll("-", MINUS);
  }
  const rounded = Number(value.toExponential(digits - 1));
  const fixed = rounded.toFixed(Math.max(0, digits - 1 - size));
  const [whole, fraction] = fixed.split(".") as [string, string | undefined];
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return trimmed(fraction === undefined ? grouped : `${grouped}.${fraction}`).replace("-", MINUS);
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function raised(exponent: number): string {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (d) => SUPERSCRIPT[Number(d)]!);
  return exponent < 0 ? `⁻${digits}` : digits;
}

/** Several numbers of one metric in one unit, told apart where they differ. */
export function quantities(metric: string, values: readonly (number | null)[]): { texts: string[]; sign: string } {
  const known = values.filter((v): v is number => v !== null && Number.isFinite(v));
  const { factor, sign } = scaleOf(metric, Math.max(0, ...known.map(Math.abs)));
  const different = new Set(known.map((v) => v * factor));
  let digits = 3;
  while (digits < DIGITS_MAX && new Set([...different].map((v) => number(v, digits))).size < different.size) digits++;
  return { texts: values.map((v) => number(v === null ? v : v * factor, digits)), sign };
}

/** A text and its unit with a no-break space between; per cent too. */
export function withUnit(text: string, sign: string): string {
  return sign ? `${text}${NO_BREAK}${sign}` : text;
}

/** One number of a metric with its unit. */
export function quantity(metric: string, value: number | null): string {
  const { texts, sign } = quantities(metric, [value]);
  return value === null || Number.isNaN(value) ? texts[0]! : withUnit(texts[0]!, sign);
}

/** A range of a metric: `0.39–0.52 s`; a side that is null is open. */
export function range(metric: string, low: number | null, high: number | null): string {
  const { texts, sign } = quantities(metric, [low, high]);
  if (low === null && high === null) return "unknown";
  if (low === null) return `at most ${withUnit(texts[1]!, sign)}`;
  if (high === null) return `at least ${withUnit(texts[0]!, sign)}`;
  // A dash between signs would be read as one of them.
  const between = texts.join("").includes(MINUS) ? " to " : EN_DASH;
  return withUnit(texts[0] === texts[1] ? texts[0]! : texts.join(between), sign);
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",")
    .replace("-", MINUS);
}

/** `1 series`, `2 alerts`: a count with the right word. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)}${NO_BREAK}${value === 1 ? one : many}`;
}
