import { expect, test } from 'vitest';
import { csvOf, fileName } from './takeaway';

test('a table has a line for each bar, and what is not known is empty', () => {
  const labels = { risk: 'NORMAL', trend: null, volatility: null, heat: 'HOT' };
  const row = { t: 1_770_300_000, open: 1, high: 3, low: 0.5, close: 2, volume: null, labels, funding: -0.0001, oi: null, vol: 0.8, liqLong: 0, liqShort: null };
  expect(csvOf([row, { ...row, close: null }]).split('\n')).toEqual([
    'open_time,open,high,low,close,volume,risk,trend,volatility,heat,funding_8h,open_interest,vol_1h_annualised,liquidated_longs,liquidated_shorts',
    '2026-02-05T14:00:00Z,1,3,0.5,2,,NORMAL,,,HOT,-0.0001,,0.8,0,',
    '',
  ]);
  expect(fileName('binance-usdm:BTC/USDT', '1h', Date.parse('2026-02-05T14:35:00Z'))).toBe('binance-usdm_BTC_USDT_1h_2026-02-05T1435');
});
