// What this browser keeps for its reader beside the address: a choice, a line on a chart. A signal that reads its stored value when it
// is made and writes each change. What another version left there, or somebody wrote by hand, is read with `read`, which answers with
// something usable whatever it is given. A browser that keeps nothing behaves as one that is new.
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';

export interface Kept<T> {
  value: Signal<T>;
  set: (next: T) => void;
}

export function kept<T>(name: string, read: (stored: unknown) => T): Kept<T> {
  const key = `barograph.${name}`;
  const value = signal<T>(read(stored(key)));
  // Another tab of this browser changes it, too.
  if (typeof window !== 'undefined' && typeof window.addEventListener === 'function') {
    window.addEventListener('storage', (event) => {
      if (event.key === key) value.value = read(stored(key));
    });
  }
  return {
    value,
    set: (next) => {
      value.value = next;
      try {
        window.localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // Kept until the page is closed.
      }
    },
  };
}

function stored(key: string): unknown {
  try {
    const text = window.localStorage.getItem(key);
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
