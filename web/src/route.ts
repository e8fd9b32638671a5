// The address holds the whole view: page and everything that is chosen on it.

import { computed, signal } from "@preact/signals";
import { BASE } from "./api/client";

const current = signal(new URL(location.href));

/** Name of the page, `now` for the root. */
export const page = computed(() => current.value.pathname.slice(BASE.pathname.length).split("/")[0] || "now");
/** What is chosen on it. */
export const view = computed(() => current.value.searchParams);

addEventListener("popstate", () => (current.value = new URL(location.href)));

/** Address of a page with a view. */
export function href(name: string, chosen: Record<string, string | null | undefined> = {}): string {
  const url = new URL(name === "now" ? "./" : name, BASE);
  for (const [key, value] of Object.entries(chosen)) if (value) url.searchParams.set(key, value);
  // A theme or wall that was asked for by address stays with it.
  for (const key of ["theme", "wall"]) {
    const kept = current.value.searchParams.get(key);
    if (kept && !url.searchParams.has(key)) url.searchParams.set(key, kept);
  }
  return url.pathname + url.search;
}

/** Go to a page; a step back returns. */
export function go(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  const before = current.value.pathname;
  current.value = new URL(location.href);
  if (before !== current.value.pathname) scrollTo(0, 0);
}

/** Change something of the view on this page, without a step back for each. */
export function choose(chosen: Record<string, string | readonly string[] | null | undefined>, step = false): void {
  const url = new URL(current.value);
  for (const [key, value] of Object.entries(chosen)) {
    url.searchParams.delete(key);
    for (const one of typeof value === "string" ? [value] : (value ?? [])) if (one) url.searchParams.append(key, one);
  }
  if (url.href !== current.value.href) go(url.pathname + url.search, !step);
}

/** Links within the dashboard change the view without loading the page anew. */
export function followLinks(): void {
  addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(BASE.pathname) || link.dataset["plain"] !== undefined) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
