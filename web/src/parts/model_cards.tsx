// What drifts, to be approved; and snapshots, to be gone back to. Nothing is changed by one press.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import type { Resource } from "../api/resource";
import type { Page, Role } from "../api/types";
import type { DriftRow, Model, Snapshot } from "../api/types/models";
import { quantity } from "../chart/format";
import { moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { href } from "../route";
import { words } from "../words";
import { modelWords, readingWords } from "../words/models";
import { Card, Empty, Waiting } from "./card";

export function DriftCard({ of, models, again }: { of: Resource<Page<DriftRow>>; models: readonly Model[]; again: () => void }): JSX.Element {
  const rows = of.data?.data ?? [];
  const total = of.data?.total ?? rows.length;
  const watched = models.filter((model) => model.drift);
  const learning = watched.reduce((sum, model) => sum + model.drift!.learning, 0);
  const series = watched.reduce((sum, model) => sum + model.series, 0);
  const every = watched[0]?.drift?.every ?? "1d";
  return (
    <Card class="drift" title={modelWords.drift} aside={of.data && watched.length ? modelWords.driftAside(total, series) : undefined}>
      <Waiting of={of} what={modelWords.drift} rows={3} />
      {of.data && rows.length === 0 && <Empty>{watched.length === 0 ? (models.length === 1 ? modelWords.unwatched : modelWords.noneWatched) : learning ? modelWords.learning(learning, every) : modelWords.quiet(every)}</Empty>}
      {rows.length > 0 && (
        <ul class="letter-list">
          {rows.map((row) => (
            <Drifting key={`${row.watch} ${row.series}`} row={row} again={again} />
          ))}
        </ul>
      )}
      {total > rows.length && <p class="third pad">{modelWords.more(total - rows.length)}</p>}
    </Card>
  );
}

function Drifting({ row, again }: { row: DriftRow; again: () => void }): JSX.Element {
  const out = row.monitors.filter((one) => one.out);
  return (
    <li>
      <p>
        <a class="said" href={href("models", { watch: row.watch, series: row.series })}>
          {row.series}
        </a>
      </p>
      {out.map((one) => (
        <p key={one.monitor}>
          <b class="out">{modelWords.monitor(one.monitor)}</b> <span class="second">{readingWords(one)}</span>
        </p>
      ))}
      <p class="third">
        {row.since && <span title={utc(Date.parse(row.since))}>{modelWords.since(moment(Date.parse(row.since), zone, now.value))}</span>} · {row.watch}
      </p>
      <Twice word={modelWords.approve} ask={modelWords.approveAsk(row.series)} again={again} act={() => send("POST", "drift/approve", { watch: row.watch, series: row.series }).then(() => modelWords.approved)} />
    </li>
  );
}

export function SnapshotsCard({ of, again }: { of: Resource<Page<Snapshot>>; again: () => void }): JSX.Element {
  const rows = of.data?.data ?? [];
  return (
    <Card class="snapshots" title={modelWords.snapshots} aside={modelWords.snapshotsAside}>
      <Waiting of={of} what={modelWords.snapshots} rows={3} />
      {of.data && rows.length === 0 && <Empty>{modelWords.noSnapshots}</Empty>}
      {rows.length > 0 && (
        <ul class="letter-list">
          {rows.map((row) => {
            const at = row.written === null ? null : Date.parse(row.written);
            const time = at === null ? modelWords.entry(row.sequence) : moment(at, zone, now.value);
            return (
              <li key={`${row.watch} ${row.sequence}`}>
                <p>
                  <b>{row.watch}</b> <span title={at === null ? undefined : utc(at)}>{time}</span>
                </p>
                <p class="third">
                  {modelWords.entry(row.sequence)} · {modelWords.later(row.entries_since)} · {quantity("_bytes", row.bytes)}
                </p>
                {row.usable ? (
                  <Twice
                    word={modelWords.revert}
                    ask={modelWords.revertAsk(row.watch, time, row.entries_since)}
                    again={again}
                    act={() => send<{ series: number }>("POST", "snapshots/revert", { watch: row.watch, sequence: row.sequence }).then((done) => modelWords.reverted(done.series))}
                  />
                ) : (
                  <p class="third">{modelWords.unusable}</p>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

/** A button that first says what would be lost. */
export function Twice({ word, ask, act, again, role = "admin" }: { word: string; ask: string; act: () => Promise<string>; again: () => void; role?: Role }): JSX.Element {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  if (!may(role)) return <p class="third">{words.needsRole(role)}</p>;
  const done = async (): Promise<void> => {
    setBusy(true);
    setSaid(await act().catch((error: unknown) => (error as Error).message));
    setBusy(false);
    setAsked(false);
    again();
  };
  return (
    <div class="twice">
      {asked && <p class="second">{ask}</p>}
      <p class="buttons">
        {asked && (
          <button type="button" class="button primary" disabled={busy} onClick={() => void done()}>
            {modelWords.confirm}
          </button>
        )}
        <button type="button" class="button" aria-expanded={asked} onClick={() => setAsked(!asked)}>
          {asked ? modelWords.cancel : word}
        </button>
      </p>
      <p class="second" role="status">
        {said}
      </p>
    </div>
  );
}
