// Starting a challenger: what it learns anew, and what it has otherwise than the watch.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import { words } from "../words";
import { retrainWords as w } from "../words/retraining";

/** A rule as the API takes it: by its own key. */
export function ruleOf(text: string): Record<string, string | number> {
  const trimmed = text.trim();
  if (!trimmed) return {};
  const [kind, rest] = trimmed.includes(":") ? [trimmed.slice(0, trimmed.indexOf(":")), trimmed.slice(trimmed.indexOf(":") + 1)] : ["budget", trimmed];
  return { [kind]: kind === "cutoff" || kind === "contamination" || kind === "width" ? Number(rest) : rest };
}

export function StartChallenger({ watch, again }: { watch: string; again: () => void }): JSX.Element {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const [only, setOnly] = useState(false);
  const [detector, setDetector] = useState("");
  const [rule, setRule] = useState("");
  const [why, setWhy] = useState("");
  if (!may("operator")) return <p class="third pad">{words.needsRole("operator")}</p>;
  const start = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const other = only || !detector.trim() ? {} : { detector: detector.trim() };
    const body = { watch, learned: only ? "cutoff" : "all", why, ...other, ...ruleOf(rule) };
    setSaid(
      await send("POST", "models/challengers", body)
        .then(() => {
          setOpen(false);
          return w.started;
        })
        .catch((error: unknown) => (error as Error).message),
    );
    setBusy(false);
    again();
  };
  return (
    <div class="start">
      {open && (
        <form onSubmit={(event) => void start(event)}>
          <fieldset>
            <legend>{w.what}</legend>
            {[false, true].map((value) => (
              <label key={String(value)} class="choice">
                <input type="radio" name="learned" checked={only === value} onChange={() => setOnly(value)} /> {value ? w.cutoff : w.all}
              </label>
            ))}
          </fieldset>
          {!only && (
            <label>
              {w.detector}
              <input value={detector} placeholder={w.detectorHint} maxLength={1000} onInput={(e) => setDetector(e.currentTarget.value)} />
            </label>
          )}
          <label>
            {w.rate}
            <input value={rule} placeholder={w.rateHint} maxLength={200} onInput={(e) => setRule(e.currentTarget.value)} />
          </label>
          <label>
            {w.why}
            <input value={why} maxLength={1000} onInput={(e) => setWhy(e.currentTarget.value)} />
          </label>
          <p class="buttons">
            <button type="submit" class="button primary" disabled={busy}>
              {w.start}
            </button>
            <button type="button" class="button" onClick={() => setOpen(false)}>
              {w.cancel}
            </button>
          </p>
        </form>
      )}
      {!open && (
        <button type="button" class="button" aria-expanded={false} onClick={() => setOpen(true)}>
          {w.retrain}
        </button>
      )}
      <p class="second" role="status">
        {said}
      </p>
    </div>
  );
}
