// Which rows of a long table are near the screen. Rows have one height, so the arithmetic needs no measuring of each.
import { useEffect, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** Rows drawn beyond either edge of the screen, so that scrolling and the keyboard find them there. */
const BEYOND = 12;

export interface Shown {
  from: number;
  to: number;
}

export function rowsNear(top: number, screen: number, height: number, count: number): Shown {
  const first = Math.floor(-top / height) - BEYOND;
  const last = Math.ceil((screen - top) / height) + BEYOND;
  const from = Math.min(Math.max(0, first), count);
  return { from, to: Math.min(count, Math.max(from, last)) };
}

export function useRowsNear(body: RefObject<HTMLElement | null>, height: number, count: number): Shown {
  const [shown, setShown] = useState<Shown>({ from: 0, to: Math.min(count, 40) });
  useEffect(() => {
    let frame = 0;
    const look = (): void => {
      frame = 0;
      if (!body.current) return;
      const next = rowsNear(body.current.getBoundingClientRect().top, window.innerHeight, height, count);
      setShown((old) => (old.from === next.from && old.to === next.to ? old : next));
    };
    const ask = (): void => {
      if (frame === 0) frame = window.requestAnimationFrame(look);
    };
    look();
    window.addEventListener('scroll', ask, { passive: true });
    window.addEventListener('resize', ask);
    return () => {
      window.cancelAnimationFrame(frame);
      window.removeEventListener('scroll', ask);
      window.removeEventListener('resize', ask);
    };
  }, [body, height, count]);
  return shown;
}
