// A changed number lights up once, softly. Not for readers who asked for stillness, and not in a storm, when all would.
import { useEffect, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';

const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const PER_SECOND_MAX = 40;
let spent = 0;
let second = 0;

function allowed(): boolean {
  if (still.matches || document.hidden) return false;
  const now = Math.floor(performance.now() / 1000);
  if (now !== second) {
    second = now;
    spent = 0;
  }
  spent += 1;
  return spent <= PER_SECOND_MAX;
}

export function useFlash<E extends HTMLElement>(value: unknown): RefObject<E | null> {
  const ref = useRef<E>(null);
  const before = useRef(value);
  useEffect(() => {
    if (before.current === value) return;
    before.current = value;
    if (!ref.current || !allowed()) return;
    const lit = getComputedStyle(ref.current).getPropertyValue('--flash');
    ref.current.animate([{ backgroundColor: lit }, { backgroundColor: 'transparent' }], { duration: 1_400, easing: 'ease-out' });
  }, [value]);
  return ref;
}
