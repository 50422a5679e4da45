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
    const timer = window.setTimeout(() => setSettled(hour), SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [hour, settled]);
  return settled;
}
