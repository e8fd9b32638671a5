// Lowest and highest of any stretch of a column in a few steps, however long it is: levels of ever larger blocks.

/** Values of a block on the level above. */
const FACTOR = 8;

/** The levels of one column. Missing values (NaN) are passed over. A third of the column's memory besides it. */
export class Pyramid {
  private readonly lows: Float64Array[];
  private readonly highs: Float64Array[];
  /** What the last `read` found; lowest above highest: nothing was there. */
  low = Infinity;
  high = -Infinity;

  constructor(values: Float64Array) {
    this.lows = [values];
    this.highs = [values];
    for (let below = values.length; below > FACTOR; below = Math.ceil(below / FACTOR)) this.grow();
  }

  /** Put lowest and highest of `[first, end)` into `low` and `high`; whether anything is there. */
  read(first: number, end: number): boolean {
    this.low = Infinity;
    this.high = -Infinity;
    let a = Math.max(0, first);
    let b = Math.min(this.lows[0]!.length, end);
    for (let level = 0; a < b; level++) {
      const top = level === this.lows.length - 1;
      const up = top ? b : Math.min(b, Math.ceil(a / FACTOR) * FACTOR);
      this.scan(level, a, up);
      if (up === b) break;
      const down = Math.max(up, Math.floor(b / FACTOR) * FACTOR);
      this.scan(level, down, b);
      a = up / FACTOR;
      b = down / FACTOR;
    }
    return this.low <= this.high;
  }

  private scan(level: number, first: number, end: number): void {
    const lows = this.lows[level]!;
    const highs = this.highs[level]!;
    for (let i = first; i < end; i++) {
      const low = lows[i]!;
      const high = highs[i]!;
      if (low < this.low) this.low = low;
      if (high > this.high) this.high = high;
    }
  }

  private grow(): void {
    const [lows, highs] = [this.lows[this.lows.length - 1]!, this.highs[this.highs.length - 1]!];
    const size = Math.ceil(lows.length / FACTOR);
    const [low, high] = [new Float64Array(size).fill(Infinity), new Float64Array(size).fill(-Infinity)];
    for (let i = 0; i < lows.length; i++) {
      const k = Math.floor(i / FACTOR);
      if (lows[i]! < low[k]!) low[k] = lows[i]!;
      if (highs[i]! > high[k]!) high[k] = highs[i]!;
    }
    this.lows.push(low);
    this.highs.push(high);
  }
}
