import { expect, test } from 'vitest';
import { acrossVenues, sortedLines, venuesOf } from './across';
import type { Quote } from './across';

function quote(venue: string, symbol: string, funding: number | null, oi: number | null, trusted = true): Quote {
  return { instrument: `${venue}:${symbol}`, venue, symbol, funding, oi, oi4h: null, trusted };
}

const QUOTES = [
  quote('binance-usdm', 'BTC/USDT', 0.0001, 900),
  quote('bybit', 'BTC/USDT', -0.0002, 500),
  quote('bybit', 'BTC/USDC', 0.0009, 40),
  quote('okx', 'BTC-USDT-SWAP', 0.0005, 300, false),
  quote('binance-usdm', 'ETH/USDT', 0.0003, null),
  quote('coinbase', 'ETH-USD', null, null),
];

test('a base is one line, a venue one market, and what cannot be relied upon counts nowhere', () => {
  const [btc, eth] = acrossVenues(QUOTES);
  expect([btc?.base, btc?.oi, btc?.oiOf, btc?.others]).toEqual(['BTC', 1440, 3, 1]);
  expect(btc?.spread).toBeCloseTo(0.0003, 12);
  expect([btc?.highest?.venue, btc?.lowest?.venue]).toEqual(['binance-usdm', 'bybit']);
  expect(btc?.at.get('bybit')?.symbol).toBe('BTC/USDT');
  expect(btc?.at.get('okx')?.trusted).toBe(false);
  expect([eth?.oi, eth?.spread, eth?.at.size]).toEqual([null, null, 2]);
});

test('one venue alone has no spread', () => {
  expect(acrossVenues([quote('a', 'BTC/USDT', 0.1, 1), quote('a', 'BTC/USDC', 0.2, 2)])[0]).toMatchObject({ spread: null, oi: 3, others: 1 });
});

test('venues of most bases come first', () => {
  expect(venuesOf(acrossVenues(QUOTES))).toEqual(['binance-usdm', 'bybit', 'coinbase', 'okx']);
});

test('sorted by any column, what is not known last', () => {
  const lines = acrossVenues([...QUOTES, quote('bybit', 'SOL/USDT', 0.0001, 70)]);
  const order = (sort: string, direction: 'asc' | 'desc'): string => sortedLines(lines, sort, direction).map((line) => line.base).join(' ');
  expect(order('base', 'asc')).toBe('BTC ETH SOL');
  expect(order('oi', 'desc')).toBe('BTC SOL ETH');
  expect(order('oi', 'asc')).toBe('SOL BTC ETH');
  expect(order('spread', 'desc')).toBe('BTC ETH SOL');
  expect(order('venue:bybit', 'asc')).toBe('BTC SOL ETH');
  expect(order('venue:binance-usdm', 'desc')).toBe('ETH BTC SOL');
});
