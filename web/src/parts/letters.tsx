// Who is told and how that goes: sinks, what waits, what was given up and can be delivered again.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import type { Resource } from "../api/resource";
import type { Deliveries, Delivery, SinkHealth } from "../api/types";
import { duration, moment } from "../chart/time";
import { now, zone } from "../frame";
import { href } from "../route";
import { words } from "../words";
import { Card, Empty, Waiting } from "./card";
import { Glyph } from "./glyph";

const SHOWN = 20;

/** The cards of deliveries: those that need somebody stand first. */
export function Letters({ of }: { of: Resource<Deliveries> }): JSX.Element {
  const found = of.data;
  const dead = found?.data.filter((one) => one.state === "dead") ?? [];
  const waiting = found?.data.filter((one) => one.state === "waiting") ?? [];
  const bad = found?.sinks.filter((sink) => sink.state !== "well").length ?? 0;
  return (
    <div class="side letters">
      {found && dead.length > 0 && <Dead letters={dead} all={found.dead} again={of.again} />}
      <Card title={words.sinks} aside={found?.sinks.length ? words.sinksFailing(bad, found.sinks.length) : undefined}>
        <Waiting of={of} what={words.sinks} />
        {found?.sinks.length === 0 && <Empty>{words.noSinks}</Empty>}
        <ul class="rows">
          {[...(found?.sinks ?? [])]
            .sort((a, b) => Number(a.state === "well") - Number(b.state === "well"))
            .map((sink) => (
              <Sink key={sink.name} sink={sink} />
            ))}
        </ul>
      </Card>
      {found && waiting.length > 0 && (
        <Card title={words.waitingLetters} aside={words.waitingAside}>
          <ul class="letter-list">
            {waiting.slice(0, SHOWN).map((one) => (
              <Letter key={one.id + one.sink} letter={one} />
            ))}
          </ul>
          {found.waiting > SHOWN && <p class="third pad">{words.moreLetters(found.waiting - SHOWN)}</p>}
        </Card>
      )}
    </div>
  );
}

function Sink({ sink }: { sink: SinkHealth }): JSX.Element {
  const well = sink.state === "well";
  const time = (text: string): string => moment(Date.parse(text), zone, now.value);
  return (
    <li class="sink">
      {well ? <span class="dot" aria-hidden="true" /> : <Glyph name="late" />}
      <div>
        <p>
          <b>{sink.name}</b> <span class="second">{sink.kind}</span>
          <span class={`when ${well ? "second" : "text-warning"}`}>
            {sink.failing_since
              ? (sink.state === "refused" ? words.refusedSince : words.failingSince)(time(sink.failing_since))
              : sink.last_success
                ? words.lastDelivered(time(sink.last_success))
                : words.neverDelivered}
          </span>
        </p>
        {sink.error && <p class="said">{sink.error}</p>}
        <p class="third">
          {[
            sink.delivered || !well ? words.delivered(sink.delivered) : "",
            sink.waiting || sink.dead ? words.undelivered(sink.dead, sink.waiting) : "",
            sink.next_try ? nextTry(sink.next_try) : "",
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </div>
    </li>
  );
}

/** When something is tried again, in words. */
export function nextTry(time: string, at = now.value): string {
  const left = Date.parse(time) - at;
  return left > 0 ? words.nextTry(duration(left)) : words.nextTryNow;
}

function Dead({ letters, all, again }: { letters: readonly Delivery[]; all: number; again: () => void }): JSX.Element {
  const [said, setSaid] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const replay = async (which: { ids?: string[]; sink?: string }): Promise<void> => {
    setBusy(true);
    try {
      const done = await send<{ retried: number }>("POST", "deliveries/retry", which);
      setSaid(words.replayed(done.retried));
    } catch (error) {
      setSaid((error as Error).message);
    }
    setBusy(false);
    again();
  };
  return (
    <Card class="dead" title={words.deadLetters} aside={words.deadAside}>
      <div class="act">
        {may("admin") ? (
          <button type="button" class="button primary" disabled={busy} onClick={() => void replay({})}>
            {words.replayAll(all)}
          </button>
        ) : (
          <p class="second">{words.needsRole("admin")}</p>
        )}
        <p class="second" role="status">
          {said}
        </p>
      </div>
      <ul class="letter-list">
        {letters.slice(0, SHOWN).map((one) => (
          <Letter key={one.id + one.sink} letter={one} {...(may("admin") && all > 1 ? { replay: () => void replay({ ids: [one.id], sink: one.sink }) } : {})} />
        ))}
      </ul>
      {all > SHOWN && <p class="third pad">{words.moreLetters(all - SHOWN)}</p>}
    </Card>
  );
}

function Letter({ letter, replay }: { letter: Delivery; replay?: () => void }): JSX.Element {
  return (
    <li>
      <a href={href("incident", { id: letter.alert.id })}>{letter.alert.reason}</a>
      {letter.error && <p class="said">{letter.error}</p>}
      <p class="third">
        {words.toSink(letter.sink)} · {words.tries(letter.tries)}
        {letter.next_try && letter.tries > 0 && ` · ${nextTry(letter.next_try)}`}
      </p>
      {replay && (
        <button type="button" class="button small" onClick={replay}>
          {words.replay}
        </button>
      )}
    </li>
  );
}
