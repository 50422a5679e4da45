// A list that grows while it is read: under the pointer or the keyboard nothing moves. What is shown gets its newest words in its
// place, what is over stays until the hand leaves, what is newer waits and is counted.
import { useEffect, useReducer, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';

export interface Held<T> {
  shown: readonly T[];
  /** How many wait above. */
  waiting: number;
}

export function held<T>(before: readonly T[], now: readonly T[], keyOf: (item: T) => string): Held<T> {
  const known = new Set(before.map(keyOf));
  const newest = new Map(now.map((item) => [keyOf(item), item]));
  const lastKnown = now.reduce((last, item, at) => (known.has(keyOf(item)) ? at : last), -1);
  const fresh = now.filter((item, at) => at < lastKnown && !known.has(keyOf(item)));
  // What follows the last that is known was asked for: it is older, and stands below.
  const older = now.filter((item, at) => at > lastKnown && !known.has(keyOf(item)));
  return { shown: [...before.map((item) => newest.get(keyOf(item)) ?? item), ...older], waiting: fresh.length };
}

/** `question` is what the list answers: another one is shown at once. */
export function useHeld<T>(list: RefObject<HTMLElement | null>, now: readonly T[], keyOf: (item: T) => string, question: string): Held<T> {
  const [, look] = useReducer((n: number) => n + 1, 0);
  const before = useRef<{ question: string; shown: readonly T[] }>({ question, shown: [] });
  const busy = before.current.question === question && before.current.shown.length > 0 && list.current?.matches(':hover, :focus-within') === true;
  const result = busy ? held(before.current.shown, now, keyOf) : { shown: now, waiting: 0 };
  before.current = { question, shown: result.shown };
  const waits = result.waiting > 0;
  useEffect(() => {
    const element = list.current;
    if (!waits || element === null) return undefined;
    // The pointer is outside only after the event that tells of it.
    const left = (): void => void window.setTimeout(() => look(undefined), 0);
    element.addEventListener('pointerleave', left);
    element.addEventListener('focusout', left);
    return () => {
      element.removeEventListener('pointerleave', left);
      element.removeEventListener('focusout', left);
    };
  }, [waits]);
  return result;
}
