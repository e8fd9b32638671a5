// What every page has: the bar of pages, the clock, whether news arrive, the keys, and the phone's tabs.

import { computed, signal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { locked } from "./api/locked";
import { feed, heard, retry, retryAt } from "./api/live";
import { clock, duration, MINUTE, utc, viewerZone } from "./chart/time";
import { bindings, keysOn, setKeys, useKeys } from "./keys";
import { Glyph } from "./parts/glyph";
import { Person } from "./parts/person";
import { go, href, page, view } from "./route";
import { nextTheme, theme } from "./theme";
import { words } from "./words";

const LETTERS: Record<string, string> = { now: "n", explore: "e", risk: "r", models: "m", budget: "b", windows: "w", alerts: "a", settings: "s", docs: "p" };
const PHONE_TABS = 4;

/** How many critical incidents are open; shown beside Now. */
export const criticalOpen = signal(0);
/** The time, by the second. */
export const now = signal(Date.now());
/** The end of this minute: what need not be drawn every second goes by it. */
export const minute = computed(() => Math.ceil(now.value / MINUTE) * MINUTE);
export const zone = viewerZone();

interface FrameProps {
  pages: readonly string[];
  children: ComponentChildren;
}

export function Frame({ pages, children }: FrameProps): JSX.Element {
  const [showKeys, setShowKeys] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  useKeys(
    [
      ...pages.map((name) => ({ keys: `g ${LETTERS[name] ?? name[0]!}`, words: words.pages[name] ?? name, act: () => go(href(name)) })),
      { keys: "?", words: words.keysTitle, act: () => setShowKeys(true) },
      { keys: "d", words: "Light, dark, system", act: nextTheme },
      { keys: "l", words: "Copy link", act: () => void navigator.clipboard?.writeText(location.href) },
    ],
    [pages.join()],
  );
  const wall = view.value.get("wall") === "1";
  useEffect(() => {
    document.documentElement.classList.toggle("wall", wall);
  }, [wall]);
  return (
    <>
      <a class="skip" href="#main" data-plain>
        {words.skip}
      </a>
      <header class="top">
        <a class="brand" href={href("now")}>
          <Glyph name="mark" size={22} />
          {words.name}
        </a>
        {pages.length > 0 && <Nav pages={pages} label={words.pagesLabel} />}
        <div class="top-right">
          <Person />
          {!locked.value && <Live />}
          <Clock />
          <button type="button" class="quiet-button keys-button" onClick={() => setShowKeys(true)}>
            <kbd>?</kbd> {words.keys}
          </button>
          <button type="button" class="icon-button" aria-label={words.theme(theme.value)} onClick={nextTheme}>
            <Glyph name="theme" />
          </button>
        </div>
      </header>
      <StaleBanner />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <nav class="tabs" aria-label={words.pagesLabel} hidden={pages.length === 0}>
        {pages.slice(0, PHONE_TABS).map((name) => (
          <PageLink key={name} name={name} />
        ))}
        {pages.length > PHONE_TABS && (
          <details>
            <summary>More</summary>
            <div>
              {pages.slice(PHONE_TABS).map((name) => (
                <PageLink key={name} name={name} />
              ))}
            </div>
          </details>
        )}
      </nav>
      {showKeys && <Keys close={() => setShowKeys(false)} />}
    </>
  );
}

function Nav({ pages, label }: { pages: readonly string[]; label: string }): JSX.Element {
  return (
    <nav class="nav" aria-label={label}>
      {pages.map((name) => (
        <PageLink key={name} name={name} />
      ))}
    </nav>
  );
}

function PageLink({ name }: { name: string }): JSX.Element {
  const here = page.value === name || (name === "now" && page.value === "incident");
  return (
    <a href={href(name)} {...(here ? { "aria-current": "page" as const } : {})}>
      {words.pages[name] ?? name}
      {name === "now" && criticalOpen.value > 0 && (
        <span class="count">
          {criticalOpen.value}
          <span class="spoken"> critical</span>
        </span>
      )}
    </a>
  );
}

function Live(): JSX.Element {
  const state = feed.value;
  const age = heard.value ? duration(now.value - heard.value) : "";
  return (
    <span class={`live ${state}`}>
      <i aria-hidden="true" />
      {state === "live" ? words.live : state === "connecting" ? words.connecting : words.stale(age)}
    </span>
  );
}

function Clock(): JSX.Element {
  const name = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "short" }).formatToParts(now.value).find((p) => p.type === "timeZoneName")?.value;
  return (
    <span class="clock" title={`${utc(now.value)}\n${words.zone(zone)}`}>
      <b>{clock(now.value, zone, true)}</b> {name}
    </span>
  );
}

function StaleBanner(): JSX.Element | null {
  useSignalEffect(() => {
    document.documentElement.classList.toggle("is-stale", feed.value === "stale");
  });
  if (feed.value !== "stale" || locked.value) return null;
  const wait = retryAt.value > now.value ? duration(retryAt.value - now.value) : null;
  return (
    <div class="banner" role="alert">
      <Glyph name="unknown" />
      <p>{words.staleBanner(duration(now.value - heard.value), wait)}</p>
      <button type="button" class="button" onClick={retry}>
        {words.tryNow}
      </button>
    </div>
  );
}

function Keys({ close }: { close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="keys" onClose={close} aria-labelledby="keys-title">
      <h2 id="keys-title">{words.keysTitle}</h2>
      <dl>
        {bindings.value.map((one) => (
          <div key={one.keys}>
            <dt>
              {one.keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{one.words}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input type="checkbox" checked={keysOn.value} onChange={(event) => setKeys(event.currentTarget.checked)} /> {words.keysOff}
      </label>
      <form method="dialog">
        <button type="submit" class="button">
          Close
        </button>
      </form>
    </dialog>
  );
}
