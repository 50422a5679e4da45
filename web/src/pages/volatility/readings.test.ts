import { expect, test } from 'vitest';
import { number, reason, rowsByMarket } from './readings';

const row = (annual: number | null) => ({
  ts: '2026-02-05T04:00:00Z',
  values: { vol_annual: annual },
  computation_version: 'v1',
  source_metrics: [],
  readings: annual === null ? { vol_annual: 'warming' } : ({} as Record<string, string>),
});

test('the same pair on two venues has two readings', () => {
  const of = rowsByMarket({ items: [{ instrument: 'a:BTCUSDT', row: row(0.4) }, { instrument: 'b:BTCUSDT', row: row(0.9) }] });
  expect(['a:BTCUSDT', 'b:BTCUSDT'].map((market) => number(of.get(market), 'vol_annual'))).toEqual([0.4, 0.9]);
});

test('where there is no reading there is a reason, where there is no market neither', () => {
  const of = rowsByMarket({ items: [{ instrument: 'a:BTCUSDT', row: row(null) }] });
  expect([number(of.get('a:BTCUSDT'), 'vol_annual'), reason(of.get('a:BTCUSDT'), 'vol_annual')]).toEqual([null, 'warming']);
  expect([number(of.get('a:ETHUSDT'), 'vol_annual'), reason(of.get('a:ETHUSDT'), 'vol_annual')]).toEqual([null, null]);
  expect(rowsByMarket(null).size).toBe(0);
});
