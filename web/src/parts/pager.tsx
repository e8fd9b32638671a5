// Pages of a list that goes back in time: older ones, and the newest again. The address holds where it stands.

import type { JSX } from "preact";
import { choose, view } from "../route";
import { words } from "../words";

/** Where the list stands: the cursor that the API is asked with. */
export function pageCursor(): string | null {
  return view.value.get("after");
}

export function Pager({ next }: { next: string | null | undefined }): JSX.Element | null {
  const after = pageCursor();
  if (!after && !next) return null;
  return (
    <p class="pager">
      {after && (
        <button type="button" class="button" onClick={() => choose({ after: null }, true)}>
          {words.newest}
        </button>
      )}
      {next && (
        <button type="button" class="button" onClick={() => choose({ after: next }, true)}>
          {words.older}
        </button>
      )}
    </p>
  );
}
