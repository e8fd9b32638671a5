// Who is signed in, with the way out; or the way in.

import type { JSX } from "preact";
import { about } from "../api/about";
import { locked } from "../api/locked";
import { asking, signOut } from "../api/session";
import { access } from "../words/access";

export function Person(): JSX.Element | null {
  const found = about.value;
  if (!found || locked.value) return null;
  if (found.signed_in && found.user && found.role) {
    return (
      <span class="person">
        <b title={access.signedInAs(found.user, found.role)}>{found.user}</b> <span class="role">{found.role}</span>
        <button type="button" class="quiet-button" onClick={() => void signOut()}>
          {access.signOut}
        </button>
      </span>
    );
  }
  if (!found.sign_in || asking.value) return null;
  return (
    <button type="button" class="quiet-button" onClick={() => (asking.value = true)}>
      {access.title}
    </button>
  );
}
