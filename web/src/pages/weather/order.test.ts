import { expect, test } from 'vitest';
import { Layout } from '../../board/decode';
import { Row } from '../../board/store';
import { chosen, sortPatch, toggledRisk, wishOf } from './order';

const layout = new Layout(['price', 'risk', 'risk_since'], { risk: ['UNKNOWN', 'NORMAL', 'CHOP_RISK', 'SQUEEZE_RISK', 'HIGH_VOL'] });

function row(symbol: string, price: number | null, risk: number, since = 0): Row {
  return new Row(layout, { i: 0, instrument: `v:${symbol}`, symbol, venue: 'v', headline: '', cells: [price, risk, since], reasons: {}, spark: [] });
}

const rows = [row('AAA', 5, 1, 300), row('BBB', null, 4, 100), row('CCC', 9, 0, 200), row('DDD', 7, 4, 400)];

function check(params: Record<string, string>, wanted: string): void {
  const order = chosen(rows, wishOf(params)).map((r) => r.at.symbol[0]);
  expect(order.join('')).toBe(wanted);
}

test('the severest first, what is not known last, ties by name', () => {
  check({}, 'BDAC');
  check({ dir: 'asc' }, 'ABDC');
  check({ sort: 'price' }, 'CDAB');
  check({ sort: 'price', dir: 'asc' }, 'ADCB');
  check({ sort: 'market' }, 'ABCD');
  // The longest-held first: the earliest beginning.
  check({ sort: 'risk_since' }, 'BCAD');
});

test('search and labels narrow it down', () => {
  check({ q: ' b' }, 'B');
  check({ risk: 'HIGH_VOL' }, 'BD');
  check({ risk: 'UNKNOWN,NORMAL' }, 'AC');
  check({ risk: 'NONSENSE' }, 'BDAC');
});

test('a click sorts, a second one turns', () => {
  expect(sortPatch(wishOf({}), 'price')).toEqual({ sort: 'price', dir: null });
  expect(sortPatch(wishOf({ sort: 'price' }), 'price')).toEqual({ sort: 'price', dir: 'asc' });
  expect(sortPatch(wishOf({ sort: 'price' }), 'risk')).toEqual({ sort: null, dir: null });
  expect(toggledRisk(wishOf({ risk: 'HIGH_VOL' }), 'HIGH_VOL').risk).toBeUndefined();
});
