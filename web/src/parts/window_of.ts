// Of a long list only the rows in view stand in the page: which they are.

/** First and last row to draw, and the room before and behind them, px. */
export interface Shown {
  first: number;
  end: number;
  before: number;
  behind: number;
}

/** The rows of `heights` that are in view, with a few beyond either edge.
 *
 * `heights` says how high each is; `top` and `size` are where the view stands and how high it is.
 */
export function windowOf(heights: readonly number[], top: number, size: number, beyond = 6): Shown {
  const n = heights.length;
  let first = 0;
  let before = 0;
  while (first < n && before + heights[first]! <= top) before += heights[first++]!;
  let end = first;
  let seen = before;
  while (end < n && seen < top + size) seen += heights[end++]!;
  for (let k = 0; k < beyond && first > 0; k++) before -= heights[--first]!;
  for (let k = 0; k < beyond && end < n; k++) seen += heights[end++]!;
  let behind = 0;
  for (let k = end; k < n; k++) behind += heights[k]!;
  return { first, end, before, behind };
}
