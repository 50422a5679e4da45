import { expect, test } from 'vitest';
import { judgedBy } from './judged';
import type { Judged } from './judged';

const markets = [
  { instrument: 'a:BTCUSDT', symbol: 'BTC/USDT' },
  { instrument: 'b:BTCUSDT', symbol: 'BTC/USDT' },
  { instrument: 'a:ETHUSDT', symbol: 'ETH/USDT' },
];

function judged(volatility_annual: number, symbol: string, instrument?: string): Judged {
  return { symbol, volatility_annual, ...(instrument === undefined ? {} : { instrument }) } as Judged;
}

test('the same pair on two venues has two judgements', () => {
  const of = judgedBy([judged(0.4, 'BTC/USDT', 'a:BTCUSDT'), judged(0.9, 'BTC/USDT', 'b:BTCUSDT')], markets);
  expect([of.get('a:BTCUSDT')?.volatility_annual, of.get('b:BTCUSDT')?.volatility_annual]).toEqual([0.4, 0.9]);
});

test('a pair without its instrument is not put to a market by guess', () => {
  const of = judgedBy([judged(0.4, 'BTC/USDT'), judged(0.6, 'ETH/USDT')], markets);
  expect([...of.keys()]).toEqual(['a:ETHUSDT']);
});
