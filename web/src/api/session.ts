// Whether somebody has to sign in, and how they do.

import { signal } from "@preact/signals";
import { BASE, send } from "./client";
import { changes, retry } from "./live";
import { locked } from "./locked";
import type { Session } from "./types/access";

/** Somebody chose to sign in, without having to. */
export const asking = signal(false);

/** Sign in with a key; the page that was asked for is shown then. */
export async function signIn(key: string): Promise<void> {
  await send<Session>("POST", "session", { key, path: BASE.pathname });
  anew();
}

/** End the session of this browser. */
export async function signOut(): Promise<void> {
  await send<Session>("DELETE", "session", { path: BASE.pathname });
  anew();
}

/** Another person asks: everything is asked anew. */
function anew(): void {
  asking.value = false;
  locked.value = false;
  for (const change of Object.values(changes)) change.value += 1;
  retry();
}
