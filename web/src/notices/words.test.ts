import { expect, test } from 'vitest';
import type { EventView } from '../api/types';
import type { BoardChange } from '../contract';
import { messagesOf } from './words';

const all = (): boolean => true;
const headline = (instrument: string): string => `about ${instrument}`;

function turn(instrument: string, to = 'HIGH_VOL', from = 'CHOP_RISK'): BoardChange {
  return { instrument, axis: 'risk', from, to, at: '2026-02-05T14:35:00Z' };
}

function alert(instrument: string, severity: string, change = 'OPENED', event_type = 'LIQUIDATION_CASCADE'): EventView {
  return { alert_id: `${instrument}${severity}`, instrument, severity, change, event_type, title: 'Burst of liquidations', description: '8 liquidations in 12 s.' } as unknown as EventView;
}

test('a turn for the worse and a severe alert are said, the rest is not', () => {
  const heard = { changes: [turn('v:BTCUSDT'), turn('v:ETHUSDT', 'NORMAL', 'HIGH_VOL')], alerts: [alert('v:SOLUSDT', 'CRITICAL'), alert('v:SOLUSDT', 'MEDIUM'), alert('v:SOLUSDT', 'HIGH', 'RESOLVED'), alert('v:BTCUSDT', 'HIGH', 'OPENED', 'REGIME_CHANGE')] };
  expect(messagesOf(heard, all, headline)).toEqual([
    { title: 'BTC turned to high volatility, from chop risk', body: 'about v:BTCUSDT', instrument: 'v:BTCUSDT', tag: 'v:BTCUSDT risk' },
    { title: 'SOL: burst of liquidations, critical', body: '8 liquidations in 12 s.', instrument: 'v:SOLUSDT', tag: 'v:SOLUSDTCRITICAL' },
  ]);
});

test('an experimental alert calls nobody, however severe', () => {
  const spoofing = { ...alert('v:SOLUSDT', 'HIGH', 'OPENED', 'SPOOFING'), experimental: true };
  expect(messagesOf({ changes: [], alerts: [spoofing] }, all, headline)).toEqual([]);
  expect(messagesOf({ changes: [], alerts: [{ ...spoofing, experimental: false }] }, all, headline)).toHaveLength(1);
});

test('only of whom it is wanted', () => {
  expect(messagesOf({ changes: [turn('v:BTCUSDT'), turn('v:SOLUSDT')], alerts: [] }, (of) => of === 'v:SOLUSDT', headline).map((m) => m.instrument)).toEqual(['v:SOLUSDT']);
});

test('a burst is one message that says what it is made of, the worst first', () => {
  const changes = ['A', 'B', 'C', 'D', 'E'].map((name) => turn(`v:${name}USDT`, name === 'D' ? 'HIGH_VOL' : 'SQUEEZE_RISK'));
  const [message, ...more] = messagesOf({ changes, alerts: [] }, all, headline);
  expect(more).toEqual([]);
  expect(message).toMatchObject({ title: '5 changes on 5 markets', instrument: null });
  expect(message?.body.split('\n')).toEqual(['D turned to high volatility, from chop risk', 'A turned to squeeze risk, from chop risk', 'B turned to squeeze risk, from chop risk', 'C turned to squeeze risk, from chop risk', 'and 1 more']);
});

test('a title fits a lock screen', () => {
  const [message] = messagesOf({ changes: [turn('v:AVERYLONGNAMEOFACOININDEEDUSDT', 'SQUEEZE_RISK')], alerts: [] }, all, headline);
  expect(message?.title.length).toBeLessThanOrEqual(60);
});
