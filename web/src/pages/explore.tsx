// Explore: filter, then the chart of one series, its history, and its points as a table.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useResource } from "../api/resource";
import type { Page, Series } from "../api/types";
import { count, number } from "../chart/format";
import { DAY, HOUR } from "../chart/time";
import { chipWords, type Condition, filterQuery, filterText, parseFilter } from "../filter";
import { useKeys } from "../keys";
import { Card, Empty, Waiting } from "../parts/card";
import { SeriesCard } from "../parts/series_card";
import { Spark } from "../parts/spark";
import { choose, view } from "../route";
import { words } from "../words";

const SPANS: [name: string, ms: number | null][] = [
  ["1 h", HOUR],
  ["6 h", 6 * HOUR],
  ["24 h", DAY],
  ["7 d", 7 * DAY],
  ["30 d", 30 * DAY],
  ["1 y", 365 * DAY],
  ["all", null],
];
const LIST_MAX = 200;

export function Explore(): JSX.Element {
  const text = view.value.get("q") ?? "";
  const conditions = useMemo(() => parseFilter(text), [text]);
  const list = useResource<Page<Series>>("series", { ...filterQuery(conditions), sort: "-score", spark: "6h", limit: LIST_MAX }, ["series"]);
  const rows = list.data?.data ?? [];
  const chosen = view.value.get("series");
  const shown = rows.find((row) => row.series === chosen) ?? (chosen ? undefined : rows[0]);
  const span = view.value.get("span") ?? "24 h";
  return (
    <div class="page explore">
      <h1 class="spoken">{words.pages["explore"]}</h1>
      <FilterBar text={text} />
      <div class="spans" role="group" aria-label={words.rangeLabel}>
        {SPANS.map(([name]) => (
          <button type="button" key={name} aria-pressed={span === name && !view.value.has("from")} onClick={() => choose({ span: name, from: null, to: null }, true)}>
            {name}
          </button>
        ))}
      </div>
      <Matches of={list} rows={rows} chosen={shown?.series ?? chosen ?? ""} />
      <SeriesCard series={chosen ?? shown?.series ?? null} row={shown} span={SPANS.find(([name]) => name === span)?.[1] ?? null} />
    </div>
  );
}

/** Conditions that stand as chips, and what is still being typed. */
interface Draft {
  chips: Condition[];
  typed: string;
}

function draftOf(text: string): Draft {
  const all = parseFilter(text);
  return { chips: all.filter((c) => c.field !== "text"), typed: filterText(all.filter((c) => c.field === "text")) };
}

/** What is typed after a key: labels become chips at a space. */
export function typedInto(draft: Draft, typed: string): Draft {
  if (!typed.endsWith(" ")) return { ...draft, typed };
  const all = parseFilter(typed);
  const done = all.filter((c) => c.field !== "text");
  if (done.length === 0) return { ...draft, typed };
  return { chips: [...draft.chips, ...done], typed: filterText(all.filter((c) => c.field === "text")) };
}

function FilterBar({ text }: { text: string }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(() => draftOf(text));
  const said = useRef(text);
  useKeys([{ keys: "/", words: words.filter, act: () => field.current?.focus() }], []);
  useEffect(() => {
    // Somebody else changed the address: a step back, a button. While somebody types, the address only lags behind.
    if (text !== said.current && document.activeElement !== field.current) {
      said.current = text;
      setDraft(draftOf(text));
    }
  }, [text]);
  const apply = (next: Draft): void => {
    setDraft(next);
    said.current = filterText([...next.chips, ...parseFilter(next.typed)]);
    choose({ q: said.current || null });
  };
  const remove = (k: number): void => {
    apply({ ...draft, chips: draft.chips.filter((_, i) => i !== k) });
    field.current?.focus();
  };
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      {draft.chips.map((condition, k) => {
        const [name, rest] = chipWords(condition);
        return (
          <span class="chip" key={`${name}${rest}`}>
            <b>{name}</b> {rest}
            <button type="button" aria-label={words.removeCondition(`${name} ${rest}`)} onClick={() => remove(k)}>
              ×
            </button>
          </span>
        );
      })}
      <input
        ref={field}
        type="search"
        value={draft.typed}
        placeholder={words.filterPlaceholder}
        aria-label={words.filter}
        onInput={(event) => apply(typedInto(draft, event.currentTarget.value))}
        onKeyDown={(event) => {
          if (event.key === "Backspace" && !draft.typed && draft.chips.length) remove(draft.chips.length - 1);
          if (event.key === "Escape") field.current?.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

interface MatchesProps {
  of: ReturnType<typeof useResource<Page<Series>>>;
  rows: readonly Series[];
  chosen: string;
}

function Matches({ of, rows, chosen }: MatchesProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const move = (by: number): void => {
    const here = rows.findIndex((row) => row.series === chosen);
    const next = rows[Math.max(0, Math.min(rows.length - 1, here + by))];
    if (next) choose({ series: next.series });
  };
  useKeys(
    [
      { keys: "j", words: words.nextSeries, act: () => move(1) },
      { keys: "k", words: words.previousSeries, act: () => move(-1) },
    ],
    [rows, chosen],
  );
  useEffect(() => list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }), [chosen]);
  const outside = rows.filter((row) => (row.anomaly_score ?? 0) > 1);
  const inside = rows.filter((row) => !((row.anomaly_score ?? 0) > 1));
  const total = of.data?.total ?? rows.length;
  return (
    <Card class="matches" title={words.matching(rows.length, total)} aside={words.scoreColumn}>
      <Waiting of={of} what="the series" rows={8} />
      {of.data && rows.length === 0 && (
        <Empty
          action={
            <button type="button" class="button" onClick={() => choose({ q: null })}>
              {words.clearFilter}
            </button>
          }
        >
          {view.value.get("q") ? words.noMatches(view.value.get("q")!) : words.noSeries}
        </Empty>
      )}
      <ul ref={list}>
        {outside.length > 0 && <Head text={words.outsideList} n={outside.length} />}
        {outside.map((row) => (
          <Match key={row.series + row.watch} row={row} chosen={row.series === chosen} />
        ))}
        {inside.length > 0 && <Head text={words.insideList} n={inside.length} />}
        {inside.map((row) => (
          <Match key={row.series + row.watch} row={row} chosen={row.series === chosen} />
        ))}
      </ul>
      {total > rows.length && <p class="more third">{words.moreSeries(total - rows.length)}</p>}
    </Card>
  );
}

function Head({ text, n }: { text: string; n: number }): JSX.Element {
  return (
    <li class="head">
      <span>{text}</span>
      <b>{count(n)}</b>
    </li>
  );
}

function Match({ row, chosen }: { row: Series; chosen: boolean }): JSX.Element {
  const labels = Object.values(row.labels).join(", ");
  const hot = (row.anomaly_score ?? 0) > 1;
  return (
    <li>
      <button type="button" title={row.series} onClick={() => choose({ series: row.series }, true)} {...(chosen ? { "aria-current": "true" as const } : {})}>
        <span class="who">
          <b>{row.metric}</b>
          <span class="third">{labels}</span>
        </span>
        <Spark points={row.spark} width={74} height={28} />
        <span class={`number ${hot ? "out" : "second"}`}>{row.anomaly_score === null ? words.stateShort(row.state) : number(row.anomaly_score, 2)}</span>
      </button>
    </li>
  );
}
