import { expect, test } from 'vitest';
import { Layout } from '../../board/decode';
import { Row } from '../../board/store';
import { FAVOURITES, NOTHING_KEPT, chosen, sortPatch, toggledRisk, wishOf } from './order';
import type { Mine } from './order';

const layout = new Layout(['price', 'change_24h', 'risk', 'risk_since', 'tf_trend'], { risk: ['UNKNOWN', 'NORMAL', 'CHOP_RISK', 'SQUEEZE_RISK', 'HIGH_VOL'] });

function row(symbol: string, price: number | null, change: number | null, risk: number, since = 0, frames = '....'): Row {
  return new Row(layout, { i: 0, instrument: `v:${symbol}`, symbol, venue: 'v', headline: '', cells: [price, change, risk, since, frames], reasons: {}, spark: [] });
}

const rows = [row('AAA', 5, -0.02, 1, 300, '1111'), row('BBB', null, null, 4, 100), row('CCC', 9, 0.01, 0, 200, '1213'), row('DDD', 7, -0.1, 4, 400, '11.2')];

function check(params: Record<string, string>, wanted: string, mine: Mine = NOTHING_KEPT): void {
  const order = chosen(rows, wishOf(params), mine).map((r) => r.at.symbol[0]);
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

test('the day’s move sorts from the greatest rise to the deepest fall, timeframes by how many agree', () => {
  check({ sort: 'change_24h' }, 'CADB');
  check({ sort: 'change_24h', dir: 'asc' }, 'DACB');
  check({ sort: 'tf_trend' }, 'ACDB');
});

test('search and labels narrow it down', () => {
  check({ q: ' b' }, 'B');
  check({ risk: 'HIGH_VOL' }, 'BD');
  check({ risk: 'UNKNOWN,NORMAL' }, 'AC');
  check({ risk: 'NONSENSE' }, 'BDAC');
});

test('favourites come first or alone, a group alone', () => {
  const favourites = new Set(['v:CCC', 'v:AAA']);
  check({}, 'ACBD', { favourites, favouritesFirst: true, group: null });
  check({}, 'BDAC', { favourites, favouritesFirst: false, group: null });
  check({ list: FAVOURITES }, 'AC', { favourites, favouritesFirst: false, group: null });
  check({ list: 'majors' }, 'DC', { ...NOTHING_KEPT, group: new Set(['v:CCC', 'v:DDD']) });
  // A shared link names a group that is not kept here.
  check({ list: 'majors' }, 'BDAC');
});

test('what is named in full stands before favourites', () => {
  const many = [...rows, row('DDDX', 1, 0, 1)];
  const mine = { favourites: new Set(['v:DDDX']), favouritesFirst: true, group: null };
  expect(chosen(many, wishOf({ q: 'ddd' }), mine).map((r) => r.at.symbol)).toEqual(['DDD', 'DDDX']);
});

test('a click sorts, a second one turns', () => {
  expect(sortPatch(wishOf({}), 'price')).toEqual({ sort: 'price', dir: null });
  expect(sortPatch(wishOf({ sort: 'price' }), 'price')).toEqual({ sort: 'price', dir: 'asc' });
  expect(sortPatch(wishOf({ sort: 'price' }), 'risk')).toEqual({ sort: null, dir: null });
  expect(sortPatch(wishOf({}, 'vol_24h'), 'vol_24h', 'vol_24h')).toEqual({ sort: null, dir: 'asc' });
  expect(toggledRisk(wishOf({ risk: 'HIGH_VOL' }), 'HIGH_VOL').risk).toBeUndefined();
});
