"use strict";
// The report's charts: drawn when they come into view, zoomed by drag, wheel or key, read out in a fixed line.
// Texts come with the data (words.py), colours from the style sheet: a change of theme redraws nothing.
const page = JSON.parse(document.getElementById("data").textContent), words = page.words, [CUT, ANOMALOUS, IMPUTED, IN_ALERT] = [1, 2, 4, 8];
const LEFT = 50, RIGHT = 10, TOP = 24, LANE = 46, LANE_GAP = 16, AXIS = 22, SCORE_MAX = 4, ROWS_MAX = 200;
const SECOND = 1e3, MINUTE = 6e4, HOUR = 36e5, DAY = 864e5;
const find = (selector, root = document) => root.querySelector(selector);
const every = (selector, root = document) => [...root.querySelectorAll(selector)];
let charts = [], cursor = null;

// ---- words -----------------------------------------------------------------------------------------------------
const [digits, exact] = [3, 7].map((n) => new Intl.NumberFormat("en-US", { maximumSignificantDigits: n })), pad = (n, width = 2) => String(n).padStart(width, "0");
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" "), DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

const plain = (v) => v === 0 || (Math.abs(v) >= 1e-5 && Math.abs(v) < 1e15);
const bounded = (v) => (v > 999 ? "> 999" : number(v));
const number = (v, form = digits) => (Number.isFinite(v) ? (plain(v) ? form.format(v) : v.toPrecision(3)).replace("-", "−") : "–");
const quantity = (v, unit, form) => number(v, form) + (unit && Number.isFinite(v) ? "\u00a0" + unit : "");

const offset = (t) => page.offsets[Math.max(0, page.offsets.findLastIndex(([from]) => t >= from))]; // [from, ms, name]
const local = (t) => new Date(t + offset(t)[1]);
const hm = (d, s) => `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}` + (s ? `:${pad(d.getUTCSeconds())}` : "");
const dayOf = (d) => `${d.getUTCDate()}\u00a0${MONTHS[d.getUTCMonth()]}`;
const moment = (t, fine) => [local(t)].map((d) => `${DAYS[d.getUTCDay()]} ${dayOf(d)} ${d.getUTCFullYear()} ${hm(d, fine)}`)[0];

// ---- data ------------------------------------------------------------------------------------------------------
function decode(s) {
  const bytes = Uint8Array.from(atob(s.data), (c) => c.charCodeAt(0));
  const column = (k) => Float64Array.from(new Float32Array(bytes.buffer, 4 * s.n * (k + 1), s.n));
  s.t = Float64Array.from(new Uint32Array(bytes.buffer, 0, s.n), (u) => s.t0 + u * s.tick);
  [s.y, s.mid, s.low, s.high] = [0, 1, 2, 3].map((k) => column(k).map((v) => v + s.base));
  [s.score, s.flags, s.data] = [column(4), bytes.subarray(24 * s.n), null];
  let segment = 0;
  s.segment = Int32Array.from(s.flags, (f) => (segment += f & CUT));
  s.hot = (i) => (s.flags[i] & ANOMALOUS) > 0 && Number.isFinite(s.y[i]);
  s.outside = (i) => !(s.y[i] <= s.high[i] && s.y[i] >= s.low[i]);
  s.widths = (i) => (s.y[i] > s.high[i] ? s.y[i] - s.high[i] : s.y[i] < s.low[i] ? s.y[i] - s.low[i] : 0) / (s.high[i] - s.low[i]);
}

function after(t, times) { // first index with times[index] >= t
  let [low, high] = [0, times.length];
  while (low < high) { const m = (low + high) >> 1; if (times[m] < t) low = m + 1; else high = m; }
  return low;
}

function nearest(s, t) {
  const i = Math.min(after(t, s.t), s.n - 1);
  return i > 0 && t - s.t[i - 1] < s.t[i] - t ? i - 1 : i;
}

function pick(s, from, to, x, width) { // points to draw: lowest and highest of each column of pixels, every anomaly
  if (to - from <= 2.5 * width) return Array.from({ length: to - from }, (_, k) => from + k);
  const keep = new Set();
  let [column, low, high] = [null, from, from];
  for (let i = from; i < to; i++) {
    const c = Math.floor(x(s.t[i]));
    if (c !== column) { keep.add(low).add(high); [column, low, high] = [c, i, i]; }
    if (!(s.y[i] >= s.y[low])) low = i;
    if (!(s.y[i] <= s.y[high])) high = i;
    if (s.flags[i] & (CUT | ANOMALOUS)) keep.add(i).add(Math.max(from, i - 1));
  }
  return [...keep.add(low).add(high)].sort((a, b) => a - b);
}

// ---- drawing ---------------------------------------------------------------------------------------------------
const r1 = (v) => Math.round(v * 10) / 10;

function el(name, attributes = {}, ...children) {
  const node = /^(table|thead|tbody|tr|th|td|b|span|p)$/.test(name) ? document.createElement(name) : document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, typeof value === "number" ? r1(value) : value);
  node.append(...children);
  return node;
}

const text = (x, y, cls, content) => el("text", { x, y, class: cls }, content);
const box = (x, y, width, height, cls) => el("rect", { x, y, width: Math.max(0, width), height, class: cls });
const rule = (x1, x2, y, cls) => el("line", { x1, x2, y1: y, y2: y, class: cls });

function path(s, index, x, y, values, joined) { // the line through the finite values, broken where joined(a, b) is false
  let d = "", before = -1;
  for (const i of index) {
    if (Number.isFinite(values[i])) d += `${before >= 0 && joined(before, i) ? "L" : "M"}${r1(x(s.t[i]))} ${r1(y(values[i]))}`;
    before = Number.isFinite(values[i]) ? i : -1;
  }
  return d;
}

function area(s, index, x, y) {
  const runs = [[]], edge = (values, run) => run.map((i) => `${r1(x(s.t[i]))} ${r1(y(values[i]))}`).join("L");
  for (const i of index) if (s.high[i] >= s.low[i]) runs.at(-1).push(i); else runs.push([]);
  return runs.filter((run) => run.length > 1).map((run) => `M${edge(s.high, run)}L${edge(s.low, run.slice().reverse())}Z`).join("");
}

function valueTicks(low, high, count) { // round values with their texts, three digits and k, M, G
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.8) * power;
  const top = Math.max(Math.abs(low), Math.abs(high)), [size, name] = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]].find(([n]) => top >= 5 * n || n === 1);
  const places = [...Array(16).keys()].find((p) => Math.abs((step / size).toFixed(p) - step / size) <= 1e-6 * step / size) ?? 16;
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push([k * step, k ? (k * step / size).toFixed(places).replace("-", "−") + name : "0"]);
  return ticks;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(...[[SECOND, [1, 2, 5, 10, 15, 30]], [MINUTE, [1, 2, 5, 10, 15, 30]],
  [HOUR, [1, 2, 3, 6, 12]], [DAY, [1, 2, 4, 7, 14]]].map(([unit, ns]) => ns.map((n) => n * unit)));

function timeTicks(from, to, width) { // [time, text, strong]: round local times; new days are strong, a clock change is named
  const room = 74 * (to - from) / width, step = STEPS.find((n) => n >= room), ticks = [];
  const back = (u) => u - offset(u - offset(u)[1])[1], push = (u, label, strong) => back(u) >= from && back(u) <= to && +local(back(u)) === u && ticks.push([back(u), label, strong]);
  if (!step) {
    const months = [1, 2, 3, 6, 12, 24, 60].find((n) => n * 30 * DAY >= room) ?? 120, start = local(from), month = (m) => Date.UTC(Math.floor(m / 12), m % 12);
    for (let m = Math.floor((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months; month(m) <= to + DAY; m += months)
      push(month(m), m % 12 ? MONTHS[m % 12] : String(m / 12), m % 12 === 0);
    return ticks;
  }
  let shift = offset(from)[1];
  for (let u = Math.ceil((from + shift) / step) * step; u <= to + 14 * HOUR && ticks.length < 60; u += step) {
    const d = new Date(u), newDay = u % DAY === 0, moved = (+local(back(u)) === u ? offset(back(u))[1] : shift) - shift;
    const clock = newDay ? `${DAYS[d.getUTCDay()]} ${dayOf(d)}` : hm(d, step < MINUTE) + (u % SECOND ? "." + pad(u % SECOND, 3) : "");
    push(u, (step >= DAY ? dayOf(d) : clock) + (moved ? ` ${moved > 0 ? "+" : "−"}${Math.abs(moved) / HOUR}\u00a0h` : ""), newDay && step < DAY);
    shift += moved;
  }
  return ticks;
}

function valueRange(s, index) { // values whole, the band as far as it does not dwarf them; from 0 where that costs little
  const of = (values) => index.map((i) => values[i]).filter(Number.isFinite), least = (a) => a.reduce((p, q) => Math.min(p, q), Infinity);
  const most = (a) => a.reduce((p, q) => Math.max(p, q), -Infinity), [ys, lows, highs] = [of(s.y), of(s.low), of(s.high)];
  let [low, high] = ys.length ? [least(ys), most(ys)] : lows.length ? [least(lows), most(highs)] : [0, 1];
  const natural = low >= 0, room = Math.max(0.6 * (high - low), 1e-6 * Math.abs(high), 1e-9);
  low = Math.min(low, Math.max(least(lows), low - room));
  high = Math.max(high, Math.min(most(highs), high + room));
  const air = 0.08 * (high - low), width = lows.length ? highs.reduce((sum, v, k) => sum + v - lows[k], 0) / lows.length : 0;
  const zero = natural && (low < 0.3 * high || width >= 0.15 * high);
  return [zero ? (low < 0 ? low - air : 0) : low - air, high + air, zero];
}

class Chart {
  constructor(card) {
    Object.assign(this, { card, s: page.series[card.dataset.i], back: [], node: find(".chart", card), points: find(".points", card) });
    [this.plot, this.strip, this.readout] = [".plot", ".overview", ".readout"].map((c) => find(c, card));
    this.points.addEventListener("toggle", () => this.table());
    listen(this);
  }

  prepare() {
    const { s } = this, { n, interval } = s;
    if (this.range) return this;
    decode(s);
    this.full = n > 1 ? [s.t[0], s.t[n - 1]] : [(s.t[0] ?? 0) - SECOND, (s.t[0] ?? 0) + SECOND];
    this.range = this.full;
    this.least = Math.min(this.full[1] - this.full[0], Math.max(1, 8 * interval || (this.full[1] - this.full[0]) / 2000));
    this.at = n - 1; // the readout begins at the strangest point, else at the last
    for (let i = 0; i < n; i++) if (s.hot(i) && !(s.hot(this.at) && s.score[i] <= s.score[this.at])) this.at = i;
    return this;
  }

  zoom(from, to, keep = true) {
    const before = this.prepare().range, [a, b] = this.full, width = Math.min(b - a, Math.max(this.least, to - from));
    const start = Math.min(Math.max(a, (from + to - width) / 2), b - width);
    this.range = [start, start + width];
    if (keep && String(this.range) !== String(before)) this.back.push(before);
    this.draw();
    const place = width < b - a ? `/${Math.round(start)}/${Math.round(start + width)}` : "";
    try { history.replaceState(null, "", `#${this.card.id}${place}`); } catch { /* refused in some frames; the zoom itself works */ }
  }

  scale(factor, t = (this.range[0] + this.range[1]) / 2) {
    this.zoom(t - (t - this.range[0]) * factor, t + (this.range[1] - t) * factor);
  }
  draw() {
    const { s } = this.prepare(), [from, to] = this.range, width = this.plot.clientWidth, height = this.plot.clientHeight;
    if (!width) return;
    const right = width - RIGHT, lane = height - AXIS, base = lane - LANE - LANE_GAP, x = (t) => LEFT + (t - from) / (to - from) * (right - LEFT);
    const index = pick(s, Math.max(0, after(from, s.t) - 1), Math.min(s.n, after(to, s.t) + 2), x, right - LEFT);
    const [low, high, zero] = valueRange(s, index.filter((i) => s.t[i] >= from && s.t[i] <= to));
    const y = (v) => Math.max(-60, Math.min(height + 60, base - (v - low) / (high - low) * (base - TOP)));
    const whole = from <= this.full[0] && to >= this.full[1], said = whole ? "" : ` ${words.showing} ${moment(from)} – ${moment(to)}.`;
    const id = `clip-${this.card.id}`, [spans, inner, below] = ["all", "plot", "all"].map((part) => el("g", { "clip-path": `url(#${id}-${part})` }));
    Object.assign(this, { x, y, base, lane, right, width });
    this.svg = el("svg", { width, height, role: "img", "aria-label": this.node.dataset.label + said }, el("clipPath", { id: `${id}-all` }, box(LEFT, 0, right - LEFT, height, "")), el("clipPath", { id: `${id}-plot` }, box(LEFT, TOP - 5, right - LEFT, base - TOP + 9, "")));
    for (const [a, b] of s.alerts.filter((span) => span[1] >= from && span[0] <= to).map(([a, b]) => [Math.max(x(a), LEFT), Math.min(x(b), right)]))
      spans.append(box(a, TOP, Math.max(3, b - a), base - TOP, "wash"), box(a, TOP - 5, Math.max(3, b - a), 4, "rail"));
    this.axes(valueTicks(low, high, base > 200 ? 4.5 : 3.5), zero);
    this.values(inner, index);
    this.scores(below, index);
    [this.selection, this.cross] = [box(0, TOP, 0, lane - TOP, "brush"), el("g")];
    this.svg.append(spans, inner, below, this.selection, this.cross);
    this.plot.replaceChildren(this.svg);
    for (const button of every("[data-act=out],[data-act=all]", this.card)) button.disabled = whole;
    this.overview();
    this.mark();
    this.table();
  }

  axes(ticks, zero) {
    const { svg, base, lane, right } = this;
    for (const [v, label] of ticks) svg.append(rule(LEFT, right, Math.round(this.y(v)) + 0.5, "grid"), text(LEFT - 8, this.y(v) + 4, "tick end", label));
    if (!zero) svg.append(el("path", { d: `M${LEFT} ${base}v-3l-4 -2l8 -4l-4 -2v-4`, class: "notch" }));
    svg.append(rule(LEFT, right, base + 0.5, "axis"), rule(LEFT, right, lane + 0.5, "axis"), text(LEFT + 4, TOP - 9, "tick", this.s.unit));
    svg.append(...this.times(this.x, this.range, lane + 16));
  }

  times(x, [from, to], y) {
    const fits = ([t, label]) => x(t) + label.length * 3.1 <= this.width && x(t) - label.length * 3.1 >= 0;
    return timeTicks(from, to, this.right - LEFT).filter(fits).map(([t, label, strong]) => text(x(t), y, `tick mid${strong ? " strong" : ""}`, label));
  }

  values(group, index) {
    const { s, x, y, right } = this, add = (cls, d) => d && group.append(el("path", { class: cls, d })), always = () => true;
    const joined = (a, b) => s.segment[a] === s.segment[b], filled = (a, b) => ((s.flags[a] | s.flags[b]) & IMPUTED) > 0;
    add("band", area(s, index, x, y));
    for (const edge of [s.high, s.low]) add("band-edge", path(s, index, x, y, edge, always));
    add("expected", path(s, index, x, y, s.mid, always));
    add(index.length > right - LEFT ? "value dense" : "value", path(s, index, x, y, s.y, (a, b) => joined(a, b) && !filled(a, b)));
    if (index.some((i) => s.flags[i] & IMPUTED)) add("value-filled", path(s, index, x, y, s.y, (a, b) => joined(a, b) && filled(a, b)));
    add("value-out", path(s, index, x, y, s.y, (a, b) => joined(a, b) && s.hot(b) && s.outside(b)));
    for (const [from, to, length] of s.gaps.filter(([p, q]) => x(q) > LEFT && x(p) < right && x(q) - x(p) >= 2)) {
      group.append(box(x(from), this.base - 7, x(to) - x(from), 7, "missing"));
      if (x(to) - x(from) > 96) group.append(text((Math.max(LEFT, x(from)) + Math.min(right, x(to))) / 2, this.base - 12, "tick mid", `${words.noData}, ${length}`));
    }
    this.dots(group, index);
  }

  dots(group, index) { // every anomaly; where dots would touch only onset, peak and end of the run
    const { s, x, y } = this, dot = (i) => el("circle", { cx: x(s.t[i]), cy: y(s.y[i]), r: s.score[i] >= 2 ? 3.8 : 3, class: "anom" }), runs = [[]];
    for (const i of index) if (s.hot(i)) runs.at(-1).push(i); else if (runs.at(-1).length) runs.push([]);
    for (const run of runs.filter((r) => r.length)) {
      const peak = run.reduce((a, b) => (s.score[b] > s.score[a] ? b : a)), [a, b] = [run[0], run.at(-1)], spread = x(s.t[b]) - x(s.t[a]);
      group.append(...(spread >= 7 * (run.length - 1) ? run : spread < 8 ? [peak] : [...new Set([a, b, peak])]).map(dot));
      const under = Math.max(...run.map((i) => y(s.y[i]))) + 9;
      if (!s.outside(peak)) group.append(el("path", { class: "bracket", d: `M${r1(x(s.t[a]) - 4)} ${r1(under - 4)}v4H${r1(x(s.t[b]) + 4)}v-4` }));
    }
  }

  scores(group, index) {
    const { s, x, lane, right } = this, up = (v) => lane - Math.min(v, SCORE_MAX) / SCORE_MAX * LANE, cut = Math.round(up(1)) + 0.5;
    const judged = index.filter((i) => Number.isFinite(s.score[i])), foot = (i) => `${r1(x(s.t[i]))} ${lane}`;
    const grey = judged.map((i) => `L${r1(x(s.t[i]))} ${r1(up(Math.min(1, s.score[i])))}`).join("");
    const warm = judged.filter((i) => s.score[i] > 1).map((i) => `M${foot(i)}V${r1(up(s.score[i]))}`).join("");
    if (judged.length) group.append(el("path", { class: "score", d: `M${foot(judged[0])}${grey}L${foot(judged.at(-1))}Z` }));
    group.append(el("path", { class: "score-out", d: warm, "stroke-width": Math.max(2, Math.min(8, (right - LEFT) / (index.length || 1))) }));
    const first = s.score.findIndex(Number.isFinite), learned = first < 0 ? right : Math.min(right, x(s.t[first]));
    if (learned > LEFT + 1) group.append(box(LEFT, lane - LANE, learned - LEFT, LANE, "learn"));
    this.svg.append(rule(LEFT, right, cut, "cut"), text(LEFT - 8, cut + 3.5, "tick end", "1"), text(LEFT - 8, lane - LANE + 4, "tick end", "4"), text(LEFT + 4, lane - LANE - 4, "tick", words.scoreLane));
  }

  overview() { // the whole history as lowest to highest, a tick an alert, the window with its grips
    const { s, strip, right } = this, [a, b] = this.full, x = (t) => LEFT + (t - a) / (b - a) * (right - LEFT), index = pick(s, 0, s.n, x, (right - LEFT) / 2);
    const ys = index.map((i) => s.y[i]).filter(Number.isFinite), low = Math.min(...ys), high = Math.max(...ys), y = (v) => 38 - (v - low) / (high - low || 1) * 30;
    const [p, q] = this.range.map(x), whole = this.range[0] === a && this.range[1] === b;
    const svg = el("svg", { width: this.width, height: 60, "aria-hidden": "true" }, el("path", { class: "history", d: path(s, index, x, y, s.y, (i, k) => s.segment[i] === s.segment[k]) }));
    for (const [from, to] of s.alerts) svg.append(box(x(from), 0, Math.max(3, x(to) - x(from)), 4, "rail"));
    svg.append(rule(LEFT, right, 42.5, "axis"), ...this.times(x, this.full, 57));
    if (!whole) svg.append(box(p, 0.5, Math.max(2, q - p), 42, "brush"), box(p - 2, 14, 4, 14, "grip"), box(q - 2, 14, 4, 14, "grip"));
    strip.replaceChildren(svg);
  }

  mark() { // crosshair and readout
    const { s, x, y, lane } = this.prepare(), i = this.at;
    if (!s.n || !this.svg) return;
    const t = s.t[i], seen = t >= this.range[0] && t <= this.range[1], off = s.widths(i), kinds = words.kinds, form = number(s.low[i]) === number(s.high[i]) ? exact : digits;
    this.cross.replaceChildren(...(seen && cursor !== null ? [el("line", { x1: x(t), x2: x(t), y1: TOP - 6, y2: lane, class: "cross" })] : []));
    if (seen && cursor !== null && Number.isFinite(s.y[i])) this.cross.append(el("circle", { cx: x(t), cy: y(s.y[i]), r: 4, class: "dot-ink" }));
    const fine = (s.interval || MINUTE) % MINUTE > 0, kind = s.flags[i] & IMPUTED ? kinds.imputed : !s.hot(i) ? "" : !(s.flags[i] & IN_ALERT) ? kinds.alone : s.outside(i) ? kinds.value : kinds.pattern;
    const word = Number.isFinite(off) && Number.isFinite(s.y[i]) ? (off ? `${bounded(Math.abs(off))} ${off > 0 ? words.above : words.below}` : words.inside) : "";
    const parts = [el("span", {}, el("b", {}, `${moment(t, fine)} ${offset(t)[2]}`), offset(t)[1] ? ` ${hm(new Date(t), fine)} UTC` : ""),
      el("b", { class: "value" }, Number.isFinite(s.y[i]) ? quantity(s.y[i], s.unit) : words.missing),
      el("span", {}, Number.isFinite(s.low[i]) ? `${words.expected} ${number(s.mid[i], form)} (${number(s.low[i], form)}–${quantity(s.high[i], s.unit, form)})` : words.noBand)];
    if (word) parts.push(el("span", { class: s.hot(i) && off ? "is-out" : "" }, word));
    if (Number.isFinite(s.score[i])) parts.push(el("span", { class: s.hot(i) ? "is-out" : "" }, `${words.score} ${bounded(s.score[i])}`));
    this.readout.replaceChildren(...parts, ...(kind ? [el("span", {}, `${words.kind} ${kind}`)] : []));
  }

  point(i) {
    this.at = Math.max(0, Math.min(this.s.n - 1, i));
    const t = cursor = this.s.t[this.at], [a, b] = this.range;
    if (t < a || t > b) this.zoom(t - (b - a) / 2, t + (b - a) / 2, false);
    for (const chart of charts.filter((c) => c.near && c.svg)) { // one crosshair across all charts
      if (chart !== this && t >= chart.full[0] && t <= chart.full[1]) chart.at = nearest(chart.s, t);
      chart.mark();
    }
  }

  table() {
    if (!this.points.open || !this.range) return;
    const { s } = this, [from, to] = [after(this.range[0], s.t), after(this.range[1] + 1, s.t)], all = Array.from({ length: to - from }, (_, k) => to - 1 - k);
    const rows = all.length <= ROWS_MAX ? all : [...new Set([...all.filter(s.hot).slice(0, ROWS_MAX - 40), ...all.slice(0, 40)])].sort((a, b) => b - a);
    const cell = (content, k) => el("td", k > 0 && k < 6 ? { class: "num" } : {}, content);
    const body = rows.map((i) => el("tr", s.hot(i) ? { class: "is-out" } : {}, ...[moment(s.t[i], true), el("b", {}, number(s.y[i])), number(s.mid[i]),
      `${number(s.low[i])} – ${number(s.high[i])}`, Number.isFinite(s.widths(i)) ? (s.widths(i) ? number(s.widths(i)) : words.inside) : "–", bounded(s.score[i]),
      s.flags[i] & IMPUTED ? words.kinds.imputed : s.hot(i) ? (s.outside(i) ? words.kinds.value : words.kinds.pattern) : ""].map(cell)));
    const head = el("tr", {}, ...words.columns.map((name, k) => el("th", { scope: "col", class: k > 0 && k < 6 ? "num" : "" }, name)));
    const more = rows.length < all.length ? [el("p", { class: "note" }, words.tableMore.replace("{n}", rows.length).replace("{m}", all.length.toLocaleString("en-US")))] : [];
    find(".scroll", this.points).replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)), ...more);
  }
}

// ---- hands -----------------------------------------------------------------------------------------------------
function listen(chart) {
  const { node, plot, strip, card } = chart;
  let held = null; // where a button went down: from, in the plot also to; in the overview the range and what was caught
  const time = (event, [a, b]) => a + (b - a) * Math.max(0, Math.min(1, (event.clientX - plot.getBoundingClientRect().left - LEFT) / (chart.right - LEFT)));
  const hold = (event, what) => { if (!event.button) { event.currentTarget.setPointerCapture(event.pointerId); held = what; } };
  plot.addEventListener("pointerdown", (event) => hold(event, { from: time(event, chart.range), x: event.clientX }));
  plot.addEventListener("pointermove", (event) => {
    if (!chart.svg) return;
    chart.readout.setAttribute("aria-live", "off");
    chart.point(nearest(chart.s, time(event, chart.range)));
    if (!held || event.pointerType === "touch" || Math.abs(event.clientX - held.x) < 5) return;
    held.to = time(event, chart.range);
    const [p, q] = [held.from, held.to].map(chart.x).sort((i, k) => i - k);
    chart.selection.setAttribute("x", p);
    chart.selection.setAttribute("width", q - p);
  });
  plot.addEventListener("lostpointercapture", () => {
    if (held?.to !== undefined) chart.zoom(Math.min(held.from, held.to), Math.max(held.from, held.to));
    held = null;
  });
  strip.addEventListener("pointerdown", (event) => {
    const [a, b] = chart.range, t = time(event, chart.full), near = 8 / (chart.right - LEFT) * (chart.full[1] - chart.full[0]), whole = b - a >= chart.full[1] - chart.full[0];
    hold(event, { t, a, b, caught: whole ? "new" : Math.abs(t - a) < near ? "a" : Math.abs(t - b) < near ? "b" : t > a && t < b ? "both" : "new" });
    chart.back.push([a, b]);
  });
  strip.addEventListener("pointermove", (event) => {
    if (!held) return;
    const { t, a, b, caught } = held, now = time(event, chart.full), far = now - t;
    chart.zoom(...{ a: [Math.min(now, b), b], b: [a, Math.max(now, a)], both: [a + far, b + far], new: [Math.min(t, now), Math.max(t, now)] }[caught], false);
  });
  strip.addEventListener("lostpointercapture", () => { held = null; });
  const within = () => (chart.s.t[chart.at] > chart.range[0] && chart.s.t[chart.at] < chart.range[1] ? chart.s.t[chart.at] : undefined);
  const acts = { in: () => chart.scale(0.5, within()), out: () => chart.scale(2, within()), all: () => chart.zoom(...chart.full), back: () => chart.back.length && chart.zoom(...chart.back.pop(), false) };
  for (const button of every("[data-act]", card)) button.addEventListener("click", acts[button.dataset.act]);
  plot.addEventListener("dblclick", acts.back);
  plot.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    chart.scale(event.deltaY > 0 ? 1.25 : 0.8, time(event, chart.range));
  }, { passive: false });
  const seek = (step) => {
    let i = chart.at + step;
    while (i >= 0 && i < chart.s.n && !(chart.s.hot(i) && !chart.s.hot(i - 1))) i += step;
    if (i >= 0 && i < chart.s.n) chart.point(i);
  };
  const walk = (step) => (event) => chart.point(chart.at + step * (event.shiftKey ? 10 : 1));
  shortcuts(node, { ArrowLeft: walk(-1), ArrowRight: walk(1), "+": acts.in, "=": acts.in, "-": acts.out, "−": acts.out, 0: acts.all, Escape: acts.back,
    "[": () => seek(-1), "]": () => seek(1), t: () => { chart.points.open = !chart.points.open; } }, () => chart.readout.setAttribute("aria-live", "polite"));
}

function shortcuts(target, keys, first = () => {}) { // single keys act only when no field has focus
  target.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, dialog *") || !keys[event.key]) return;
    event.preventDefault();
    first();
    keys[event.key](event);
  });
}

function follow() { // #s3 or #s3/from/to opens that chart at that span
  const [id, from, to] = location.hash.slice(1).split("/"), chart = charts.find((c) => c.card.id === id);
  if (chart && to) chart.zoom(+from, +to);
  chart?.node.focus({ preventScroll: true });
  chart?.card.scrollIntoView();
}

function search(field) {
  const wanted = field.value.toLowerCase().split(/\s+/), items = every(".series-list li");
  items.forEach((item, i) => { charts[i].card.hidden = item.hidden = !wanted.every((word) => item.dataset.name.includes(word)); });
  find("#found").textContent = words.found.replace("{n}", items.filter((item) => !item.hidden).length).replace("{m}", items.length);
}

function start() {
  charts = every(".card.series").map((card) => new Chart(card));
  const of = (node) => charts.find((chart) => chart.card === node || chart.plot === node);
  const eye = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting }) => {
    const chart = of(target);
    chart.near = isIntersecting;
    if (isIntersecting && !chart.svg) chart.draw();
  }), { rootMargin: "300px" });
  const size = new ResizeObserver((seen) => seen.forEach(({ target }) => of(target).svg && of(target).draw()));
  for (const chart of charts) { eye.observe(chart.card); size.observe(chart.plot); }
  const themes = ["", "light", "dark"], root = document.documentElement, next = () => {
    root.dataset.theme = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % 3];
    find("#theme-name").textContent = words.themes[root.dataset.theme];
  };
  const go = (step) => {
    const shown = charts.filter((c) => !c.card.hidden), chart = shown[Math.max(0, Math.min(shown.length - 1, shown.findIndex((c) => c.card.contains(document.activeElement)) + step))];
    chart?.node.focus({ preventScroll: true });
    chart?.card.scrollIntoView();
  };
  const field = find("#find"), help = () => find("#keys").showModal();
  shortcuts(document, { "?": help, d: next, j: () => go(1), k: () => go(-1), "/": () => field?.focus() });
  find("#theme-switch").addEventListener("click", next);
  find("#show-keys").addEventListener("click", help);
  field?.addEventListener("input", () => search(field));
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { for (const more of every(".more")) more.open = true; charts.forEach((chart) => chart.svg || chart.draw()); });
  follow();
}

start();
