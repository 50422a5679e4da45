import { expect, test } from 'vitest';
import { bytes, compact, count, fixed, funding, percent, plain, price, priceDecimals, sigma, volatility } from './number';

type Case = readonly [printed: string, wanted: string];

function check(cases: readonly Case[]): void {
  for (const [printed, wanted] of cases) expect(printed).toBe(wanted);
}

test('numbers have four significant digits at most and true minus signs', () => {
  check([
    [plain(0), '0'],
    [plain(1234567), '1,234,567'],
    [plain(12.3456), '12.35'],
    [plain(-0.00123456), '−0.001235'],
    [plain(2.5), '2.5'],
    [plain(null), '–'],
    [plain(NaN), '–'],
    [plain(Infinity), '–'],
  ]);
});

test('prices tell ticks apart', () => {
  check([
    [price(63120.5), '63,121'],
    [price(2057.49), '2,057.5'],
    [price(88.44), '88.44'],
    [price(2.187), '2.187'],
    [price(0.27561), '0.2756'],
    [price(0.0000123456), '0.00001235'],
    [price(undefined), '–'],
  ]);
  expect(priceDecimals(63120)).toBe(0);
  expect(priceDecimals(0.2756)).toBe(4);
});

test('money is shortened from 10,000 up', () => {
  check([
    [compact(9999), '9,999'],
    [compact(10000), '10K'],
    [compact(68170), '68.17K'],
    [compact(999_600), '999.6K'],
    [compact(999_970), '1M'],
    [compact(1_234_000), '1.234M'],
    [compact(-2_500_000_000), '−2.5B'],
  ]);
});

test('fractions are percents with their unit', () => {
  check([
    [percent(0.0312), '3.1 %'],
    [percent(-0.0521, 1, true), '−5.2 %'],
    [percent(0.02, 1, true), '+2.0 %'],
    // What rounds to nothing has no sign: "−0.0 %" says something that is not so.
    [percent(-0.0001, 1, true), '0.0 %'],
    [funding(-0.000121), '−0.0121 %'],
    [volatility(1.178), '118 %'],
    [sigma(2.61), '2.6σ'],
    [sigma(-0.04), '0.0σ'],
    [fixed(0.354, 2, true), '+0.35'],
    [percent(null), '–'],
  ]);
});

test('bytes and counts', () => {
  check([
    [bytes(999), '999 B'],
    [bytes(6_895_765), '6.9 MB'],
    [count(1, 'market'), '1 market'],
    [count(1200, 'market'), '1,200 markets'],
  ]);
});
