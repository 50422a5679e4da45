import { beforeEach, expect, test } from 'vitest';
import type { Watches } from '../contract';
import { begin, fold, turns, unseen, watchOf, watches } from './watches';

function list(...items: { when: string; fired?: string[]; ended?: boolean }[]): Watches {
  const view = ({ when, fired = [], ended = false }: (typeof items)[number], n: number): unknown => ({
    watch: { id: `wat_${n}`, instrument: 'okx:BTC-USDT', created_at: fired.at(-1) ?? '', when, ended_at: ended ? '2026-02-05T14:00:00Z' : null, fired: fired.map((known_at) => ({ known_at, ts: known_at, title: known_at })) },
    now: null,
    judged: null,
  });
  return { items: items.map(view), judged_here: true, why_not: null, most: 200 } as unknown as Watches;
}

beforeEach(() => {
  watches.value = null;
});

test('the watch of a condition is found however its number is written, and only while it goes on', () => {
  const known = list({ when: 'realized_vol_1h below 0.8' }, { when: 'risk leaves HIGH_VOL', ended: true });
  expect(watchOf(known, 'okx:BTC-USDT', 'realized_vol_1h below 0.80')?.id).toBe('wat_0');
  expect(watchOf(known, 'okx:ETH-USDT', 'realized_vol_1h below 0.8')).toBeNull();
  expect(watchOf(known, 'okx:BTC-USDT', 'realized_vol_1h above 0.8')).toBeNull();
  expect(watchOf(known, 'okx:BTC-USDT', 'risk leaves HIGH_VOL')).toBeNull();
  expect(watchOf(null, 'okx:BTC-USDT', 'risk changes')).toBeNull();
});

test('what came true before the first visit is no news; what comes later is, until it is looked at', () => {
  const first = list({ when: 'a', fired: ['2026-02-05T14:01:00Z'] });
  watches.value = first;
  begin(first);
  expect(unseen.value).toEqual([]);
  watches.value = list({ when: 'a', fired: ['2026-02-05T14:03:00Z', '2026-02-05T14:01:00Z'] }, { when: 'b', fired: ['2026-02-05T14:02:00Z'] });
  begin(watches.value);
  expect(unseen.value.map(({ turn }) => turn.known_at)).toEqual(['2026-02-05T14:03:00Z', '2026-02-05T14:02:00Z']);
  expect(turns(watches.value)).toHaveLength(3);
  fold();
  expect(unseen.value).toEqual([]);
  // A data folder whose clock is earlier.
  watches.value = list({ when: 'a', fired: ['2024-01-01T00:01:00Z'] });
  begin(watches.value);
  watches.value = list({ when: 'a', fired: ['2024-01-01T00:03:00Z', '2024-01-01T00:01:00Z'] });
  expect(unseen.value).toHaveLength(1);
});
