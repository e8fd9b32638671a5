// The fleet as cells: where each stands, and how it is drawn. A place can be learned, since the order never changes.

import { palette, scoreToken } from "./palette";

/** Distance of two cells, CSS pixels. */
export const PITCH = 5;
const GROUP_GAP = 12;
const LABEL_HEIGHT = 18;
const LINE_GAP = 8;
const ROWS_MAX = 48;

/** Where a group of series stands: columns of `rows` cells, filled column by column. */
export interface Group {
  name: string;
  first: number;
  count: number;
  left: number;
  top: number;
  columns: number;
}

export interface Layout {
  groups: Group[];
  rows: number;
  width: number;
  height: number;
}

/** Groups side by side, with so many rows that their cells fit into the width; wrapped where names need more.
 *
 * `words` are the least widths of groups, so that their names can be read. A line is as high as its largest group.
 */
export function layout(groups: readonly { name: string; count: number }[], width: number, words: readonly number[] = []): Layout {
  const need = (rows: number): number => groups.reduce((sum, g) => sum + groupWidth(g.count, rows, 0), 0) - GROUP_GAP;
  let rows = 8;
  while (rows < ROWS_MAX && need(rows) > width) rows++;
  let left = 0;
  let top = 0;
  let first = 0;
  let high = 0;
  const placed: Group[] = [];
  groups.forEach((g, k) => {
    const wide = groupWidth(g.count, rows, words[k] ?? 0);
    if (left > 0 && left + wide - GROUP_GAP > width) {
      left = 0;
      top += LABEL_HEIGHT + high * PITCH + LINE_GAP;
      high = 0;
    }
    high = Math.max(high, Math.min(g.count, rows));
    placed.push({ name: g.name, first, count: g.count, left, top, columns: Math.ceil(g.count / rows) });
    left += wide;
    first += g.count;
  });
  return { groups: placed, rows, width, height: top + LABEL_HEIGHT + high * PITCH };
}

function groupWidth(count: number, rows: number, least: number): number {
  return Math.max(Math.ceil(count / rows) * PITCH, least) + GROUP_GAP;
}

/** Top left corner of a series' cell; null where there is none. */
export function place(l: Layout, index: number): { x: number; y: number; group: Group } | null {
  const group = l.groups.find((g) => index >= g.first && index < g.first + g.count);
  if (!group) return null;
  const k = index - group.first;
  return { x: group.left + Math.floor(k / l.rows) * PITCH, y: group.top + LABEL_HEIGHT + (k % l.rows) * PITCH, group };
}

/** The series at a place of the strip; -1: none. */
export function at(l: Layout, x: number, y: number): number {
  for (const g of l.groups) {
    const column = Math.floor((x - g.left) / PITCH);
    const row = Math.floor((y - g.top - LABEL_HEIGHT) / PITCH);
    if (column >= 0 && column < g.columns && row >= 0 && row < l.rows) {
      const k = column * l.rows + row;
      if (k < g.count) return g.first + k;
    }
  }
  return -1;
}

/** Edge of a cell by its score: calm ones are small, hot ones grow. */
export function cellSize(score: number | null): number {
  if (score === null || !(score > 1)) return 3;
  return score <= 1.5 ? 6 : score <= 2 ? 7 : score <= 3 ? 8 : 9;
}

const LEARNING = 1;

/** Draw every cell: calm ones first, so that hot ones lie above their neighbours. One path a colour: 10,000 cells take a few ms. */
export function drawFleet(canvas: HTMLCanvasElement, l: Layout, scores: readonly (number | null)[], states: readonly number[]): void {
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [Math.round(l.width * ratio), Math.round(l.height * ratio)];
  // A canvas that is given a size is made anew.
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, l.width, l.height);
  const colours = palette();
  const calm = { "cell-calm": new Path2D(), "cell-near": new Path2D() };
  const hollow = new Path2D();
  const hot: number[] = [];
  for (const g of l.groups) {
    for (let k = 0; k < g.count; k++) {
      const i = g.first + k;
      const score = scores[i] ?? null;
      if (score !== null && score > 1) {
        hot.push(i);
        continue;
      }
      const x = g.left + Math.floor(k / l.rows) * PITCH;
      const y = g.top + LABEL_HEIGHT + (k % l.rows) * PITCH;
      if (states[i] === LEARNING) hollow.rect(x + 0.5, y + 0.5, 3, 3);
      else calm[score !== null && score > 0.8 ? "cell-near" : "cell-calm"].rect(x, y, 3, 3);
    }
  }
  for (const token of ["cell-calm", "cell-near"] as const) {
    ctx.fillStyle = colours[token];
    ctx.fill(calm[token]);
  }
  ctx.strokeStyle = colours["ink-3"];
  ctx.lineWidth = 1;
  ctx.stroke(hollow);
  for (const i of hot.sort((a, b) => scores[a]! - scores[b]!)) {
    const { x, y } = place(l, i)!;
    const size = cellSize(scores[i]!);
    const shift = (size - 3) / 2;
    ctx.fillStyle = colours.surface;
    ctx.fillRect(x - shift - 1, y - shift - 1, size + 2, size + 2);
    ctx.fillStyle = colours[scoreToken(scores[i]!)];
    ctx.fillRect(x - shift, y - shift, size, size);
  }
}
