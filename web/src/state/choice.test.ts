import { expect, test } from 'vitest';
import { choice } from './choice';

const storage = new Map<string, string>();
Object.assign(globalThis, { window: { localStorage: { getItem: (k: string) => storage.get(k) ?? null, setItem: (k: string, v: string) => void storage.set(k, v) } } });

const word = (stored: unknown): string => (typeof stored === 'string' ? stored : 'usual');

test('what is chosen is there after the page was loaded again, and what is none is the usual', () => {
  expect(choice('a', word).value.value).toBe('usual');
  choice('a', word).set('4h');
  expect(choice('a', word).value.value).toBe('4h');
  storage.set('barograph.a', '7');
  expect(choice('a', word).value.value).toBe('usual');
});
