import { expect, test } from 'vitest';
import { fullName, matcher } from './find';

const MARKETS = [
  ['binance-usdm', 'BTC/USDT'],
  ['okx', 'BTC-USDT-SWAP'],
  ['binance-usdm', 'ETH/USDT'],
  ['bybit', 'WBTC/USDT'],
  ['binance-usdm', '1000PEPE/USDT'],
  ['hyperliquid', 'HYPE/USD'],
].map(([venue = '', symbol = '']) => ({ venue, symbol, instrument: `${venue}:${symbol.replace('/', '')}` }));

function check(query: string, wanted: string): void {
  const found = MARKETS.map((market) => ({ market, fits: matcher(query)(market) })).filter((each) => each.fits !== null);
  found.sort((a, b) => (a.fits ?? 0) - (b.fits ?? 0));
  expect(found.map(({ market }) => market.instrument).join(' '), query).toBe(wanted);
}

test('what is written is found, however it is written', () => {
  for (const query of ['BTC/USDT', 'btc-usdt', ' btcusdt ', 'BTC_USDT']) check(query, 'binance-usdm:BTCUSDT okx:BTC-USDT-SWAP bybit:WBTCUSDT');
  check('binance-usdm:BTCUSDT', 'binance-usdm:BTCUSDT');
  check('btc', 'binance-usdm:BTCUSDT okx:BTC-USDT-SWAP bybit:WBTCUSDT');
});

test('people say names', () => {
  check('bitcoin', 'binance-usdm:BTCUSDT okx:BTC-USDT-SWAP');
  check('ether', 'binance-usdm:ETHUSDT');
  check('ethereum', 'binance-usdm:ETHUSDT');
  check('bitc', 'binance-usdm:BTCUSDT okx:BTC-USDT-SWAP');
  check('pepe', 'binance-usdm:1000PEPEUSDT');
  // A venue that is named like a coin: the coin first.
  check('hyperliquid', 'hyperliquid:HYPEUSD');
});

test('a venue narrows it down, and what is nowhere finds nothing', () => {
  check('okx', 'okx:BTC-USDT-SWAP');
  check('okx bitcoin', 'okx:BTC-USDT-SWAP');
  check('btc, okx', 'okx:BTC-USDT-SWAP');
  check('doge', '');
  check('btc nonsense', '');
});

test('nothing asked for is everything', () => {
  expect(MARKETS.every((market) => matcher(' - ')(market) === 0)).toBe(true);
});

test('a name to show', () => {
  expect(['BTC/USDT', '1000PEPE/USDT', 'M0001/USDT'].map(fullName)).toEqual(['Bitcoin', 'Pepe', '']);
});
