import { expect, test } from 'vitest';
import type { AgainstReading, SessionScore } from '../../api/types';
import { againstText, lead, unresolvedText } from './words';

const reading = (skill: number | null, band: [number, number] | null): AgainstReading => ({ n: 672, skill, band, reference_brier: 0.2 });
const score = (event: string, band: [number, number] | null): SessionScore => ({
  event,
  n: 672,
  n_eff: 28,
  base_rate: 0.2,
  brier: 0.14,
  log_score: 0.44,
  against: { persistence: reading(0.05, band) },
});

test('a skill has its band, and where there is none there is too little data', () => {
  expect(againstText(reading(0.182, [0.018, 0.288]))).toBe('+18.2 % (1.8 to 28.8), 672 cases');
  expect(againstText(reading(-0.061, [-0.17, 0.015]))).toBe('−6.1 % (−17.0 to 1.5), 672 cases');
  expect(againstText(reading(0.3, null))).toBe('+30.0 %, too little data for a band, 672 cases');
  expect(againstText(reading(null, null))).toBe('too little data');
  expect(againstText(undefined)).toBe('too little data');
});

test('what a session amounts to is said by the bands alone', () => {
  expect(lead({ forecasts: 0, scores: [] })).toBe('No forecast was put on record.');
  expect(lead({ forecasts: 3, scores: [] })).toBe('None of its forecasts has an outcome.');
  expect(lead({ forecasts: 3, scores: [score('hv_1h', [-0.1, 0.1])] })).toBe('No skill over persistence is shown: every band includes zero.');
  expect(lead({ forecasts: 3, scores: [score('hv_1h', null)] })).toBe('There is too little data to say whether it beats persistence.');
  expect(lead({ forecasts: 3, scores: [score('hv_1h', [0.1, 0.2]), score('calm_4h', [-0.3, -0.1])] })).toBe('Better than persistence at hv_1h, worse at calm_4h.');
  expect(lead({ forecasts: 3, scores: [score('calm_4h', [-0.3, -0.1])] })).toBe('Worse than persistence at calm_4h.');
  expect(unresolvedText({ unresolved: 0 }) + unresolvedText({ unresolved: 2 })).toBe(', 2 of them without an outcome');
});
