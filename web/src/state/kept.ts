// Preferences of this browser: signals that are kept in its storage and follow what another tab of it changes. What was kept is
// read as foreign data: what does not fit is forgotten. A browser that keeps nothing shows the usual next time.
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';

const PREFIX = 'barograph.';

type Read<T> = (value: unknown) => T | null;

interface Kept {
  load: (text: string | null) => void;
}

const all = new Map<string, Kept>();

/** A preference under a name; `read` answers `null` to what is none. Set it with [`keep`]. */
export function kept<T>(name: string, usual: T, read: Read<T>): Signal<T> {
  const value = signal(usual);
  const load = (text: string | null): void => {
    value.value = parsed(text, read) ?? usual;
  };
  load(stored(PREFIX + name));
  all.set(PREFIX + name, { load });
  names.set(value, PREFIX + name);
  return value;
}

/** What is kept under a name now, for one look. */
export function keptNow<T>(name: string, read: Read<T>): T | null {
  return parsed(stored(PREFIX + name), read);
}

const names = new WeakMap<object, string>();

export function keep<T>(of: Signal<T>, next: T): void {
  of.value = next;
  const name = names.get(of);
  if (name === undefined) return;
  try {
    window.localStorage.setItem(name, JSON.stringify(next));
  } catch {
    // Storage is full or forbidden: the preference holds for as long as the page is open.
  }
}

export function startKept(): void {
  window.addEventListener('storage', (event) => {
    if (event.key !== null) all.get(event.key)?.load(event.newValue);
  });
}

function stored(name: string): string | null {
  try {
    return window.localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function parsed<T>(text: string | null, read: Read<T>): T | null {
  if (text === null) return null;
  try {
    return read(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Reads a word of a list. */
export function oneOf<W extends string>(...words: W[]): Read<W> {
  return (value) => words.find((word) => word === value) ?? null;
}

/** Reads a list of texts, each once. */
export function texts(value: unknown): string[] | null {
  return Array.isArray(value) ? [...new Set(value.filter((each): each is string => typeof each === 'string'))] : null;
}

export function yesOrNo(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}
