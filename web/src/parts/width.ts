// How wide a place on the page is, now and after every change.

import { useEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** A ref for the place, and its width in px; 0 before it is known. */
export function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const place = host.current;
    if (!place) return undefined;
    const read = (): void => setWidth(Math.floor(place.clientWidth));
    read();
    const observer = new ResizeObserver(read);
    observer.observe(place);
    return () => observer.disconnect();
  }, []);
  return [host, width];
}
