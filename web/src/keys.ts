// Single keys, when no field has the focus; they can be switched off.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const KEY = "watchband-keys";
/** Whether single keys act. */
export const keysOn = signal(stored() !== "off");
/** Keys of what is on the page now, with words for the list of all keys. */
export const bindings = signal<readonly Binding[]>([]);

export interface Binding {
  /** One key (`j`, `Escape`, `Shift+ArrowLeft`) or two after another (`g n`). */
  keys: string;
  words: string;
  act: () => void;
}

const SEQUENCE_MS = 1000;
let first = "";
let since = 0;

/** These keys act while a component is on the page; later ones win. */
export function useKeys(own: readonly Binding[], dependencies: readonly unknown[]): void {
  useEffect(() => {
    bindings.value = [...bindings.value, ...own];
    return () => {
      bindings.value = bindings.value.filter((one) => !own.includes(one));
    };
  }, dependencies);
}

/** Switch single keys on or off. */
export function setKeys(on: boolean): void {
  keysOn.value = on;
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Holds for this page then.
  }
}

/** Listen to the keyboard. */
export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Escape" && (!keysOn.value || isField(event.target))) return;
    const name = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
    const now = Date.now();
    const pair = now - since < SEQUENCE_MS ? `${first} ${name}` : "";
    [first, since] = [name, now];
    const found = bindings.value.findLast((one) => one.keys === pair) ?? bindings.value.findLast((one) => one.keys === name);
    if (found) {
      event.preventDefault();
      found.act();
    }
  });
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
