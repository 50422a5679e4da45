import { expect, test } from 'vitest';
import { held } from './held';

/** Each item is a key and what is said of it: `a1` is `a` with the words `1`. */
function check(before: string, now: string, shown: string, waiting: number): void {
  const items = (text: string): string[] => text.split(' ').filter((t) => t !== '');
  const result = held(items(before), items(now), (item) => item[0] ?? '');
  expect(result.shown.join(' ')).toBe(shown);
  expect(result.waiting).toBe(waiting);
}

test('what is newer waits, and what is shown gets its newest words in its place', () => {
  check('a1 b1', 'c1 a2 b1', 'a2 b1', 1);
  check('a1 b1', 'b2 a1', 'a1 b2', 0);
});

test('what is over stays until the hand leaves', () => {
  check('a1 b1 c1', 'a1 c1', 'a1 b1 c1', 0);
});

test('what was asked for below is shown', () => {
  check('a1 b1', 'c1 a1 b1 d1 e1', 'a1 b1 d1 e1', 1);
});

test('a list of which nothing is left shows both', () => {
  check('a1', 'b1', 'a1 b1', 0);
});
