// Planning a window, or changing one: fields, what it would hold back as they change, and who may do it.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import { useResource } from "../api/resource";
import type { PlannedWindow, WindowPreview } from "../api/types/windows";
import { MINUTE, moment } from "../chart/time";
import { now, zone } from "../frame";
import { useKeys } from "../keys";
import { planLink } from "../pages/windows";
import { bodyOf, changesOf, type Draft, draftFrom, draftLink, draftOf, LENGTHS } from "../plan";
import { choose, href, view } from "../route";
import { words } from "../words";
import { windowWords } from "../words/windows";
import { Card } from "./card";
import { Glyph } from "./glyph";

const PAUSE_MS = 350;
const HELD_SHOWN = 5;
const { form } = windowWords;

export function WindowForm({ edited }: { edited: PlannedWindow | null }): JSX.Element {
  const first = edited ? draftFrom(edited, zone) : draftOf(view.value);
  const [draft, setDraft] = useState<Draft>(first);
  const before = useRef(first);
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  useKeys([{ keys: "n", words: form.title, act: () => name.current?.focus() }], []);
  useEffect(() => {
    // The list may come after the address that names one of it.
    if (edited && before.current.name !== edited.name) {
      before.current = draftFrom(edited, zone);
      setDraft(before.current);
    }
    if (edited) name.current?.focus();
  }, [edited?.id]);
  const set = (part: Partial<Draft>): void => setDraft((old) => ({ ...old, ...part }));
  const submit = async (): Promise<void> => {
    setBusy(true);
    try {
      if (edited) await send("PATCH", `windows/${edited.id}`, changesOf(before.current, draft, zone, now.value));
      else await send("POST", "windows", bodyOf(draft, zone, now.value));
      setSaid({ text: windowWords.saved, bad: false });
      if (edited) choose({ edit: null });
      else setDraft({ ...draft, name: "", text: "" });
    } catch (error) {
      setSaid({ text: (error as Error).message, bad: true });
    }
    setBusy(false);
  };
  return (
    <Card class="plan" title={edited ? form.change(edited.name) : form.title} aside={may("operator") ? <kbd>n</kbd> : undefined}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Fields draft={draft} set={set} named={name} begun={edited?.state === "active"} kept={edited !== null} />
        <Preview draft={draft} />
        {may("operator") ? (
          <p class="act">
            <button type="submit" class="button primary" disabled={busy || !draft.name.trim()}>
              {edited ? form.save : form.submit}
            </button>
            {edited && (
              <button type="button" class="button" onClick={() => choose({ edit: null }, true)}>
                {form.cancel}
              </button>
            )}
          </p>
        ) : (
          <NoRole draft={draft} />
        )}
        <p role="status" class={said?.bad ? "text-warning" : "second"}>
          {said?.text}
        </p>
      </form>
    </Card>
  );
}

function NoRole({ draft }: { draft: Draft }): JSX.Element {
  const [copied, setCopied] = useState(false);
  return (
    <div class="act">
      <p class="second">{windowWords.needs}</p>
      <button
        type="button"
        class="button"
        onClick={() => {
          void navigator.clipboard?.writeText(planLink(draftLink(draft)));
          setCopied(true);
        }}
      >
        {copied ? windowWords.copied : windowWords.handOver}
      </button>
    </div>
  );
}

interface FieldsProps {
  draft: Draft;
  set: (part: Partial<Draft>) => void;
  named: { current: HTMLInputElement | null };
  /** It is open: when it began stays. */
  begun: boolean;
  /** It is there already: what it does stays. */
  kept: boolean;
}

function Fields({ draft, set, named, begun, kept }: FieldsProps): JSX.Element {
  return (
    <>
      <label>
        <span>{form.name}</span>
        <input ref={named} type="text" maxLength={100} required value={draft.name} placeholder={form.namePlaceholder} onInput={(e) => set({ name: e.currentTarget.value })} />
      </label>
      <label>
        <span>{form.series}</span>
        <input type="text" class="mono" maxLength={1000} required spellcheck={false} value={draft.series} onInput={(e) => set({ series: e.currentTarget.value })} aria-describedby="series-hint" />
        <small id="series-hint" class="third">
          {form.seriesHint}
        </small>
      </label>
      <label>
        <span>{form.action}</span>
        <select value={draft.action} disabled={kept} onChange={(e) => set({ action: e.currentTarget.value })}>
          {Object.entries(form.actions).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {draft.action === "expect" && (
        <label>
          <span>{form.factor}</span>
          <input type="number" min="0.01" max="1000" step="any" value={draft.factor} onInput={(e) => set({ factor: e.currentTarget.value })} />
        </label>
      )}
      <Times draft={draft} set={set} begun={begun} />
      <label>
        <span>{form.text}</span>
        <input type="text" maxLength={500} value={draft.text} placeholder={form.textPlaceholder} onInput={(e) => set({ text: e.currentTarget.value })} />
      </label>
    </>
  );
}

function Times({ draft, set, begun }: Pick<FieldsProps, "draft" | "set" | "begun">): JSX.Element {
  const own = !LENGTHS.includes(draft.length);
  return (
    <>
      <label>
        <span>{form.start}</span>
        <span class="start">
          <input type="datetime-local" value={draft.start} disabled={begun} onInput={(e) => set({ start: e.currentTarget.value })} />
          <button type="button" class="button" aria-pressed={!draft.start} disabled={begun} onClick={() => set({ start: "" })}>
            {form.now}
          </button>
        </span>
      </label>
      <fieldset>
        <legend>{form.length}</legend>
        <span class="spans">
          {LENGTHS.map((length) => (
            <button type="button" key={length} aria-pressed={draft.length === length} onClick={() => set({ length })}>
              {length}
            </button>
          ))}
        </span>
        <input type="text" class="other" aria-label={form.otherLength} placeholder={form.otherLength} value={own ? draft.length : ""} onInput={(e) => set({ length: e.currentTarget.value || "1h" })} />
      </fieldset>
      <label>
        <span>{form.repeat}</span>
        <select value={draft.repeat} disabled={begun} onChange={(e) => set({ repeat: e.currentTarget.value as Draft["repeat"] })}>
          {Object.entries(form.repeats).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        <small class="third">{form.zone(zone)}</small>
      </label>
    </>
  );
}

/** A value that follows another one after a pause, so that not every key asks. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  const key = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [key]);
  return settled;
}

function Preview({ draft }: { draft: Draft }): JSX.Element {
  const { name: _, text: __, ...asked } = bodyOf(draft, zone, now.value) as Record<string, string>;
  const settled = useSettled(asked);
  const ready = Boolean(settled["series"] && settled["duration"]);
  const found = useResource<WindowPreview>(ready ? "windows/preview" : null, settled, ["alerts"]);
  const data = found.data;
  const series = draft.series === "*" ? windowWords.any : draft.series;
  return (
    <section class="preview" aria-label={windowWords.preview} aria-live="polite">
      <h3>
        {windowWords.preview} <span class="third">{windowWords.previewAside}</span>
      </h3>
      {!data && !found.error && <p class="second">{windowWords.previewWaits}</p>}
      {found.error && !data && <p class="text-warning">{found.error.problem.detail ?? found.error.problem.title}</p>}
      {data && (
        <>
          {data.series === 0 && <p class="second">{windowWords.previewNoSeries}</p>}
          <p class={data.alerts ? "" : "second"}>
            {data.alerts ? <b>{windowWords.previewAlerts(data.alerts, series)}</b> : windowWords.previewNone(series)} {data.alerts > 0 && windowWords.previewHeld[data.action]}
          </p>
          <Held data={data} />
          <Spans data={data} />
          {data.open > 0 && data.action === "mute" && <p class="second">{windowWords.previewOpen(data.open)}</p>}
          {data.looked_at < data.of && <p class="third">{windowWords.previewSample(data.looked_at, data.of)}</p>}
          {data.next && <p class="third">{windowWords.nextTime(moment(Math.floor(Date.parse(data.next.start) / MINUTE) * MINUTE, zone, now.value))}</p>}
        </>
      )}
    </section>
  );
}

function Held({ data }: { data: WindowPreview }): JSX.Element | null {
  if (data.held.length === 0) return null;
  return (
    <ul class="held">
      {data.held
        .slice(-HELD_SHOWN)
        .reverse()
        .map((alert) => (
          <li key={alert.id}>
            <Glyph name={alert.severity} label={alert.severity} />
            <a href={href("incident", { id: alert.id })}>{alert.reason}</a>
            <time class="third" dateTime={alert.opened}>
              {moment(Date.parse(alert.opened), zone, now.value)}
            </time>
          </li>
        ))}
      {data.alerts > HELD_SHOWN && <li class="third">{words.moreLetters(data.alerts - HELD_SHOWN).split(";")[0]}</li>}
    </ul>
  );
}

function Spans({ data }: { data: WindowPreview }): JSX.Element | null {
  const kept = data.spans.filter((one) => one.points > 0);
  const points = kept.reduce((sum, one) => sum + one.points, 0);
  if (points === 0) return null;
  const outside = kept.reduce((sum, one) => sum + one.outside, 0);
  const then = data.action === "expect" ? kept.reduce((sum, one) => sum + (one.outside_then ?? 0), 0) : null;
  return (
    <p class="second">
      {windowWords.previewOutside(points, outside)}
      {then !== null && `; ${windowWords.previewThen(then)}`}.
    </p>
  );
}
