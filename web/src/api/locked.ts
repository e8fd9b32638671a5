// Whether the service wants to know who asks before it shows anything.

import { signal } from "@preact/signals";

/** A look was refused for want of a key. */
export const locked = signal(false);
