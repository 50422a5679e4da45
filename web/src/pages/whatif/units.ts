// Thresholds as people read and type them: shares as percent, with the unit behind the field.

export interface Unit {
  /** What a number is multiplied with to be shown. */
  times: number;
  /** Stands behind it. */
  word: string;
}

const UNITS: Record<string, Unit> = {
  fraction: { times: 100, word: '%' },
  '[0,1]': { times: 100, word: '%' },
  '[0,1)': { times: 100, word: '%' },
  'annualised fraction': { times: 100, word: '% annualised' },
  'daily fraction': { times: 100, word: '% a day' },
  'fraction per 8 h': { times: 100, word: '% per 8 h' },
  'fraction per year': { times: 100, word: '% a year' },
  'percent per bar': { times: 1, word: '% per bar' },
};

export function unitOf(unit: string): Unit {
  return UNITS[unit] ?? { times: 1, word: unit };
}

/** Twelve digits: 0.07 times 100 is not 7 to a computer. */
function clean(x: number): number {
  return Number(x.toPrecision(12));
}

export function shown(x: number, unit: string): number {
  return clean(x * unitOf(unit).times);
}

/** The same as text, with a true minus sign. */
export function shownText(x: number, unit: string): string {
  return String(shown(x, unit)).replace('-', '−');
}

/** What was typed, as the rule book has it; `null` where it is no number. */
export function typed(text: string, unit: string): number | null {
  const x = Number(text.trim().replace('−', '-'));
  return text.trim() === '' || !Number.isFinite(x) ? null : clean(x / unitOf(unit).times);
}
