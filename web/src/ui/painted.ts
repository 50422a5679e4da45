// What may wait until the reader sees something: a screen is painted first, and the rest is made in a turn of its own, so that neither
// keeps the other.
import { useEffect, useState } from 'preact/hooks';

/** Runs `act` once what is there by now has been painted; the answer calls it off. */
export function afterPaint(act: () => void): () => void {
  let timer = 0;
  const frame = requestAnimationFrame(() => {
    timer = window.setTimeout(act);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

/** True from the painting that follows `ready`: for what stands below. */
export function usePainted(ready: boolean): boolean {
  const [painted, setPainted] = useState(false);
  useEffect(() => (ready ? afterPaint(() => setPainted(true)) : undefined), [ready]);
  return painted;
}
