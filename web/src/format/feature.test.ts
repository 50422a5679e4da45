import { expect, test } from 'vitest';
import { featureText, unitWord } from './feature';

test('a value is printed by its unit', () => {
  const cases: [Parameters<typeof featureText>[0], string, string][] = [
    [1.0654, 'σ', '1.1σ'],
    [0.9123, '[0,1]', '91.2 %'],
    [1.1738, 'annualised fraction', '117 %'],
    [0.0001, 'fraction per 8 h', '0.0100 %'],
    [5e-26, '[0,1]', '< 0.05 %'],
    [-0.30179, 'percent per bar', '−0.302 % per bar'],
    ['LONG_SQUEEZE', 'enum', 'LONG_SQUEEZE'],
    [true, 'bool', 'yes'],
    [null, 'σ', '–'],
  ];
  for (const [value, unit, wanted] of cases) expect(featureText(value, unit)).toBe(wanted);
  expect(unitWord('annualised fraction')).toBe('annualised');
});
