// What changes, as it changes: server-sent events with resume, and how old the last word is.

import { signal } from "@preact/signals";
import { address } from "./client";

/** After this long without a word the page says that it is stale: two heartbeats. */
export const STALE_MS = 30_000;

export type Feed = "connecting" | "live" | "stale";

/** How the stream is doing. */
export const feed = signal<Feed>("connecting");
/** When the service last said anything, ms; 0: never. */
export const heard = signal(0);
/** When the next attempt is made, ms; 0: none is waited for. */
export const retryAt = signal(0);
/** Grows whenever something of this kind changed. */
export const changes = { alerts: signal(0), series: signal(0), sources: signal(0), configuration: signal(0), windows: signal(0), tasks: signal(0) };

export type Change = keyof typeof changes;
const KINDS = Object.keys(changes) as Change[];
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

let source: EventSource | null = null;
let wait = FIRST_WAIT_MS;
let last = "";
let timer: ReturnType<typeof setTimeout> | undefined;
let watchdog: ReturnType<typeof setInterval> | undefined;

/** Listen from now on. The browser resumes by itself after a short break; a refusal is tried again with patience. */
export function listen(): () => void {
  connect();
  watchdog = setInterval(() => {
    if (feed.value === "live" && Date.now() - heard.value > STALE_MS) feed.value = "stale";
  }, 1000);
  return () => {
    source?.close();
    clearTimeout(timer);
    clearInterval(watchdog);
  };
}

/** Try now instead of waiting. */
export function retry(): void {
  clearTimeout(timer);
  connect();
}

function connect(): void {
  source?.close();
  retryAt.value = 0;
  source = new EventSource(address("stream", { last_event_id: last }));
  source.onopen = () => hear();
  source.addEventListener("heartbeat", hear);
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => {
      last = (event as MessageEvent).lastEventId || last;
      hear();
      changes[kind].value += 1;
    });
  }
  source.onerror = () => {
    if (feed.value !== "connecting" || heard.value) feed.value = "stale";
    if (source?.readyState !== EventSource.CLOSED) return;
    // Refused: perhaps the session ended. Whoever asks who they are finds out.
    changes.configuration.value += 1;
    retryAt.value = Date.now() + wait;
    timer = setTimeout(connect, wait);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  };
}

function hear(): void {
  const back = feed.value === "stale";
  heard.value = Date.now();
  feed.value = "live";
  wait = FIRST_WAIT_MS;
  // After a silence nobody knows what was missed: everything is asked anew.
  if (back) for (const kind of KINDS) changes[kind].value += 1;
}
