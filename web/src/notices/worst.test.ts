import { expect, test } from 'vitest';
import { marketTitle, titleOf, worstOf, worstWords } from './worst';
import type { Known } from './worst';

function market(name: string, risk: string, volatility = 'STABLE', trusted = true): Known {
  return { instrument: `v:${name}USDT`, symbol: `${name}/USDT`, risk, volatility, trusted };
}

const ALL = [market('AAA', 'NORMAL', 'EXTREME'), market('BBB', 'HIGH_VOL'), market('CCC', 'HIGH_VOL'), market('DDD', 'HIGH_VOL', 'STABLE', false), market('EEE', 'CHOP_RISK')];

test('the worst of all, and of favourites where there are some', () => {
  expect(worstOf(ALL, new Set())).toEqual({ tone: 'purple', axis: 'risk', label: 'HIGH_VOL', names: ['BBB', 'CCC'] });
  expect(worstOf(ALL, new Set(['v:EEEUSDT', 'v:AAAUSDT']))?.label).toBe('EXTREME');
  expect(worstOf(ALL, new Set(['v:DDDUSDT']))).toBeNull();
  expect(worstOf([market('AAA', 'NORMAL')], new Set())).toBeNull();
});

test('a title says it in words', () => {
  const worst = worstOf([...ALL, market('FFF', 'HIGH_VOL')], new Set());
  expect(worst && worstWords(worst)).toBe('High volatility: BBB, CCC and 1 more');
  expect(titleOf(worst, 'Alerts', false)).toBe('High volatility: BBB, CCC and 1 more · Alerts · barograph');
  expect(titleOf(null, null, false)).toBe('barograph');
  expect(titleOf(worst, null, true)).toBe('No contact with the server · barograph');
  expect(marketTitle('SOL/USDT', 'SQUEEZE_RISK')).toBe('SOL/USDT, squeeze risk');
  expect(marketTitle('SOL/USDT', null)).toBe('SOL/USDT');
});
