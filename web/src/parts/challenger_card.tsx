// The challenger of a watch beside its champion: what the rule says, both sides, and what a person can do.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Resource, useResource } from "../api/resource";
import { send } from "../api/client";
import type { Page } from "../api/types";
import type { ModelHistory } from "../api/types/models";
import type { Challenged, Challenger, ModelEvent, Side, WouldBe } from "../api/types/retraining";
import { number, quantity } from "../chart/format";
import type { Points } from "../chart/points";
import { moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { share } from "../words/models";
import { retrainWords as w } from "../words/retraining";
import { Card, Empty, Waiting } from "./card";
import { Chart } from "./chart";
import { Twice } from "./model_cards";
import { StartChallenger } from "./start_challenger";

const HEIGHT = 90;
const LISTED = 5;

export function ChallengerCard({ of, watch, again }: { of: Resource<Page<Challenged>>; watch: string; again: () => void }): JSX.Element {
  const one = of.data?.data.find((row) => row.watch === watch) ?? null;
  return (
    <Card class="challenger" title={w.title} aside={w.aside(watch)}>
      <Waiting of={of} what={w.title} rows={4} />
      {one && !one.challenger && <Empty>{one.learning ? w.learning : w.none(one)}</Empty>}
      {one?.challenger && <Beside one={one} challenger={one.challenger} />}
      {one && <Acts one={one} again={again} />}
    </Card>
  );
}

function Beside({ one, challenger }: { one: Challenged; challenger: Challenger }): JSX.Element {
  if (challenger.failed !== null || !challenger.outcome) return <p class="text-warning pad">{w.failed(challenger.failed ?? "")}</p>;
  const seen = (challenger.confirmed ?? 0) - (challenger.lost?.length ?? 0);
  return (
    <>
      <div class="verdict pad">
        <p class={challenger.outcome === "worse" ? "lead out" : "lead"}>{w.outcome(challenger.outcome, one.approval === "required")}</p>
        <p class="second">{challenger.says}</p>
      </div>
      <table class="table sides">
        <thead>
          <tr>
            <td />
            <th scope="col" class="figure">{w.champion}</th>
            <th scope="col" class="figure">{w.challenger}</th>
          </tr>
        </thead>
        <tbody>
          <Row name={w.rows.model} left={w.model(one.champion)} right={w.model(challenger)} />
          {challenger.champion && challenger.challenger && <Figures left={challenger.champion} right={challenger.challenger} />}
        </tbody>
      </table>
      <p class="second pad">
        {challenger.spared && w.spares(challenger.spared.low, challenger.spared.value, challenger.spared.high)} {w.confirmed(seen, challenger.confirmed ?? 0)}
      </p>
      <p class="third pad">
        {w.rule}: {one.promotion}
      </p>
      <Tracks watch={one.watch} challenger={challenger} />
      <WouldBes rows={challenger.alerts ?? []} />
    </>
  );
}

function Row({ name, left, right }: { name: string; left: string; right: string }): JSX.Element {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="figure">{left}</td>
      <td class="figure">{right}</td>
    </tr>
  );
}

function Figures({ left, right }: { left: Side; right: Side }): JSX.Element {
  const cutoff = (side: Side): string => (side.cutoff === null ? "–" : number(side.cutoff));
  return (
    <>
      <Row name={w.rows.false} left={number(left.false, 9)} right={number(right.false, 9)} />
      <Row name={w.rows.coverage} left={share(left.coverage)} right={share(right.coverage)} />
      <Row name={w.rows.rate} left={share(left.anomaly_rate, 2)} right={share(right.anomaly_rate, 2)} />
      <Row name={w.rows.cutoff} left={cutoff(left)} right={cutoff(right)} />
    </>
  );
}

/** The anomaly rate of both over the time in shadow, one plot each, on one axis. */
function Tracks({ watch, challenger }: { watch: string; challenger: Challenger }): JSX.Element {
  const [from, to] = [Date.parse(challenger.from!), Math.max(Date.parse(challenger.to!), Date.parse(challenger.from!) + 3_600_000)];
  const asked = { watch, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const ours = useResource<ModelHistory>("models/history", asked, ["configuration"]);
  const theirs = useResource<ModelHistory>("models/history", { ...asked, model: challenger.number }, ["configuration"]);
  return (
    <div class="tracks">
      <Track of={ours} side={w.champion.toLowerCase()} from={from} to={to} />
      <Track of={theirs} side={w.challenger.toLowerCase()} from={from} to={to} />
    </div>
  );
}

function Track({ of, side, from, to }: { of: Resource<ModelHistory>; side: string; from: number; to: number }): JSX.Element {
  const points = useMemo<Points | null>(() => (of.data ? rates(of.data) : null), [of.data]);
  const last = points ? points.y.findLast((y) => Number.isFinite(y)) : undefined;
  return (
    <div class="track">
      <h3>
        {w.track(side)} <span class="third">{of.data && w.trackAside(of.data.step)}</span>
      </h3>
      <Waiting of={of} what={w.track(side)} rows={2} />
      {points && last === undefined && <p class="third">{w.noTrack}</p>}
      {points && last !== undefined && <Chart height={HEIGHT} sync="challenger" picture={{ metric: "rate_percent", points }} range={[from, to]} spoken={w.spoken(side, quantity("rate_percent", last))} />}
    </div>
  );
}

/** Anomaly rates as points; dashed what the rule promises. */
export function rates(history: ModelHistory): Points {
  const nothing = (): Float64Array => new Float64Array(history.times_ms.length).fill(NaN);
  const column = (values: readonly (number | null)[]): Float64Array => Float64Array.from(values, (v) => (v === null ? NaN : 100 * v));
  return { times: Float64Array.from(history.times_ms), y: column(history.anomaly_rate), yhat: history.nominal === null ? nothing() : column(history.promised_rate), lower: nothing(), upper: nothing(), score: nothing() };
}

function WouldBes({ rows }: { rows: readonly WouldBe[] }): JSX.Element {
  return (
    <section class="would-be">
      <h3>{w.alerts}</h3>
      {rows.length === 0 && <p class="third">{w.noAlerts}</p>}
      <ul class="letter-list">
        {rows.slice(0, LISTED).map((row) => (
          <li key={row.id + row.by}>
            <p>
              <b>{w.by(row.by)}</b> {row.series}
              {row.confirmed && <span class="second"> · {w.sure}</span>}
            </p>
            <p class="third" title={utc(Date.parse(row.opened))}>
              {moment(Date.parse(row.opened), zone, now.value)} · {row.severity} · {row.kind}
            </p>
          </li>
        ))}
      </ul>
      {rows.length > LISTED && <p class="third">{w.more(rows.length - LISTED)}</p>}
    </section>
  );
}

function Acts({ one, again }: { one: Challenged; again: () => void }): JSX.Element {
  const { watch, challenger, former } = one;
  return (
    <div class="acts">
      {challenger && (
        <div class="pair">
          {!challenger.failed && <Twice word={w.promote} ask={w.promoteAsk(one)} again={again} act={() => send("POST", "models/promote", { watch, model: challenger.number }).then(() => w.promoted(challenger.number))} />}
          <Twice role="operator" word={w.refuse} ask={w.refuseAsk(challenger.number)} again={again} act={() => send("POST", "models/refuse", { watch, model: challenger.number }).then(() => w.refused)} />
        </div>
      )}
      {former && (
        <div class="former">
          <p class="second">{w.former(former, moment(Date.parse(former.until), zone, now.value))}</p>
          <Twice word={w.rollBack} ask={w.rollBackAsk(watch, former.number)} again={again} act={() => send("POST", "models/rollback", { watch }).then(() => w.rolledBack(former.number))} />
        </div>
      )}
      {!challenger && !one.learning && <StartChallenger watch={watch} again={again} />}
    </div>
  );
}

/** What happened to the models of a watch, or of all. */
export function ModelEvents({ of }: { of: Resource<Page<ModelEvent>> }): JSX.Element {
  const rows = of.data?.data ?? [];
  return (
    <Card class="model-events" title={w.history} aside={rows.length ? w.historyAside : undefined}>
      <Waiting of={of} what={w.history} rows={3} />
      {of.data && rows.length === 0 && <Empty>{w.noHistory}</Empty>}
      {rows.length > 0 && (
        <ul class="letter-list">
          {rows.map((row) => (
            <li key={row.number}>
              <p>
                <b>{w.event(row)}</b>
              </p>
              {row.why && <p class="second">{row.why}</p>}
              <p class="third" title={utc(Date.parse(row.time))}>
                {moment(Date.parse(row.time), zone, now.value)} · {w.byWhom(row)}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
