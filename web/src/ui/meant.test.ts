import { expect, test } from 'vitest';
import { meant } from './meant';

test('what has to be confirmed is asked in words, and how a program confirms is left out', () => {
  const message = 'entry: 1 lies 99 % from the market at 69,656; if it is meant, ask with confirm: --confirm, or "confirm": true';
  expect(meant({ message })).toBe('Entry: 1 lies 99 % from the market at 69,656; if it is meant.'.replace('; if it is meant', ''));
  expect(meant({ message: 'there is no market of this name' })).toBeNull();
  expect(meant(null)).toBeNull();
});
