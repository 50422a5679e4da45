import { expect, test } from 'vitest';
import { AXES, WORDS } from '../board/axes';
import { NO_READING, briefly, enumOf, marginWord, said, saidRisk, saidTurn } from './labels';

test('every word of the API is said, none with its underscore, and no word names two things', () => {
  const all = AXES.flatMap((axis) => WORDS[axis].filter((word) => word !== 'UNKNOWN').map((word) => said(axis, word)));
  expect(all.filter((text) => /[_]|^[A-Z]{3,}/.test(text))).toEqual([]);
  expect(new Set(all.map((text) => text.toLowerCase())).size).toBe(all.length);
});

test('the volatility class and the risk label of one name are told apart', () => {
  expect(said('risk', 'HIGH_VOL')).toBe('High volatility');
  expect(said('volatility', 'HIGH_VOL')).toBe('Larger moves');
  expect(briefly('volatility', 'HIGH_VOL')).toBe('Larger');
  expect(enumOf('volatility', 'HIGH_VOL')).toBe('volatility: HIGH_VOL');
});

test('a squeeze names its side where one is known', () => {
  expect(saidRisk('SQUEEZE_RISK', 'longs')).toBe('Squeeze risk, longs crowded');
  expect(saidRisk('SQUEEZE_RISK', 'none')).toBe('Squeeze risk');
  expect(saidRisk('HIGH_VOL', 'longs')).toBe('High volatility');
});

test('what is not known and what is of tomorrow can be read, too', () => {
  expect([said('risk', null), said('heat', 'UNKNOWN')]).toEqual([NO_READING, NO_READING]);
  expect(said('risk', 'THIN_BOOK')).toBe('Thin book');
});

test('a turn ends a sentence', () => {
  expect(saidTurn('risk', 'HIGH_VOL')).toBe('turned to high volatility');
  expect(saidTurn('volatility', 'EXTREME')).toBe('turned to extreme moves');
  expect(saidTurn('volatility', 'UNKNOWN')).toBe('has no volatility reading any more');
});

test('margins in words', () => {
  expect([2, 1, 0.9, 0.25, 0.1, -0.3].map(marginWord)).toEqual(['far', 'far', 'near', 'near', 'about to turn', 'about to turn']);
  expect([null, undefined, Number.NaN].map(marginWord)).toEqual([null, null, null]);
});
