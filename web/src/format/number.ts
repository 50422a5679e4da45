// Numbers as the page prints them (UX §1): four significant digits at most, a unit with each, K/M/B from 10,000 up for money,
// a true minus sign. What is not there is a dash; the reason stands beside it, never in it.

export const NONE = '–';
const MINUS = '−';

type Maybe = number | null | undefined;

function known(x: Maybe): x is number {
  return typeof x === 'number' && Number.isFinite(x);
}

function signed(text: string, x: number, plus: boolean): string {
  if (x < 0 && /[1-9]/.test(text)) return MINUS + text;
  return plus && x > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const marked = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? marked : `${marked}.${fraction}`;
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** At most `digits` significant digits; whole numbers keep all of theirs. */
export function plain(x: Maybe, digits = 4): string {
  if (!known(x)) return NONE;
  const size = Math.abs(x);
  if (size === 0) return '0';
  const places = Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
  return signed(grouped(trimmed(size.toFixed(places))), x, false);
}

/** Decimals with which none of these numbers loses a digit; 12 at most. */
export function decimalsOf(all: readonly number[]): number {
  const of = (x: number): number => {
    const [digits = '', power = '0'] = String(x).split('e');
    return (digits.split('.')[1]?.length ?? 0) - Number(power);
  };
  return Math.min(12, all.reduce((most, x) => Math.max(most, of(x)), 0));
}

/** With so many decimals, thousands separated: evidence that is not rounded, one number beneath the other. */
export function exact(x: number, decimals: number): string {
  return signed(grouped(Math.abs(x).toFixed(decimals)), x, false);
}

/** A price: enough digits to tell ticks apart, whole numbers from 10,000 up. */
export function price(x: Maybe): string {
  if (!known(x)) return NONE;
  const size = Math.abs(x);
  if (size === 0) return '0';
  const magnitude = Math.floor(Math.log10(size));
  const places = Math.min(10, Math.max(0, magnitude >= 4 ? 0 : magnitude >= 3 ? 1 : magnitude >= 1 ? 2 : 3 - magnitude));
  return signed(grouped(size.toFixed(places)), x, false);
}

/** How many decimals `price` gives a number of this size; the chart's axis uses the same. */
export function priceDecimals(x: number): number {
  const text = price(x);
  const dot = text.indexOf('.');
  return dot < 0 ? 0 : text.length - dot - 1;
}

/** Money or amounts: thousands separators, K/M/B from 10,000 up. */
export function compact(x: Maybe): string {
  if (!known(x)) return NONE;
  const size = Math.abs(x);
  if (size < 10_000) return plain(x);
  const [unit, mark] = size < 999_950 ? [1e3, 'K'] : size < 999_950_000 ? [1e6, 'M'] : [1e9, 'B'];
  return `${plain(x / unit, 4)}${mark}`;
}

/** A fraction as percent with a fixed number of decimals. */
export function percent(x: Maybe, decimals = 1, plus = false): string {
  if (!known(x)) return NONE;
  return `${signed(Math.abs(x * 100).toFixed(decimals), x, plus)} %`;
}

/** A funding rate per eight hours: percent with four decimals. */
export function funding(x: Maybe): string {
  return percent(x, 4);
}

/** Annualised volatility: percent, no decimals. */
export function volatility(x: Maybe): string {
  return percent(x, 0);
}

/** A standardised value. */
export function sigma(x: Maybe): string {
  if (!known(x)) return NONE;
  return `${signed(Math.abs(x).toFixed(1), x, false)}σ`;
}

/** A ratio or a score with a fixed number of decimals. */
export function fixed(x: Maybe, decimals = 1, plus = false): string {
  if (!known(x)) return NONE;
  return signed(Math.abs(x).toFixed(decimals), x, plus);
}

/** Bytes in decimal units. */
export function bytes(x: Maybe): string {
  if (!known(x)) return NONE;
  if (x < 1000) return `${x} B`;
  const [unit, mark] = x < 1e6 ? [1e3, 'kB'] : x < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${plain(x / unit, 3)} ${mark}`;
}

/** `1 market`, `3 markets`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(String(n))} ${n === 1 ? one : many}`;
}
