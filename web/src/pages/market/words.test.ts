import { expect, test } from 'vitest';
import { flipText, valueWith } from './words';
import type { FlipLike, Speech } from './words';

const speech: Speech = {
  name: (feature) => (feature === 'realized_vol_1h' ? '1 h volatility' : feature),
  unit: (feature) => (feature === 'realized_vol_1h' ? 'annualised fraction' : feature === 'funding_zscore_24h' ? 'sigma' : ''),
};
const flip: FlipLike = { feature: 'realized_vol_1h', value: 1.17, needed: 0.91, direction: 'below', label: 'CHOP_RISK', readings: 1, cadence_s: 60, dwell_left_s: 0 };

function check(patch: Partial<FlipLike>, wanted: string): void {
  expect(flipText({ ...flip, ...patch }, speech, 'risk')).toBe(wanted);
}

test('what would turn a label, in words with numbers', () => {
  check({}, 'Chop risk if 1 h volatility falls below 91 % annualised; now 117 %');
  check({ direction: 'above', label: 'HIGH_VOL' }, 'High volatility if 1 h volatility rises above 91 % annualised; now 117 %');
});

test('how long it has to stay there, and how long it is held anyway', () => {
  check({ readings: 2 }, 'Chop risk if 1 h volatility falls below 91 % annualised and stays there for 2 readings; now 117 %');
  check({ readings: 2, cadence_s: 3600, dwell_left_s: 900 }, 'Chop risk if 1 h volatility falls below 91 % annualised and stays there for 2 hourly readings; now 117 %');
  check({ readings: 2, cadence_s: 28_800 }, 'Chop risk if 1 h volatility falls below 91 % annualised and stays there for 2 readings 8 h apart; now 117 %');
  check({ dwell_left_s: 240 }, 'Chop risk if 1 h volatility falls below 91 % annualised, not sooner than in 4 min; now 117 %');
});

test('the number stands with its unit', () => {
  expect(valueWith(0.91, 'annualised fraction')).toMatch(/^91 %/);
});
