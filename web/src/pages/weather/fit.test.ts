import { expect, test } from 'vitest';
import { fit, linesOf } from './fit';
import type { Measured } from './fit';

const column = (id: string, width: number, rank: number, part: number | null = 60, grow = 0): Measured => ({ id, width, rank, part, grow });
const MUST = [column('market', 100, 0, null, 1), column('price', 80, 1), column('spark', 90, 9, null), column('risk', 120, 2), column('heat', 100, 5)];
const EXTRA = [column('vol', 70, 1), column('oi', 70, 2)];

function check(room: number, shown: string, below: string, lines: number): void {
  const found = fit(MUST, EXTRA, room, true);
  expect([found.shown.join(' '), found.below.join(' '), found.partLines], `${room} px`).toEqual([shown, below, lines]);
  expect(found.widths.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(Math.max(room, 100));
}

test('what matters least goes first, into lines beneath or away', () => {
  check(800, 'market price spark risk heat vol oi', '', 0);
  check(570, 'market price spark risk heat vol', '', 0);
  check(500, 'market price spark risk heat', '', 0);
  check(420, 'market price risk heat', '', 0);
  check(310, 'market price risk', 'heat', 1);
  check(110, 'market', 'price risk heat', 3);
  check(60, 'market', 'price risk heat', 3);
});

test('room that is left over goes to who grows', () => {
  expect(fit(MUST, [], 520, true).widths).toEqual([130, 80, 90, 120, 100]);
});

test('nothing stands beneath a compact row', () => {
  expect(fit(MUST, EXTRA, 310, false).below).toEqual([]);
});

test('a text beneath takes as many lines as it needs', () => {
  const words: Measured = { id: 'headline', width: 400, grow: 5, rank: 3, part: null, line: 800 };
  expect(fit(MUST, [words], 330, true)).toMatchObject({ below: ['heat', 'headline'], textLines: 3, partLines: 1 });
  expect(fit(MUST, [words], 1_000, true)).toMatchObject({ below: [], textLines: 0 });
});

test('lines', () => {
  expect([linesOf([], 100), linesOf([50, 50, 50], 100), linesOf([150], 100)]).toEqual([0, 2, 1]);
});
