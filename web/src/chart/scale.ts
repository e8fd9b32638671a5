// Axes: where ticks stand and how far a scale reaches.

/** A range of values, low first. */
export type Range = readonly [number, number];

const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest of 1, 2, 2.5, 5 × 10ⁿ that cuts `span` into at most `most` parts. */
export function tickStep(span: number, most: number): number {
  if (!(span > 0) || most < 1) return 1;
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = STEPS.find((step) => step * power >= rough * (1 - 1e-9)) ?? 10;
  return found * power;
}

/** Round values within a range, at most `most` + 1 of them. */
export function ticks([low, high]: Range, most = 4): number[] {
  const step = tickStep(high - low, most);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const found: number[] = [];
  // Multiples of the step, not sums: sums drift. Zero is never minus zero.
  for (let i = first; i <= last; i++) found.push(i * step + 0);
  return found;
}

/** Lowest and highest of some columns, without what is missing; null if nothing is there. */
export function extent(...columns: ArrayLike<number>[]): Range | null {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      const value = column[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** How far the value axis reaches, and whether it begins at 0.
 *
 * From 0 where the band then keeps at least 15 % of the height; else the range of band and value with 8 % air.
 */
export function valueRange(values: Range | null, band: Range | null): { range: Range; fromZero: boolean } {
  const all = [values, band].filter((r): r is Range => r !== null);
  if (all.length === 0) return { range: [0, 1], fromZero: true };
  const low = Math.min(...all.map((r) => r[0]));
  const high = Math.max(...all.map((r) => r[1]));
  if (low === high) return low === 0 ? { range: [0, 1], fromZero: true } : around(low);
  const width = band ? band[1] - band[0] : high - low;
  if (low >= 0 && width >= 0.15 * high) return { range: [0, high * 1.08], fromZero: true };
  if (high <= 0 && width >= 0.15 * -low) return { range: [low * 1.08, 0], fromZero: true };
  const air = 0.08 * (high - low);
  return { range: [low - air, high + air], fromZero: low - air <= 0 && high + air >= 0 };
}

function around(value: number): { range: Range; fromZero: boolean } {
  const air = Math.abs(value) * 0.5;
  return { range: [value - air, value + air], fromZero: false };
}
