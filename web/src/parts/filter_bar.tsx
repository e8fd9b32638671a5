// The filter of Explore: one field; conditions become chips, and the address holds them.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { chipWords, type Condition, filterText, parseFilter } from "../filter";
import { useKeys } from "../keys";
import { choose } from "../route";
import { words } from "../words";
import { exploreWords } from "../words/explore";

/** Conditions that stand as chips, and what is still being typed. */
export interface Draft {
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

export function FilterBar({ text }: { text: string }): JSX.Element {
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
        title={exploreWords.hint}
        onInput={(event) => apply(typedInto(draft, event.currentTarget.value))}
        onKeyDown={(event) => {
          if (event.key === "Backspace" && !draft.typed && draft.chips.length) remove(draft.chips.length - 1);
          if (event.key === "Enter") apply(typedInto(draft, `${draft.typed} `));
          if (event.key === "Escape") field.current?.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
