import { expect, test } from 'vitest';
import { matcherWords } from './matchers';

test('a condition is said in words, and one that is not known as it is', () => {
  expect(matcherWords({ label: 'event_type', op: '=', value: 'REGIME_CHANGE' })).toBe('kind is “A label changed”');
  expect(matcherWords({ label: 'instrument', op: '!=', value: 'binance-usdm:SOLUSDT' })).toBe('market is not binance-usdm:SOLUSDT');
  expect(matcherWords({ label: 'event_type', op: '=~', value: 'FUNDING_.*' })).toBe('kind fits FUNDING_.*');
  expect(matcherWords({ label: 'new_label', op: '=', value: 'x' })).toBe('new_label is x');
});
