// Light, dark or as the system has it.

import { signal } from "@preact/signals";
import { repaint } from "./chart/palette";

export type Theme = "light" | "dark" | "system";
const KEY = "watchband-theme";

/** What somebody chose. */
export const theme = signal<Theme>((document.documentElement.dataset["theme"] as Theme | undefined) ?? "system");

/** Light, then dark, then as the system has it. */
export function nextTheme(): void {
  const order: Theme[] = ["light", "dark", "system"];
  const next = order[(order.indexOf(theme.value) + 1) % order.length]!;
  theme.value = next;
  if (next === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage may be refused; the choice holds for this page then.
  }
  repaint();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
