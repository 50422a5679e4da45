import { expect, test } from 'vitest';
import type { EventView } from '../../api/types';
import type { Matcher, Silence } from '../../contract';
import { silenceOf } from './silenced';

const event = {
  event_type: 'REGIME_CHANGE',
  trigger: 'risk',
  instrument: 'binance-usdm:BTCUSDT',
  symbol: 'BTC/USDT',
  severity: 'HIGH',
  rule: null,
} as unknown as EventView;

const NOON = Date.parse('2026-02-05T12:00:00Z');

function silence(...matchers: Matcher[]): Silence {
  return { id: 's', matchers, author: 'ann', reason: 'r', starts_at: '2026-02-05T11:00:00Z', ends_at: '2026-02-05T13:00:00Z', created_at: '2026-02-05T11:00:00Z' };
}

function check(matchers: Matcher[], quiet: boolean, at = NOON): void {
  expect(silenceOf(event, [silence(...matchers)], at) !== null).toBe(quiet);
}

test('all conditions of a silence must hold', () => {
  check([{ label: 'event_type', op: '=', value: 'REGIME_CHANGE' }], true);
  check([{ label: 'event_type', op: '=', value: 'REGIME_CHANGE' }, { label: 'severity', op: '=', value: 'LOW' }], false);
  check([{ label: 'axis', op: '=', value: 'risk' }, { label: 'venue', op: '!=', value: 'okx' }], true);
  check([{ label: 'symbol', op: '=', value: 'BTCUSDT' }], true);
  check([], false);
});

test('a pattern has to fit the whole value, and a missing label is an empty one', () => {
  check([{ label: 'instrument', op: '=~', value: 'binance-usdm:(BTC|ETH)USDT' }], true);
  check([{ label: 'instrument', op: '=~', value: 'BTC' }], false);
  check([{ label: 'instrument', op: '!~', value: 'okx:.*' }], true);
  check([{ label: 'rule', op: '=', value: '' }], true);
  check([{ label: 'instrument', op: '=~', value: '(' }], false);
  check([{ label: 'instrument', op: '!~', value: '(' }], false);
});

test('only while it lasts', () => {
  const all: Matcher[] = [{ label: 'severity', op: '=', value: 'HIGH' }];
  check(all, true, Date.parse('2026-02-05T11:00:00Z'));
  check(all, false, Date.parse('2026-02-05T10:59:59Z'));
  check(all, false, Date.parse('2026-02-05T13:00:00Z'));
});
