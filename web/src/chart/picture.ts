// What is drawn on a page as one picture to share: title, each chart with its words, and what the marks mean, in the theme.

import { exploreWords } from "../words/explore";
import { palette, type Palette } from "./palette";

/** One chart with the words that stand beside it on the page; the first is the strongest. */
export interface Drawn {
  words: readonly string[];
  canvas: HTMLCanvasElement;
}

export interface Titled {
  title: string;
  /** Lines below it: range, zone, reason. */
  lines: readonly string[];
}

const PAD = 20;
const TITLE = 18;
const WORDS = 12;
const LINE = 18;
const GAP = 10;
const MARK = 22;

/** The picture, as large as the charts are on the screen, with its pixels. */
export function composed({ title, lines }: Titled, charts: readonly Drawn[]): HTMLCanvasElement {
  const colours = palette();
  const found = document.createElement("canvas");
  const ctx = found.getContext("2d")!;
  const family = getComputedStyle(document.body).fontFamily;
  const font = (size: number, weight = 400): string => `${weight} ${size}px ${family}`;
  const ratio = charts.reduce((most, { canvas }) => Math.max(most, canvas.width / (canvas.clientWidth || canvas.width)), 1);
  const inner = Math.max(480, ...charts.map(({ canvas }) => canvas.width / ratio));
  ctx.font = font(TITLE, 650);
  const head: [text: string, size: number, weight: number][] = wrapped(ctx, title, inner).map((text) => [text, TITLE, 650]);
  ctx.font = font(WORDS);
  for (const line of lines) for (const text of wrapped(ctx, line, inner)) head.push([text, WORDS, 400]);
  const drawn = charts.map((chart) => ({ ...chart, lines: chart.words.length ? wrapped(ctx, chart.words.join(" · "), inner) : [] }));
  const height = drawn.reduce((sum, { canvas, lines: own }) => sum + own.length * LINE + canvas.height / ratio + GAP, head.length * (LINE + 4) + GAP);
  found.width = Math.round((inner + 2 * PAD) * ratio);
  found.height = Math.round((height + LINE + 2 * PAD) * ratio);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = colours.surface;
  ctx.fillRect(0, 0, inner + 2 * PAD, height + LINE + 2 * PAD);
  ctx.textBaseline = "top";
  let y = PAD;
  for (const [text, size, weight] of head) {
    ctx.font = font(size, weight);
    ctx.fillStyle = weight > 400 ? colours.ink : colours["ink-2"];
    ctx.fillText(text, PAD, y);
    y += LINE + 4;
  }
  y += GAP;
  for (const { canvas, lines: own } of drawn) {
    ctx.font = font(WORDS, 600);
    ctx.fillStyle = colours.ink;
    for (const text of own) {
      ctx.fillText(text, PAD, y);
      y += LINE;
    }
    ctx.drawImage(canvas, PAD, y, canvas.width / ratio, canvas.height / ratio);
    y += canvas.height / ratio + GAP;
  }
  ctx.font = font(WORDS);
  legend(ctx, PAD, y + LINE / 2, colours);
  return found;
}

/** Text in lines that are no wider than `width`. */
export function wrapped(ctx: Pick<CanvasRenderingContext2D, "measureText">, text: string, width: number): string[] {
  const found: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && ctx.measureText(longer).width > width) {
      found.push(line);
      line = word;
    } else line = longer;
  }
  return line ? [...found, line] : found;
}

function legend(ctx: CanvasRenderingContext2D, left: number, y: number, colours: Palette): void {
  const marks: [words: string, draw: (x: number) => void][] = [
    [exploreWords.legend.value, (x) => stroke(ctx, x, y, colours.ink, 1.5, [])],
    [
      exploreWords.legend.band,
      (x) => {
        ctx.fillStyle = colours.band;
        ctx.fillRect(x, y - 5, MARK, 10);
        stroke(ctx, x, y - 5, colours["band-edge"], 1, []);
        stroke(ctx, x, y + 5, colours["band-edge"], 1, []);
      },
    ],
    [exploreWords.legend.expected, (x) => stroke(ctx, x, y, colours.expected, 1.25, [4, 3])],
    [
      exploreWords.legend.out,
      (x) => {
        stroke(ctx, x, y, colours.out, 2.25, []);
        ctx.fillStyle = colours.out;
        ctx.beginPath();
        ctx.arc(x + MARK / 2, y, 3, 0, 2 * Math.PI);
        ctx.fill();
      },
    ],
    [
      exploreWords.legend.alert,
      (x) => {
        ctx.fillStyle = colours["out-wash"];
        ctx.fillRect(x, y - 6, MARK, 12);
        ctx.fillStyle = colours.out;
        ctx.fillRect(x, y - 6, MARK, 3);
      },
    ],
  ];
  ctx.textBaseline = "middle";
  let x = left;
  for (const [text, draw] of marks) {
    draw(x);
    ctx.fillStyle = colours["ink-2"];
    ctx.fillText(text, x + MARK + 6, y);
    x += MARK + 6 + ctx.measureText(text).width + 18;
  }
}

function stroke(ctx: CanvasRenderingContext2D, x: number, y: number, colour: string, width: number, dash: number[]): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + MARK, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Charts that stand in a part of the page, with the words that their `data-words` name. */
export function chartsIn(host: ParentNode): Drawn[] {
  return [...host.querySelectorAll<HTMLElement>(".chart")].flatMap((chart) => {
    const canvas = chart.querySelector("canvas");
    return canvas?.width ? [{ canvas, words: (chart.dataset["words"] ?? "").split("\n").filter(Boolean) }] : [];
  });
}

/** A canvas as a file. */
export function png(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("The browser made no picture."))), "image/png"));
}
