// The way to the service: one shape of answers, one of errors, below whatever path the page stands.

import { locked } from "./locked";
import type { Page, Problem } from "./types";

/** Where the dashboard stands: the path of the page without its last word. */
export const BASE = new URL("./", document.baseURI);
const TIMEOUT_MS = 20_000;

/** The service refused, failed or was not there. */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    /** Whether the service answered at all. */
    readonly answered: boolean,
  ) {
    super(problem.detail ?? problem.title);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

/** An address of the API with its parameters; empty ones are left out. */
export function address(path: string, query: Query = {}): URL {
  const url = new URL(`api/v1/${path}`, BASE);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") url.searchParams.append(name, String(one));
    }
  }
  return url;
}

/** Ask for something. */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return answered<T>(address(path, query), { signal: limited(signal) });
}

/** Change something. The key of the session goes along by cookie; the header shows that this page sent it. */
export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  return answered<T>(address(path), {
    method,
    signal: limited(),
    headers: { "content-type": "application/json", "x-watchband": "1" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Every page of a list, up to `most` items. */
export async function all<T>(path: string, query: Query = {}, most = 10_000, signal?: AbortSignal): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await get<Page<T>>(path, { ...query, cursor }, signal);
    found.push(...page.data);
    cursor = page.next;
  } while (cursor !== null && found.length < most);
  return found;
}

function limited(signal?: AbortSignal): AbortSignal {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

async function answered<T>(url: URL, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted && init.signal.reason instanceof DOMException && init.signal.reason.name === "AbortError") throw error;
    throw new ApiError({ type: "about:blank", title: "The service does not answer", status: 0 }, false);
  }
  if (response.status === 204) return undefined as T;
  const json = (response.headers.get("content-type") ?? "").includes("json");
  const body: unknown = json ? await response.json().catch(() => null) : null;
  if (response.ok && body !== null) return body as T;
  // Only what looks: a change that is refused says so where it was wanted.
  if (response.status === 401 && (init.method ?? "GET") === "GET" && (body as Problem | null)?.role === "viewer") locked.value = true;
  const problem = (body ?? { type: "about:blank", title: response.statusText || "Not an answer of Watchband", status: response.status }) as Problem;
  throw new ApiError(problem, true);
}
