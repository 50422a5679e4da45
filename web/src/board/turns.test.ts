import { expect, test } from 'vitest';
import type { BoardChange } from '../contract';
import { isWorse, turnSentence, turnWords, turnsSince } from './turns';

const NOON = Date.parse('2026-02-05T12:00:00Z');

function change(instrument: string, axis: BoardChange['axis'], from: string, to: string, minute: number): BoardChange {
  return { instrument, axis, from, to, at: new Date(NOON + minute * 60_000).toISOString() };
}

test('the worst first, of equals the newest, of a market’s axis the last', () => {
  const all = [
    change('v:A', 'heat', 'NEUTRAL', 'SUPER_HOT', 30),
    change('v:B', 'risk', 'CHOP_RISK', 'HIGH_VOL', 10),
    change('v:C', 'risk', 'NORMAL', 'HIGH_VOL', 20),
    change('v:D', 'risk', 'HIGH_VOL', 'NORMAL', 50),
    change('v:D', 'risk', 'NORMAL', 'CHOP_RISK', 55),
    change('v:E', 'volatility', 'HIGH_VOL', 'EXPLOSIVE', 40),
    change('v:F', 'risk', 'UNKNOWN', 'NORMAL', 41),
    change('v:F', 'volatility', 'UNKNOWN', 'HIGH_VOL', 41),
  ];
  expect(turnsSince(all, NOON).map((turn) => `${turn.instrument} ${turn.to} ${turn.times}`)).toEqual(['v:C HIGH_VOL 1', 'v:B HIGH_VOL 1', 'v:A SUPER_HOT 1', 'v:E EXPLOSIVE 1', 'v:D CHOP_RISK 2']);
  expect(turnsSince(all, NOON + 45 * 60_000).map((turn) => turn.instrument)).toEqual(['v:D']);
});

test('in words', () => {
  expect(turnWords(change('v:BTC', 'risk', 'CHOP_RISK', 'HIGH_VOL', 0))).toEqual(['turned to high volatility', 'from chop risk']);
  expect(turnSentence('SOL', change('v:SOL', 'volatility', 'HIGH_VOL', 'EXPLOSIVE', 0))).toBe('SOL turned to explosive moves, from larger moves');
  expect(turnSentence('SOL', change('v:SOL', 'risk', 'UNKNOWN', 'NORMAL', 0))).toBe('SOL turned to normal, first risk reading');
});

test('a first reading, a way down and a trend are nothing to be called for', () => {
  const cases: [BoardChange['axis'], string, string, boolean][] = [
    ['risk', 'NORMAL', 'HIGH_VOL', true],
    ['risk', 'CHOP_RISK', 'SQUEEZE_RISK', true],
    ['risk', 'NORMAL', 'CHOP_RISK', false],
    ['risk', 'HIGH_VOL', 'SQUEEZE_RISK', false],
    ['risk', 'HIGH_VOL', 'UNKNOWN', false],
    ['risk', 'UNKNOWN', 'HIGH_VOL', true],
    ['risk', 'UNKNOWN', 'NORMAL', false],
    ['volatility', 'HIGH_VOL', 'EXTREME', true],
    ['trend', 'SIDEWAYS', 'STRONG_DOWNTREND', false],
  ];
  for (const [axis, from, to, wanted] of cases) expect(isWorse(change('v:A', axis, from, to, 0)), `${from} to ${to}`).toBe(wanted);
});
