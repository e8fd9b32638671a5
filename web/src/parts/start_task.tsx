// A button that starts a task; the tray shows how far it is.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import type { Role } from "../api/types";
import type { Task } from "../api/types/tasks";
import { words } from "../words";
import { taskWords } from "../words/tasks";

interface Props {
  /** What the API is asked. */
  body: Record<string, unknown>;
  text: string;
  hint?: string;
  needs?: Role;
  small?: boolean;
  /** Say who may instead of showing nothing. */
  refuse?: boolean;
}

export function StartTask({ body, text, hint, needs = "operator", small, refuse }: Props): JSX.Element | null {
  const [said, setSaid] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  if (!may(needs)) return refuse ? <p class="second">{words.needsRole(needs)}</p> : null;
  const start = async (): Promise<void> => {
    setBusy(true);
    try {
      await send<Task>("POST", "tasks", body);
      setSaid(taskWords.started);
    } catch (error) {
      setSaid((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" class={`button ${small ? "small" : ""}`} title={hint} disabled={busy} onClick={() => void start()}>
        {text}
      </button>
      <span class={small ? "spoken" : "second"} role="status">
        {said}
      </span>
    </>
  );
}
