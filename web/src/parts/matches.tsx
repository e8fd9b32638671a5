// Series that match the filter, the strangest first. Only those in view stand in the page; more come as it is scrolled.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { changes } from "../api/live";
import { type Resource, useResource } from "../api/resource";
import type { Page, Series } from "../api/types";
import { count, number } from "../chart/format";
import { chipWords, type Condition, filterQuery, filterText } from "../filter";
import { useKeys } from "../keys";
import { choose, view } from "../route";
import { words } from "../words";
import { taskWords } from "../words/tasks";
import { StartTask } from "./start_task";
import { exploreWords } from "../words/explore";
import { Card, Empty, Waiting } from "./card";
import { COMPARED_MAX, toggleCompared } from "./compared";
import { Spark } from "./spark";
import { windowOf } from "./window_of";

const PAGE = 200;
/** Rows that can be scrolled to; who wants others narrows the filter. */
const MOST = 2000;
const ROW = 50;
const HEAD = 32;
/** The list is asked anew at most this often, and not while the pointer is on it: nothing jumps. */
const REST_MS = 5000;

export interface List {
  of: Resource<Page<Series>>;
  rows: readonly Series[];
  total: number;
  more: () => void;
  held: { current: boolean };
}

/** Series by the filter; old rows stay while new ones come. */
export function useSeriesList(conditions: readonly Condition[]): List {
  const filter = filterQuery(conditions);
  const key = JSON.stringify(filter);
  const [wanted, setWanted] = useState({ key, limit: PAGE });
  const limit = wanted.key === key ? wanted.limit : PAGE;
  const of = useResource<Page<Series>>("series", { ...filter, sort: "-score", spark: "6h", spark_points: 40, limit });
  const kept = useRef<{ key: string; page: Page<Series> | null }>({ key: "", page: null });
  const held = useRef(false);
  const asked = useRef(0);
  const version = changes.series.value + changes.alerts.value;
  if (of.data) kept.current = { key, page: of.data };
  useEffect(() => {
    const wait = Math.max(0, asked.current + REST_MS - Date.now());
    const timer = setTimeout(() => {
      if (held.current || document.hidden) return;
      asked.current = Date.now();
      of.again();
    }, wait);
    return () => clearTimeout(timer);
  }, [version]);
  const page = of.data ?? (kept.current.key === key || of.error === null ? kept.current.page : null);
  const rows = page?.data ?? [];
  const more = (): void => {
    if (page?.next && rows.length >= limit && limit < MOST) setWanted({ key, limit: limit + PAGE });
  };
  return { of, rows, total: page?.total ?? rows.length, more, held };
}

type Line = { head: string; n: number } | { row: Series };

function linesOf(rows: readonly Series[]): Line[] {
  const outside = rows.filter((row) => (row.anomaly_score ?? 0) > 1);
  const inside = rows.filter((row) => !((row.anomaly_score ?? 0) > 1));
  return [
    ...(outside.length ? [{ head: words.outsideList, n: outside.length }] : []),
    ...outside.map((row) => ({ row })),
    ...(inside.length ? [{ head: words.insideList, n: inside.length }] : []),
    ...inside.map((row) => ({ row })),
  ];
}

interface Props {
  list: List;
  chosen: string;
  comparing: boolean;
  conditions: readonly Condition[];
}

export function Matches({ list, chosen, comparing, conditions }: Props): JSX.Element {
  const host = useRef<HTMLUListElement>(null);
  const { rows, total, of } = list;
  const lines = linesOf(rows);
  const heights = lines.map((line) => ("head" in line ? HEAD : ROW));
  const [at, setAt] = useState({ top: 0, size: 800 });
  const frame = useRef(0);
  const shown = windowOf(heights, at.top, at.size);
  const look = (): void => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      const el = host.current;
      if (!el) return;
      setAt({ top: el.scrollTop, size: el.clientHeight });
      if (el.scrollTop + el.clientHeight > el.scrollHeight - 10 * ROW) list.more();
    });
  };
  const move = (by: number): void => {
    const order = lines.flatMap((line) => ("row" in line ? [line.row] : []));
    const here = order.findIndex((row) => row.series === chosen);
    const next = order[Math.max(0, Math.min(order.length - 1, here + by))];
    if (next) choose({ series: next.series });
  };
  useKeys(
    [
      { keys: "j", words: words.nextSeries, act: () => move(1) },
      { keys: "k", words: words.previousSeries, act: () => move(-1) },
    ],
    [rows, chosen],
  );
  useEffect(() => {
    const el = host.current;
    const k = lines.findIndex((line) => "row" in line && line.row.series === chosen);
    if (!el || k < 0) return;
    const top = heights.slice(0, k).reduce((sum, high) => sum + high, 0);
    if (top < el.scrollTop + HEAD) el.scrollTop = top - HEAD;
    else if (top + ROW > el.scrollTop + el.clientHeight) el.scrollTop = top + ROW - el.clientHeight;
    look();
  }, [chosen, rows.length > 0]);
  const others = view.value.getAll("with");
  return (
    <Card class="matches" title={words.matching(rows.length, total)} aside={words.scoreColumn}>
      <Waiting of={rows.length ? { ...of, slow: false } : of} what="the series" rows={8} />
      {of.data && rows.length === 0 && <NoMatch conditions={conditions} />}
      <ul ref={host} onScroll={look} onPointerEnter={() => (list.held.current = true)} onPointerLeave={() => (list.held.current = false)}>
        {shown.before > 0 && <Room height={shown.before} />}
        {lines.slice(shown.first, shown.end).map((line) =>
          "head" in line ? (
            <Head key={line.head} text={line.head} n={line.n} />
          ) : (
            <Match key={line.row.series + line.row.watch} row={line.row} chosen={line.row.series === chosen} comparing={comparing} compared={others.includes(line.row.series)} full={others.length >= COMPARED_MAX} />
          ),
        )}
        {shown.behind > 0 && <Room height={shown.behind} />}
      </ul>
      {total > rows.length && <p class="more third">{rows.length >= MOST ? exploreWords.capped(MOST) : words.moreSeries(total - rows.length)}</p>}
      {rows.length > 0 && <ExportAll conditions={conditions} />}
    </Card>
  );
}

/** Every point of all that matches as a file, where labels say what matches. */
function ExportAll({ conditions }: { conditions: readonly Condition[] }): JSX.Element | null {
  const { match, ...others } = filterQuery(conditions);
  if (Object.keys(others).length > 0) return null;
  const from = view.value.get("from");
  const to = view.value.get("to");
  return (
    <p class="more">
      <StartTask small body={{ kind: "export", series: match ?? "*", ...(from && to ? { from, to } : {}) }} text={taskWords.exportAll} hint={taskWords.exportHint} />
    </p>
  );
}

/** Room for rows that are out of view. */
function Room({ height }: { height: number }): JSX.Element {
  return <li class="room" aria-hidden="true" style={{ height: `${height}px` }} />;
}

function Head({ text, n }: { text: string; n: number }): JSX.Element {
  return (
    <li class="head">
      <span>{text}</span>
      <b>{count(n)}</b>
    </li>
  );
}

interface MatchProps {
  row: Series;
  chosen: boolean;
  comparing: boolean;
  compared: boolean;
  full: boolean;
}

function Match({ row, chosen, comparing, compared, full }: MatchProps): JSX.Element {
  const labels = Object.values(row.labels).join(", ");
  const hot = (row.anomaly_score ?? 0) > 1;
  return (
    <li>
      <button type="button" class="match" title={row.series} onClick={() => choose({ series: row.series }, true)} {...(chosen ? { "aria-current": "true" as const } : {})}>
        <span class="who">
          <b>{row.metric}</b>
          <span class="third">{labels}</span>
        </span>
        <Spark points={row.spark} width={74} height={28} />
        <span class={`number ${hot ? "out" : "second"}`}>{row.anomaly_score === null ? words.stateShort(row.state) : number(row.anomaly_score, 2)}</span>
      </button>
      {comparing && !chosen && (
        <button
          type="button"
          class="compare"
          aria-pressed={compared}
          disabled={full && !compared}
          title={full && !compared ? exploreWords.comparedFull(COMPARED_MAX) : undefined}
          aria-label={compared ? exploreWords.dropCompared(row.series) : exploreWords.compareWith(row.series)}
          onClick={() => toggleCompared(row.series)}
        >
          {compared ? "−" : "+"}
        </button>
      )}
    </li>
  );
}

const CLASH_MAX = 6;

/** Nothing matches: which condition, taken away, would leave something. */
function NoMatch({ conditions }: { conditions: readonly Condition[] }): JSX.Element {
  const clear = (
    <button type="button" class="button" onClick={() => choose({ q: null })}>
      {words.clearFilter}
    </button>
  );
  if (conditions.length === 0) return <Empty>{words.noSeries}</Empty>;
  if (conditions.length === 1) return <Empty action={clear}>{words.noMatches(named(conditions[0]!))}</Empty>;
  return (
    <Empty action={clear}>
      {exploreWords.clash(conditions.map(named).join(", "))}
      {conditions.slice(0, CLASH_MAX).map((condition, k) => (
        <Without key={k} conditions={conditions.filter((_, i) => i !== k)} without={condition} />
      ))}
    </Empty>
  );
}

function named(condition: Condition): string {
  return chipWords(condition).join(" ");
}

function Without({ conditions, without }: { conditions: readonly Condition[]; without: Condition }): ComponentChildren {
  const found = useResource<Page<Series>>("series", { ...filterQuery(conditions), limit: 1 });
  if (!found.data) return null;
  const said = exploreWords.without(named(without), found.data.total ?? 0);
  if (!found.data.total) return <span class="without">{said}</span>;
  return (
    <button type="button" class="link without" onClick={() => choose({ q: filterText(conditions) })}>
      {said}
    </button>
  );
}
