// Risk: how many entities are Critical and what they share; then where, since when, and what a state is.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useResource } from "../api/resource";
import type { Page } from "../api/types";
import { type RiskAnswer, type RiskEntity, type RiskShown, STATES } from "../api/types/risk";
import { count } from "../chart/format";
import { duration, moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { filterText } from "../filter";
import { Card, Empty, Waiting } from "../parts/card";
import { RiskHeat } from "../parts/risk_heat";
import { RiskPatterns, StateMark } from "../parts/risk_marks";
import { RiskOverTime } from "../parts/risk_ribbons";
import { RiskScatter } from "../parts/risk_scatter";
import { choose, href, view } from "../route";
import { words } from "../words";
import { riskWords } from "../words/risk";

const PERIODS = [
  ["6 h", "6h"],
  ["24 h", "24h"],
  ["7 d", "7d"],
] as const;
const USUAL = "24 h";
const SHOWN = 50;

export function RiskPage(): JSX.Element {
  const span = view.value.get("span") ?? USUAL;
  const period = PERIODS.find(([name]) => name === span) ?? PERIODS[1];
  const answer = useResource<RiskAnswer>("risk", { period: period[1] }, ["series", "configuration"]);
  const found = answer.data;
  const critical = found?.configured ? (found.counts.find((row) => row.state === "Critical")?.entities ?? 0) : 0;
  useEffect(() => {
    document.title = `${critical ? `${count(critical)} Critical · ` : ""}${words.pages["risk"]} · ${words.name}`;
  }, [critical]);
  if (found && !found.configured) return <Unconfigured command={found.command} setting={found.setting} />;
  return (
    <div class="page risk-page">
      <RiskPatterns />
      <header class="head-line">
        <h1>{found ? riskWords.title(critical, found.entities) : words.pages["risk"]}</h1>
        {found?.critical && (
          <p class="second">{riskWords.shared(found.critical.category, found.critical.of_them, found.critical.entities, moment(Date.parse(found.critical.since), zone, now.value))}</p>
        )}
        <div class="spans" role="group" aria-label={riskWords.period}>
          {PERIODS.map(([name]) => (
            <button type="button" key={name} aria-pressed={period[0] === name} onClick={() => choose({ span: name === USUAL ? null : name }, true)}>
              {name}
            </button>
          ))}
        </div>
      </header>
      {found?.entities ? <Shown of={found} period={period[0]} /> : <Nothing of={answer} />}
    </div>
  );
}

function Nothing({ of }: { of: ReturnType<typeof useResource<RiskAnswer>> }): JSX.Element {
  return (
    <section class="card">
      <Waiting of={of} what={words.pages["risk"]!} rows={6} />
      {of.data && <Empty>{riskWords.none}</Empty>}
    </section>
  );
}

function Unconfigured({ command, setting }: { command: string; setting: string }): JSX.Element {
  return (
    <div class="page risk-page">
      <header class="head-line">
        <h1>{riskWords.unconfigured}</h1>
      </header>
      <section class="card setup">
        <p>{riskWords.unconfiguredWhy}</p>
        <pre class="mono">{command}</pre>
        <p>{riskWords.unconfiguredThen}</p>
        <pre class="mono">{setting}</pre>
      </section>
    </div>
  );
}

function Shown({ of, period }: { of: RiskShown; period: string }): JSX.Element {
  return (
    <>
      <Counts of={of} />
      <Card class="over" title={riskWords.over(period)} aside={riskWords.overAside(of.ribbons.length, of.entities)}>
        <RiskOverTime shown={of} period={period} />
      </Card>
      <Card class="stands" title={riskWords.stands} aside={riskWords.standsAside(of.fit.features)}>
        <RiskScatter of={of.scatter} />
      </Card>
      <Card class="makes" title={riskWords.makes} aside={riskWords.makesAside}>
        <RiskHeat of={of.heat} />
      </Card>
      <InWords of={of} />
      <Entities horizon={duration(1000 * of.fit.step_seconds * of.fit.horizon_steps)} />
    </>
  );
}

function Counts({ of }: { of: RiskShown }): JSX.Element {
  const chosen = view.value.getAll("state");
  return (
    <section class="card states" aria-label={words.risk(of.entities)}>
      {of.counts.map((row) => {
        const on = chosen.includes(row.state);
        return (
          <button
            type="button"
            key={row.state}
            aria-pressed={on}
            title={riskWords.only(row.state)}
            onClick={() => choose({ state: on ? chosen.filter((s) => s !== row.state) : [...chosen, row.state], after: null })}
          >
            <span class="term">
              <StateMark state={row.state} /> {row.state}
            </span>
            <span class="amount">
              <b>{count(row.entities)}</b>{" "}
              <span class="second">
                {riskWords.share((100 * row.entities) / Math.max(1, of.entities))} · {riskWords.change(row.change)}
              </span>
            </span>
          </button>
        );
      })}
    </section>
  );
}

function InWords({ of }: { of: RiskShown }): JSX.Element {
  const { fit } = of;
  const { brier, persistence, climatology } = fit.outlook;
  const length = duration(Date.parse(fit.to) - Date.parse(fit.from));
  return (
    <Card class="in-words" title={riskWords.inWords} aside={riskWords.fitted(moment(Date.parse(fit.to), zone, now.value), length)}>
      <ul>
        {[...of.words].reverse().map((row) => (
          <li key={row.state}>
            <StateMark state={row.state} />
            <p>
              <b>{row.state}</b>: {row.text}
            </p>
          </li>
        ))}
      </ul>
      <div class="foot second">
        <p>{riskWords.foot(fit.groups, fit.method, fit.silhouette, fit.stability)}</p>
        <p>
          {fit.outlook.hits && brier !== null && persistence !== null && climatology !== null
            ? riskWords.outlook(duration(1000 * fit.step_seconds * fit.horizon_steps), brier, persistence, climatology)
            : riskWords.outlookNone}
        </p>
      </div>
    </Card>
  );
}

function Entities({ horizon }: { horizon: string }): JSX.Element {
  const states = view.value.getAll("state").filter((s) => (STATES as readonly string[]).includes(s));
  const text = view.value.get("text") ?? "";
  const limit = Number(view.value.get("rows") ?? SHOWN);
  const list = useResource<Page<RiskEntity>>("risk/entities", { state: states, text: text ? text.split(/\s+/).filter(Boolean) : [], limit }, ["series"]);
  const rows = list.data?.data ?? [];
  const total = list.data?.total ?? 0;
  const { columns } = riskWords;
  return (
    <Card class="entities" title={riskWords.entities} aside={list.data ? riskWords.entitiesAside(rows.length, total) : undefined}>
      <p class="find">
        <input type="search" aria-label={riskWords.find} placeholder={riskWords.find} value={text} onInput={(event) => choose({ text: event.currentTarget.value || null, rows: null })} />
      </p>
      <Waiting of={list} what={riskWords.entities} rows={6} />
      {list.data && rows.length === 0 && (
        <Empty
          action={
            <button type="button" class="button" onClick={() => choose({ state: null, text: null })}>
              {riskWords.clear}
            </button>
          }
        >
          {riskWords.noMatch}
        </Empty>
      )}
      {rows.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th>{columns.entity}</th>
              <th>{columns.state}</th>
              <th class="wide">{columns.since}</th>
              <th>{columns.why}</th>
              <th class="number wide" title={columns.loadTitle}>
                {columns.load}
              </th>
              <th class="number wide">{columns.chance(horizon)}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.entity} row={row} />
            ))}
          </tbody>
        </table>
      )}
      {total > rows.length && rows.length > 0 && (
        <button type="button" class="button more" onClick={() => choose({ rows: String(limit + 2 * SHOWN) })}>
          {riskWords.more(Math.min(2 * SHOWN, total - rows.length))}
        </button>
      )}
    </Card>
  );
}

function Row({ row }: { row: RiskEntity }): JSX.Element {
  const since = Date.parse(row.since);
  const labels = Object.entries(row.labels).map(([field, value]) => ({ field, operator: "is" as const, values: [value] }));
  const notes = [row.missing.length ? riskWords.missing(row.missing) : "", row.known ? "" : riskWords.unseen].filter(Boolean).join("; ");
  return (
    <tr class={row.state === "Critical" ? "worst" : ""}>
      <td>
        <a href={href("explore", { q: filterText(labels) })} title={riskWords.explore(row.entity)}>
          {row.entity}
        </a>
      </td>
      <td class="state-cell">
        <StateMark state={row.state} /> {row.state}
      </td>
      <td class="wide" title={utc(since)}>
        {moment(since, zone, now.value)}
      </td>
      <td>
        {row.reason ? (
          <>
            <b>{row.state === "Critical" ? "" : `${row.description}. `}</b>
            {row.reason}
          </>
        ) : (
          <span class="third">{row.description}</span>
        )}
        {notes && <span class="third block">{notes}</span>}
      </td>
      <td class="number wide">{row.load === null ? "–" : `${Math.round(100 * row.load)} %`}</td>
      <td class="number wide">{row.probability === null ? "–" : riskWords.share(100 * row.probability)}</td>
    </tr>
  );
}
