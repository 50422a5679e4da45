// A preference whose stored form is read with care: `read` is given whatever lies there, also nothing, and answers with something
// usable. Kept as every other preference is.
import { computed } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { keep, kept, keptNow } from './kept';

export interface Choice<T> {
  value: ReadonlySignal<T>;
  set: (next: T) => void;
}

interface Stored {
  of: unknown;
}

const storedAs = (value: unknown): Stored => ({ of: Object(value).of ?? null });

/** What is chosen now, for one look. */
export function chosenNow<T>(name: string, read: (stored: unknown) => T): T {
  return read(keptNow(name, storedAs)?.of ?? null);
}

export function choice<T>(name: string, read: (stored: unknown) => T): Choice<T> {
  const stored = kept<Stored>(name, { of: null }, storedAs);
  return {
    value: computed(() => read(stored.value.of)),
    set: (next) => keep(stored, { of: next }),
  };
}
