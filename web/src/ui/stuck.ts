// What sticks to the top of the screen tells its height to the style sheets, so that what sticks beneath it knows where to stop:
// the header wraps on narrower screens, and the banner of the past comes and goes.
import { useEffect, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';

/** `name` is the variable of `tokens.css` that holds the height while the element is there. */
export function useStuckHeight<E extends HTMLElement>(name: '--top-height' | '--banner-height'): RefObject<E | null> {
  const ref = useRef<E>(null);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const root = document.documentElement.style;
    const watch = new ResizeObserver(() => root.setProperty(name, `${element.offsetHeight}px`));
    watch.observe(element);
    return () => {
      watch.disconnect();
      root.removeProperty(name);
    };
  }, []);
  return ref;
}
