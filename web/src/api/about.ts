// Who asks and what the server is, known to every page.

import { signal } from "@preact/signals";
import type { About, Role } from "./types";

export const about = signal<About | null>(null);

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the viewer may do what needs a role; buttons that nobody could press are not shown. */
export function may(role: Role): boolean {
  const mine = about.value?.role ?? null;
  return mine !== null && RANK[mine] >= RANK[role];
}
