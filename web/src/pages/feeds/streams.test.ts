import { expect, test } from 'vitest';
import type { LiveStreamView } from '../../api/types';
import type { FeedRow } from '../../contract';
import { linesOf } from './streams';

function item(instrument: string, metric: string, continuity: string, event: number | null): LiveStreamView {
  return { instrument, metric, continuity, event_ts: event === null ? null : new Date(event).toISOString(), reason: null } as unknown as LiveStreamView;
}

const items = [item('v:A', 'mark_price', 'LIVE', 9_500), item('v:B', 'trade', 'GAP', null), item('v:C', 'trade', 'NOT_OFFERED', null), item('v:D', 'trade', 'STALE', 1_000)];

function shown(told: FeedRow[], needle = ''): string[] {
  return linesOf(items, told, () => 12_000, needle).map((l) => `${l.item.instrument} ${l.state} ${l.at}`);
}

test('what needs attention stands first, what is not offered last', () => {
  expect(shown([])).toEqual(['v:B GAP null', 'v:D STALE 1000', 'v:A LIVE 9500', 'v:C NOT_OFFERED null']);
});

test('the stream says the state, and the newer of two events counts', () => {
  expect(shown([['v:A', 'mark_price', 'GAP', 'connection_lost', 4_000]], 'v:a')).toEqual(['v:A GAP 9500']);
  expect(shown([['v:A', 'mark_price', 'LIVE', null, 500]], 'v:a')).toEqual(['v:A LIVE 11500']);
  expect(shown([['v:B', 'trade', 'LIVE', null, 0]], 'v:b')).toEqual(['v:B LIVE 12000']);
  expect(linesOf(items, [['v:A', 'mark_price', 'GAP', 'connection_lost', 0]], () => 0, 'v:a')[0]?.reason).toBe('connection lost');
});

test('a search goes by market and stream, as either is written', () => {
  expect(shown([], 'mark price')).toEqual(['v:A LIVE 9500']);
  expect(shown([], 'mark_price')).toEqual(['v:A LIVE 9500']);
  expect(shown([], 'v:c')).toEqual(['v:C NOT_OFFERED null']);
});
