// What the API says of the time beyond the last point, and of thresholds that will be reached.

export interface ForecastColumns {
  series: string;
  watch: string;
  /** The last point; null where there is none. */
  last: string | null;
  /** Up to when something is said; null where nothing is. */
  until: string | null;
  /** How far ahead of the last point it was tried, seconds. */
  sees_s: number;
  /** Moments of the history from which it was tried. */
  tried: number;
  /** Mean distance from what came then, and that of the last value. */
  error: number | null;
  persistence_error: number | null;
  /** Why there is nothing, or less than asked for. */
  says: string;
  times_ms: number[];
  yhat: (number | null)[];
  yhat_lower: (number | null)[];
  yhat_upper: (number | null)[];
}

/** A threshold, and when it is or was reached: the middle and the ends of an interval; null beyond what is looked at. */
export interface Foreseen {
  threshold: number;
  time: string | null;
  earliest: string | null;
  latest: string | null;
  level: number;
}
