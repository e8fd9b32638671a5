// Keys and sessions, as the service tells them.

import type { Role } from "../types";

/** Who asks. */
export interface Session {
  user: string | null;
  role: Role | null;
  signed_in: boolean;
}

/** What is known of a key; never its secret. */
export interface Key {
  id: string;
  name: string;
  role: Role | "write";
  state: "live" | "expired" | "revoked";
  created: string;
  by: string;
  expires: string | null;
  revoked: string | null;
  used: string | null;
}

/** A key that was just made: the only time its secret is told. */
export interface NewKey {
  key: Key;
  secret: string;
}
