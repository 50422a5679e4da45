import { expect, test } from 'vitest';
import type { CellBatch } from '../contract';
import { Layout, SPARK_CLOSES, baseOf, patchesOf, sparkAfter, stateOf, timeframesOf } from './decode';

const layout = new Layout(['price', 'change_24h', 'risk', 'risk_since', 'row_ts', 'tf_trend'], {
  risk: ['UNKNOWN', 'NORMAL', 'CHOP_RISK', 'SQUEEZE_RISK', 'HIGH_VOL'],
  trend: ['UNKNOWN', 'STRONG_UPTREND', 'UPTREND', 'SIDEWAYS', 'DOWNTREND', 'STRONG_DOWNTREND'],
});

function batch(...c: CellBatch['c']): CellBatch {
  return { n: 1, t: 0, c };
}

test('a mask names columns, and values follow in their order', () => {
  expect(patchesOf(batch([7, 0b101, 63_120.5, 4], [9, 0b10, null]), layout)).toEqual([
    { row: 7, column: 0, value: 63_120.5 },
    { row: 7, column: 2, value: 4 },
    { row: 9, column: 1, value: null },
  ]);
});

test('epochs count from the reference of the batch', () => {
  const patches = patchesOf({ n: 1, t: 0, r: 1_770_298_500, c: [[0, 0b11001, 1, -300, 0]] }, layout);
  expect(patches.map((p) => p.value)).toEqual([1, 1_770_298_200, 1_770_298_500]);
});

test('a batch that does not fit its masks is refused', () => {
  expect(() => patchesOf(batch([0, 0b11, 1]), layout)).toThrow('ends before column 1');
  expect(() => patchesOf(batch([0, 0b1, 1, 2]), layout)).toThrow('2 values for 1');
  expect(() => patchesOf(batch([0, 0b1000000, 1]), layout)).toThrow('column 6 of 6');
});

test('codes are words by the lists that came with the board', () => {
  expect(layout.word('risk', 3)).toBe('SQUEEZE_RISK');
  expect(layout.word('risk', null)).toBeNull();
  expect(layout.word('risk', 99)).toBeNull();
  expect(layout.word('risk', 'NORMAL')).toBe('NORMAL');
  expect(timeframesOf(layout, 'trend', '13.5')).toEqual(['STRONG_UPTREND', 'SIDEWAYS', null, 'STRONG_DOWNTREND']);
  expect(timeframesOf(layout, 'trend', null)).toEqual([null, null, null, null]);
});

test('a symbol without its quote', () => {
  const cases: [string, string][] = [
    ['BTCUSDT', 'BTC'],
    ['BTC/USDT', 'BTC'],
    ['BTC-USD', 'BTC'],
    ['BTC-USDT-SWAP', 'BTC'],
    ['ETHBTC', 'ETHBTC'],
    ['USDT', 'USDT'],
  ];
  for (const [symbol, base] of cases) expect(baseOf(symbol)).toBe(base);
});

test('of several flags the worst is said', () => {
  expect([null, 0, 4, 8, 2, 6, 1, 15].map(stateOf)).toEqual(['live', 'live', 'warming', 'live', 'lost', 'lost', 'stale', 'stale']);
});

test('a sparkline is as long as an hour, whatever was left out', () => {
  const hour = Array.from({ length: SPARK_CLOSES }, (_, n) => n);
  expect(sparkAfter(hour, 600, 660, 99)).toEqual([...hour.slice(1), 99]);
  expect(sparkAfter(hour, 600, 600 + 86_400, 99)).toEqual([...Array.from({ length: SPARK_CLOSES - 1 }, () => null), 99]);
  expect(sparkAfter([1], 600, 540, 2)).toEqual([1]);
  expect(sparkAfter([], null, 600, 2)).toEqual([2]);
});
