// Sign in: shown where the service wants to know who asks. The address stays, so that one comes back to it.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { about } from "../api/about";
import { locked } from "../api/locked";
import { asking, signIn } from "../api/session";
import { Glyph } from "../parts/glyph";
import { access } from "../words/access";

export function SignIn(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    const key = field.current?.value.trim();
    if (!key) return;
    setBusy(true);
    try {
      await signIn(key);
    } catch (error) {
      setRefused((error as Error).message);
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <div class="page sign-in">
      <form class="card" onSubmit={(event) => void enter(event)}>
        <Glyph name="mark" size={32} />
        <h1>{about.value && locked.value ? access.ended : access.title}</h1>
        <p class="second">{locked.value ? access.why : access.whyMore}</p>
        <label>
          {access.field}
          <input ref={field} type="password" name="key" required autocomplete="current-password" spellcheck={false} aria-invalid={refused !== null} aria-describedby="sign-in-said" />
        </label>
        <p id="sign-in-said" class="text-critical" role="alert">
          {refused}
        </p>
        <button type="submit" class="button primary" disabled={busy}>
          {access.enter}
        </button>
        {!locked.value && (
          <button type="button" class="button" onClick={() => (asking.value = false)}>
            {access.back}
          </button>
        )}
        <p class="second">
          {access.where}
          <code>{access.command}</code>
        </p>
        <p class="third">{access.stays}</p>
      </form>
    </div>
  );
}
