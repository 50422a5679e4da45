// How wide an element is drawn, in pixels: a picture that is laid out for its width keeps its text readable on a phone.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** The element to measure, and its width; `first` until it is on the screen. */
export function useWidth<E extends Element>(first: number): [RefObject<E | null>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    if (!element.current) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) setWidth(entry.contentRect.width);
    });
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return [element, width];
}
