// The order of a table whose numbers move: it follows them once a second, but never while the pointer or the keyboard is in the
// table, so that nothing moves under the hand.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import { edition, rows } from '../board/store';
import type { Row } from '../board/store';

const FOLLOW_MS = 1_000;

export function sameOrder(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}

/** `sort` is asked again when markets come or go, when `key` changes, and once a second after a batch. */
export function useHeldOrder(body: RefObject<HTMLElement | null>, sort: (rows: readonly Row[]) => Row[], key: string): Row[] {
  const all = rows.value;
  const newest = useRef(sort);
  newest.current = sort;
  const [order, setOrder] = useState<Row[]>(() => sort(all));
  useEffect(() => {
    setOrder(newest.current(all));
  }, [all, key]);
  useEffect(() => {
    let seen = edition.peek();
    const timer = window.setInterval(() => {
      if (edition.peek() === seen || body.current?.matches(':hover, :focus-within') === true) return;
      seen = edition.peek();
      const next = newest.current(rows.peek());
      setOrder((old) => (sameOrder(old, next) ? old : next));
    }, FOLLOW_MS);
    return () => window.clearInterval(timer);
  }, []);
  return order;
}
