// A preference whose stored form is read with care: `read` is given whatever lies there, also nothing, and answers with something
// usable. Kept as every other preference is.
import { computed } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { keep, kept } from './kept';

export interface Choice<T> {
  value: ReadonlySignal<T>;
  set: (next: T) => void;
}

export function choice<T>(name: string, read: (stored: unknown) => T): Choice<T> {
  const stored = kept<{ of: unknown }>(name, { of: null }, (value) => ({ of: Object(value).of ?? null }));
  return {
    value: computed(() => read(stored.value.of)),
    set: (next) => keep(stored, { of: next }),
  };
}
