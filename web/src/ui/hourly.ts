// What is judged by the hour is asked for again when an hour is over.
import { useEffect, useState } from 'preact/hooks';
import { hourNow } from '../state/clock';

/** The hour is judged with its last minute, which takes a moment to be known. */
const SETTLED_MS = 5_000;

/** The number of the hour, a moment after it began: what depends on whole hours is asked for when this moves. */
export function useHour(): number {
  const hour = hourNow.value;
  const [settled, setSettled] = useState(hour);
  useEffect(() => {
    if (hour === settled) return undefined;
    // Anything but the next hour is another clock: the server's, once it is known, or that of the past.
    const timer = window.setTimeout(() => setSettled(hour), hour === settled + 1 ? SETTLED_MS : 0);
    return () => window.clearTimeout(timer);
  }, [hour, settled]);
  return settled;
}
