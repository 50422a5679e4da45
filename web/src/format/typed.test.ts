import { expect, test } from 'vitest';
import { numberTyped } from './typed';

test('numbers are read as they are typed and pasted', () => {
  const cases: [string, number | null][] = [
    ['69366', 69_366],
    ['69,366', 69_366],
    [' 69,366.5 ', 69_366.5],
    ['1,234,567', 1_234_567],
    ['69 366', 69_366],
    ['69\u202f366,5', 69_366.5],
    ["69'366", 69_366],
    ['69.366,50', 69_366.5],
    ['1.234.567', 1_234_567],
    ['69.366', 69.366],
    ['0,5', 0.5],
    ['0,500', 0.5],
    ['69366,5', 69_366.5],
    ['.5', 0.5],
    ['$69,366', 69_366],
    ['', null],
    ['69,36,6', null],
    ['1,2.3', null],
    ['high', null],
    ['5 and 6', null],
    ['1e5', null],
  ];
  for (const [text, wanted] of cases) expect(numberTyped(text), text).toBe(wanted);
});
