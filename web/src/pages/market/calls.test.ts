import { expect, test } from 'vitest';
import type { CallView } from '../../api/types';
import { callRows } from './calls';

const known: CallView = {
  event_id: 'hv_1h',
  horizon: '1h',
  forecaster: 'rules',
  probability: 0.3915,
  interval: [0.2515, 0.5519],
  classes: null,
  calibration: 'calibrated',
  calibration_scope: 'market',
  abstain_reason: null,
  cases: 312,
  windows: 26,
  usual: 0.0796,
  after_state: 0.4,
};

test('numbers come first, and what has none says why', () => {
  const none: CallView = { ...known, event_id: 'trend_up_24h', probability: null, interval: null, abstain_reason: 'few_episodes', cases: 0, windows: 0 };
  const classes: CallView = { ...known, event_id: 'vol_class_24h', probability: null, interval: null, classes: [0.1, 0.7, 0.1, 0.1] };
  const rows = callRows([none, classes, known]);
  expect(rows.map((r) => [r.name, r.chance, r.interval, r.usual, r.why])).toEqual([
    ['High volatility in an hour', '39 %', '25 to 55 %', '8 %', null],
    ['Up over 24 h', '–', '–', '8 %', 'fewer than 30 separate cases'],
  ]);
  expect(rows[0]?.whether).toContain('312 similar moments, 26 of them apart');
});
