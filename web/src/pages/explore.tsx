// Explore: filter, then the chart of one series, its history, and its points as a table.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { DAY, HOUR } from "../chart/time";
import { parseFilter } from "../filter";
import { useKeys } from "../keys";
import { FilterBar } from "../parts/filter_bar";
import { Matches, useSeriesList } from "../parts/matches";
import { SeriesCard } from "../parts/series_card";
import { choose, view } from "../route";
import { words } from "../words";
import { exploreWords } from "../words/explore";

const SPANS: [name: string, ms: number | null][] = [
  ["1 h", HOUR],
  ["6 h", 6 * HOUR],
  ["24 h", DAY],
  ["7 d", 7 * DAY],
  ["30 d", 30 * DAY],
  ["1 y", 365 * DAY],
  ["all", null],
];
const USUAL = "24 h";

export function Explore(): JSX.Element {
  const text = view.value.get("q") ?? "";
  const conditions = useMemo(() => parseFilter(text), [text]);
  const list = useSeriesList(conditions);
  const chosen = view.value.get("series");
  const shown = list.rows.find((row) => row.series === chosen) ?? (chosen ? undefined : list.rows[0]);
  const span = view.value.get("span") ?? USUAL;
  const comparing = view.value.get("compare") === "on";
  const toggle = (): void => choose({ compare: comparing ? null : "on" });
  useKeys([{ keys: "c", words: exploreWords.compareKey, act: toggle }], [comparing]);
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
      <button type="button" class="button compare-mode" aria-pressed={comparing} title={exploreWords.compareOn} onClick={toggle}>
        {exploreWords.compare}
      </button>
      <Matches list={list} chosen={shown?.series ?? chosen ?? ""} comparing={comparing} conditions={conditions} />
      <SeriesCard series={chosen ?? shown?.series ?? null} row={shown} span={(SPANS.find(([name]) => name === span) ?? SPANS[2]!)[1]} />
    </div>
  );
}
