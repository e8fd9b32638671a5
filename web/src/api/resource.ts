// An answer of the API in a component: loading, here, or failed; asked anew when what it depends on changes.

import { useEffect, useState } from "preact/hooks";
import { ApiError, get, type Query } from "./client";
import { type Change, changes } from "./live";

export interface Resource<T> {
  data: T | null;
  error: ApiError | null;
  /** Asked for and not yet answered for longer than a glance. */
  slow: boolean;
  again: () => void;
}

const GLANCE_MS = 300;

/** What `path` answers. Old data stay while new ones come; `on` names the changes that make it ask again. */
export function useResource<T>(path: string | null, query: Query = {}, on: readonly Change[] = []): Resource<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: ApiError | null }>({ key: "", data: null, error: null });
  const [slow, setSlow] = useState(false);
  const [turn, setTurn] = useState(0);
  const key = path === null ? "" : `${path}?${JSON.stringify(query)}`;
  const versions = on.map((kind) => changes[kind].value).join();
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    const glance = setTimeout(() => setSlow(true), GLANCE_MS);
    get<T>(path, query, stop.signal)
      .then((data) => setState({ key, data, error: null }))
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setState((before) => ({ key, data: before.key === key ? before.data : null, error: failure(error) }));
      })
      .finally(() => {
        clearTimeout(glance);
        setSlow(false);
      });
    return () => {
      stop.abort();
      clearTimeout(glance);
    };
  }, [key, versions, turn]);
  const mine = state.key === key;
  return { data: mine ? state.data : null, error: mine ? state.error : null, slow, again: () => setTurn((n) => n + 1) };
}

function failure(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ type: "about:blank", title: "This page failed", status: 0, detail: String(error) }, true);
}
