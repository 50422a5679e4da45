import { expect, test } from 'vitest';
import type { EventView } from '../../api/types';
import { KINDS, episodesOf, figureOf, kindOf, peakOf, priceOf, sideOf, sorted, turnOf } from './episodes';

function event(patch: Partial<EventView>): EventView {
  const plain = { alert_id: 'a', revision: 1, known_at: '2026-02-05T14:35:00Z', severity: 'LOW', change: 'OPENED', state: 'OPEN', data: {}, moment: null, evidence: { statistics: [] } };
  return { ...plain, ...patch } as unknown as EventView;
}

const statistic = (name: string, value: number | null, threshold: number, unit: string): unknown => ({ name, value, threshold, unit, reason: value === null ? 'stale' : null, decides: true });
const named = (name: string): string => (name === 'realized_vol_1h' ? '1 h volatility' : name.replaceAll('_', ' '));

test('an alert is one row by its newest record, whatever the order in which records come', () => {
  const records = [event({ revision: 2, severity: 'HIGH', known_at: '2026-02-05T14:40:00Z' }), event({ alert_id: 'b', known_at: '2026-02-05T14:38:00Z' }), event({ revision: 3, known_at: '2026-02-05T14:39:00Z' }), event({ revision: 1 })];
  const episodes = episodesOf(records);
  expect(episodes.map((e) => [e.key, e.newest.revision, e.records.map((r) => r.revision)])).toEqual([
    ['a', 3, [3, 2, 1]],
    ['b', 1, [1]],
  ]);
});

test('the most severe stand first, of equals the newest', () => {
  const of = (alert_id: string, severity: EventView['severity'], minute: number): EventView => event({ alert_id, severity, known_at: `2026-02-05T14:${minute}:00Z` });
  const episodes = episodesOf([of('a', 'LOW', 50), of('b', 'HIGH', 10), of('c', 'CRITICAL', 5 + 10), of('d', 'HIGH', 20)]);
  expect(sorted(episodes, 'severity').map((e) => e.key)).toEqual(['c', 'd', 'b', 'a']);
  expect(sorted(episodes, 'newest').map((e) => e.key)).toEqual(['a', 'd', 'c', 'b']);
});

test('a burst says how many, how much, how fast, on which side and between which prices', () => {
  const burst = event({ data: { count: 23, total_liquidated_usd: 77_385.5, span_s: 429.8, side_bias: 'SHORT', price_low: 0.26691, price_high: 0.28506 } as unknown as EventView['data'] });
  expect(figureOf(burst, named)).toEqual({ name: 'liquidations', value: '23 in 7 min, 77.39K USD', limit: null });
  expect([sideOf(burst), priceOf(burst)]).toEqual(['shorts liquidated', '0.2669 to 0.2851']);
});

test('anything else says the number that decides against its limit', () => {
  const of = (one: unknown): EventView => event({ evidence: { statistics: [one] } as unknown as EventView['evidence'] });
  expect(figureOf(of(statistic('realized_vol_1h', 5.71, 0.8, 'annualised fraction')), named)).toEqual({ name: '1 h volatility', value: '571 % annualised', limit: '80 %' });
  expect(figureOf(of(statistic('premium', null, 0.01, 'fraction')), named)).toEqual({ name: 'premium', value: 'stale', limit: '1.0 %' });
  expect(figureOf(of(statistic('position_concentration', 0.34, 0.3, '[0,1]')), named)).toEqual({ name: 'larger side', value: '67.0 %', limit: '65.0 %' });
  expect(figureOf(event({}), named)).toBeNull();
});

test('of several numbers the one farthest beyond its limit is shown, and of what is over the farthest it went', () => {
  const one = (name: string, u: number): unknown => ({ ...(statistic(name, u, 1, '') as object), u });
  const of = (revision: number, statistics: unknown[], state: EventView['state'] = 'OPEN'): EventView => event({ revision, state, evidence: { statistics } as unknown as EventView['evidence'] });
  expect(figureOf(of(1, [one('calm', 0.3), one('crowded', -2.6)]), named)?.name).toBe('crowded');
  const records = [of(3, [one('z', 0.4)], 'CLOSED'), of(2, [one('z', 3.1)]), of(1, [one('z', 2.2)])];
  const episode = { key: 'a', newest: records[0] as EventView, records };
  expect(peakOf(episode).revision).toBe(2);
  expect(peakOf({ ...episode, newest: records[2] as EventView }).revision).toBe(1);
});

test('what would end it can be watched where a watch can say it', () => {
  const known = (name: string): boolean => name === 'realized_vol_1h' || name === 'funding_zscore_24h';
  const label = event({ change: 'HAPPENED', state: 'CLOSED', data: { axis: 'risk', to: 'HIGH_VOL' } as unknown as EventView['data'] });
  expect(turnOf(label, known)).toBe('risk leaves HIGH_VOL');
  const of = (one: unknown, state: EventView['state'] = 'OPEN'): EventView => event({ state, evidence: { statistics: [one] } as unknown as EventView['evidence'] });
  expect(turnOf(of(statistic('realized_vol_1h', 1.2, 0.8, 'annualised fraction')), known)).toBe('realized_vol_1h below 0.8');
  expect(turnOf(of(statistic('funding_zscore_24h', -2.6, -2, 'σ')), known)).toBe('funding_zscore_24h above -2');
  expect(turnOf(of(statistic('count_60s', 8, 5, '')), known)).toBeNull();
  expect(turnOf(of(statistic('realized_vol_1h', 1.2, 0.8, 'annualised fraction'), 'CLOSED'), known)).toBeNull();
});

test('every kind is offered once', () => {
  const words = KINDS.flatMap(([, kinds]) => kinds.map((kind) => kind.word));
  expect(new Set(words).size).toBe(words.length);
  expect([kindOf('DATA_GAP')?.text, kindOf('NONE'), kindOf(undefined)]).toEqual(['Data lost', null, null]);
});
