// A changed number lights up once, softly. Not for readers who asked for stillness, and not in a storm, when all would.
import { useEffect, useRef } from 'preact/hooks';
import type { RefObject } from 'preact';

const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const PER_SECOND_MAX = 40;
/** So many changes in a second are a storm: a board of fifty markets that all trade has fewer. */
const STORM = 150;
/** What lights up is painted so many times, and not with every frame. */
const STEPS = 7;
let spent = 0;
let before = 0;
let second = 0;

function allowed(): boolean {
  if (still.matches || document.hidden) return false;
  const now = Math.floor(performance.now() / 1000);
  if (now !== second) {
    before = now === second + 1 ? spent : 0;
    second = now;
    spent = 0;
  }
  spent += 1;
  return spent <= PER_SECOND_MAX && before <= STORM;
}

export function useFlash<E extends HTMLElement>(value: unknown): RefObject<E | null> {
  const ref = useRef<E>(null);
  const last = useRef(value);
  useEffect(() => {
    if (last.current === value) return;
    last.current = value;
    if (!ref.current || !allowed()) return;
    const lit = getComputedStyle(ref.current).getPropertyValue('--flash');
    ref.current.animate([{ backgroundColor: lit }, { backgroundColor: 'transparent' }], { duration: 1_400, easing: `steps(${STEPS})` });
  }, [value]);
  return ref;
}
