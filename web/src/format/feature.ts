// A feature's value by its unit, as the catalogue names it.
import { span } from './time';
import { NONE, compact, fixed, funding, percent, plain, price, sigma, volatility } from './number';

export type WireValue = number | boolean | string | null | undefined;

export function featureText(value: WireValue, unit: string): string {
  if (value === null || value === undefined) return NONE;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  switch (unit) {
    case 'σ':
      return sigma(value);
    case 'fraction':
    case '[0,1]':
    case '[0,1)':
    case 'daily fraction':
      return Math.abs(value) < 0.0005 && value !== 0 ? '< 0.05 %' : percent(value, 1);
    case 'annualised fraction':
    case 'fraction per year':
      return volatility(value);
    case 'fraction per 8 h':
      return funding(value);
    case 'percent per bar':
      return `${fixed(value, 3)} % per bar`;
    case 's':
    case 'seconds':
      return span(value * 1_000);
    case 'price':
      return price(value);
    case 'quote':
    case 'USD':
    case 'base':
      return compact(value);
    default:
      return plain(value);
  }
}

/** A rank among the market's own past, by its id: its name is that of what is ranked. */
export function isRank(id: string): boolean {
  return id.includes('_pct_');
}

/** What a unit adds that the number does not say. */
export function unitWord(unit: string): string {
  switch (unit) {
    case 'annualised fraction':
      return 'annualised';
    case 'daily fraction':
      return 'a day';
    case 'fraction per 8 h':
      return 'per 8 h';
    case 'fraction per year':
      return 'a year';
    default:
      return '';
  }
}
