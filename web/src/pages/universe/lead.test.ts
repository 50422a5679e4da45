import { expect, test } from 'vitest';
import type { UniverseView } from '../../api/types';
import { leadsOf } from './lead';

const markets = ['BTC', 'ETH', 'SOL'].map((asset) => ({ asset })) as unknown as UniverseView['markets'];

function pair(a: number, b: number, lag: number | null, rho: number, significant: boolean | null): UniverseView['pairs'][number] {
  return { reading: { a, b, lead: { best: lag === null ? null : { lag, rho, t: 4 }, significant } } } as unknown as UniverseView['pairs'][number];
}

test('a positive lag: the first leads; a negative one: the second does', () => {
  const leads = leadsOf({ markets, pairs: [pair(0, 1, 3, 0.2, true), pair(0, 2, -7, -0.4, true)] });
  expect(leads).toEqual([
    { leader: 'SOL', follower: 'BTC', minutes: 7, rho: -0.4 },
    { leader: 'BTC', follower: 'ETH', minutes: 3, rho: 0.2 },
  ]);
});

test('what may be chance leads nobody', () => {
  expect(leadsOf({ markets, pairs: [pair(0, 1, 3, 0.2, false), pair(0, 2, 3, 0.2, null), pair(1, 2, null, 0, true)] })).toEqual([]);
});
