// Drift in words.
import type { DriftRow, RollingSkill } from '../../api/types';
import { count, percent } from '../../format/number';

const WORDS = { as_before: 'as before', shifted: 'shifted', changed: 'changed' } as const;

/** What a week amounts to, or why nobody can say. */
export function driftText(row: Pick<DriftRow, 'word' | 'weeks'>): string {
  return row.word === null || row.word === undefined ? `not known: ${count(row.weeks, 'week')} of 26` : WORDS[row.word];
}

/** Readings that have moved, and the others, each in their order. */
export function byMoved<T extends Pick<DriftRow, 'word'>>(rows: readonly T[]): [moved: T[], rest: T[]] {
  const moved = (row: T): boolean => row.word === 'changed' || row.word === 'shifted';
  return [rows.filter(moved), rows.filter((row) => !moved(row))];
}

/** Across readings and markets, in a sentence. */
export function changedText(rows: readonly Pick<DriftRow, 'word'>[]): string {
  const known = rows.filter((row) => row.word !== null && row.word !== undefined);
  if (known.length === 0) return 'Too early to say: there are not yet 26 earlier weeks of any reading.';
  const of = (word: keyof typeof WORDS): number => known.filter((row) => row.word === word).length;
  const rest = rows.length - known.length;
  const unknown = rest === 0 ? '' : `, ${rest} not known`;
  return `Of ${count(rows.length, 'reading')} ${of('changed')} changed, ${of('shifted')} shifted, ${of('as_before')} as before${unknown}.`;
}

const SAYS: Record<RollingSkill['verdict'], string> = {
  skill: 'better than persistence',
  better_so_far: 'better so far',
  worse_so_far: 'worse so far',
  no_skill_shown: 'no skill shown',
  worse_than_persistence: 'worse than persistence',
  too_little_data: 'no band',
};

/** `+4.1 % (1.2 to 7.0), better so far`. */
export function rollingText(row: Pick<RollingSkill, 'skill' | 'low' | 'high' | 'verdict'>): string {
  const points = (x: number): string => percent(x, 1).replace(' %', '');
  const band = row.low === null || row.low === undefined || row.high === null || row.high === undefined ? '' : ` (${points(row.low)} to ${points(row.high)})`;
  return `${percent(row.skill, 1, true)}${band}, ${SAYS[row.verdict]}`;
}
