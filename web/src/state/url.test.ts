import { expect, test } from 'vitest';
import { formatPlace, listOf, marketPath, momentOf, parsePlace, patched, routeOf } from './url';

test('an address survives being read and written', () => {
  for (const address of [
    '/',
    '/?q=btc&risk=HIGH_VOL,CHOP_RISK&sort=price',
    '/m/binance-usdm:BTCUSDT?as_of=2026-02-05T14:35:00Z&interval=1m',
    '/alerts?view=deliveries',
  ]) {
    const url = new URL(address, 'http://x');
    expect(formatPlace(parsePlace(url.pathname, url.search))).toBe(address);
  }
});

test('addresses lead to pages', () => {
  expect(routeOf('/')).toEqual({ page: 'weather' });
  expect(routeOf('/m/binance-usdm:BTCUSDT')).toEqual({ page: 'market', instrument: 'binance-usdm:BTCUSDT' });
  expect(routeOf('/m/coinbase%3ABTC-USD')).toEqual({ page: 'market', instrument: 'coinbase:BTC-USD' });
  expect(routeOf('/feeds')).toEqual({ page: 'feeds' });
  expect(routeOf('/nonsense')).toEqual({ page: 'unknown' });
  expect(routeOf(parsePlace('/feeds/', '').path)).toEqual({ page: 'feeds' });
});

test('a market whose name needs escaping keeps its name', () => {
  const path = marketPath('bybit:A B?C#D');
  expect(routeOf(new URL(path, 'http://x').pathname)).toEqual({ page: 'market', instrument: 'bybit:A B?C#D' });
});

test('parameters are set and taken out', () => {
  expect(patched({ a: '1', b: '2' }, { a: null, c: '3', b: '' })).toEqual({ c: '3' });
});

test('only a moment counts as one', () => {
  expect(momentOf({ as_of: '2026-02-05T14:35:00Z' })).toBe('2026-02-05T14:35:00Z');
  expect(momentOf({ as_of: 'yesterday' })).toBeNull();
  expect(momentOf({})).toBeNull();
});

test('lists', () => {
  expect(listOf('A,B,')).toEqual(['A', 'B']);
  expect(listOf(undefined)).toEqual([]);
});
