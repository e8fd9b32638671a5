// A card, and what it shows while there is nothing to show: waiting, failed, empty. One card fails alone.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Resource } from "../api/resource";
import { words } from "../words";

interface CardProps {
  title: ComponentChildren;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A titled part of a page. */
export function Card({ title, aside, class: name = "", children }: CardProps): JSX.Element {
  return (
    <section class={`card ${name}`}>
      <header>
        <h2>{title}</h2>
        {aside && <span class="aside">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

const LONG_MS = 10_000;

/** What a resource's state looks like where its data would stand; null once they are there. */
export function Waiting<T>({ of, what, rows = 3 }: { of: Resource<T>; what: string; rows?: number }): JSX.Element | null {
  const [long, setLong] = useState(false);
  const waiting = of.data === null && of.error === null;
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timer);
  }, [waiting]);
  if (of.error !== null && of.data === null) return <Failed of={of} />;
  if (!waiting || !of.slow) return null;
  return (
    <div class="shapes" role="status" aria-label={words.loading(what)}>
      {long && <p class="second">{words.loading(what)}</p>}
      {Array.from({ length: rows }, (_, i) => (
        <i key={i} />
      ))}
    </div>
  );
}

/** What failed, that watching goes on, and the way to try again. */
export function Failed<T>({ of }: { of: Resource<T> }): JSX.Element {
  const problem = of.error?.problem;
  return (
    <div class="failed" role="alert">
      <p>
        <b>{words.failed}.</b> {problem?.detail ?? problem?.title}
      </p>
      <p class="second">
        {problem?.role ? words.needsRole(problem.role) : words.goesOn}
        {problem?.instance && <span class="third"> {words.request(problem.instance)}</span>}
      </p>
      <button type="button" class="button" onClick={of.again}>
        {words.again}
      </button>
    </div>
  );
}

/** Nothing to show: what is missing, why, when it will be there, and the one thing to do. */
export function Empty({ children, action }: { children: ComponentChildren; action?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="second">{children}</p>
      {action}
    </div>
  );
}
