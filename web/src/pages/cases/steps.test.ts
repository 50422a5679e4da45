import { expect, test } from 'vitest';
import type { BookStep, TapeTrade } from '../../api/types';
import { exact } from '../../format/number';
import { decimalsIn, firstStep, leftOut, offsetText, stepsOf, tapeAt, widest } from './steps';

const at = (ms: number): string => new Date(Date.UTC(2026, 1, 5) + ms).toISOString();
const book = (ms: number): BookStep => ({ at: at(ms), known_at: at(ms), bids: [{ price: 99, qty: ms + 1 }], asks: [{ price: 101, qty: 2 }] });
const trade = (ms: number): TapeTrade => ({ at: at(ms), known_at: at(ms), price: 100, qty: 1, aggressor_side: 'long' });

const RECORDING = { books: [book(100), book(300)], trades: [trade(50), trade(100), trade(200)], moment: at(150) };

test('every moment is a step, with the book that held then', () => {
  expect(stepsOf(RECORDING).map((step) => [offsetText(step.at, at(0)), step.book?.at ?? null])).toEqual([
    ['+0.050 s', null],
    ['+0.100 s', at(100)],
    ['+0.200 s', at(100)],
    ['+0.300 s', at(300)],
  ]);
  expect(stepsOf({ books: [], trades: [] })).toEqual([]);
});

test('the reader begins where the episode began', () => {
  expect(firstStep(RECORDING)).toBe(2);
  expect(firstStep({ ...RECORDING, moment: at(900) })).toBe(3);
  expect(firstStep({ books: [], trades: [], moment: at(0) })).toBe(0);
});

test('the tape ends at the step, the newest first', () => {
  expect(tapeAt(RECORDING, at(100)).map((t) => t.at)).toEqual([at(100), at(50)]);
});

test('two levels never read alike, and all of a recording have the same decimals', () => {
  const close: BookStep = { at: at(0), known_at: at(0), bids: [{ price: 69_366.1, qty: 0.001 }, { price: 69_366, qty: 12 }], asks: [] };
  const decimals = decimalsIn({ books: [close], trades: [trade(0)] });
  expect(decimals).toEqual({ price: 1, qty: 3 });
  expect(close.bids.map((l) => [exact(l.price, decimals.price), exact(l.qty, decimals.qty)])).toEqual([['69,366.1', '0.001'], ['69,366.0', '12.000']]);
  expect(decimalsIn({ books: [], trades: [{ ...trade(0), price: 1.25e-7, qty: 1e21 }] })).toEqual({ price: 9, qty: 0 });
  expect(decimalsIn({ books: [], trades: [] })).toEqual({ price: 0, qty: 0 });
});

test('bars are drawn by the largest level, and time counts from the moment', () => {
  expect(widest(book(300))).toBe(301);
  expect(offsetText(at(50), at(100))).toBe('−0.050 s');
});

test('what is not kept is not promised', () => {
  const of = (books: number, trades: number): string => leftOut({ ...RECORDING, books_left_out: books, trades_left_out: trades });
  expect(of(0, 0)).toBe('');
  expect(of(1, 30)).toBe('In the JSON export: 1 more book and 30 more trades.');
  expect(of(500, 0)).toBe('In the JSON export: 198 more books. Received and not kept: 302 more books.');
});
