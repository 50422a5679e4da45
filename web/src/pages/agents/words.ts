// What a session amounts to, in words. A skill is never said without its band; where there is none, there is too little data.
import type { AgainstReading, SessionReport } from '../../api/types';
import { count, percent } from '../../format/number';

/** Whom forecasts are held against, as the report names them. */
export const REFERENCES = [
  { name: 'climatology', title: 'how often it happened before' },
  { name: 'persistence', title: 'how often it happened in the same state' },
  { name: 'rules', title: "barograph's own forecast of the case" },
] as const;

const TOO_LITTLE = 'too little data';

/** `+18.2 % (1.8 to 28.8), 672 cases`. */
export function againstText(reading: AgainstReading | undefined): string {
  if (reading === undefined || reading.skill === null) return TOO_LITTLE;
  const cases = count(reading.n, 'case');
  if (reading.band === null) return `${percent(reading.skill, 1, true)}, ${TOO_LITTLE} for a band, ${cases}`;
  const [low, high] = reading.band.map((end) => percent(end, 1).replace(' %', ''));
  return `${percent(reading.skill, 1, true)} (${low} to ${high}), ${cases}`;
}

export function unresolvedText(of: Pick<SessionReport, 'unresolved'>): string {
  return of.unresolved === 0 ? '' : `, ${of.unresolved} of them without an outcome`;
}

/** Whether anything of it stands against the last state repeated. */
export function lead(of: Pick<SessionReport, 'scores' | 'forecasts'>): string {
  if (of.forecasts === 0) return 'No forecast was put on record.';
  if (of.scores.length === 0) return 'None of its forecasts has an outcome.';
  const side = (word: 'better' | 'worse'): string[] =>
    of.scores.filter(({ against }) => {
      const band = against['persistence']?.band ?? null;
      return band !== null && (word === 'better' ? (band[0] ?? 0) > 0 : (band[1] ?? 0) < 0);
    }).map((score) => score.event);
  const [better, worse] = [side('better'), side('worse')];
  if (better.length === 0 && worse.length === 0) {
    const judged = of.scores.some(({ against }) => (against['persistence']?.band ?? null) !== null);
    return judged ? 'No skill over persistence is shown: every band includes zero.' : 'There is too little data to say whether it beats persistence.';
  }
  const parts = [better.length > 0 ? `Better than persistence at ${better.join(', ')}` : '', worse.length > 0 ? `${better.length > 0 ? 'worse' : 'Worse than persistence'} at ${worse.join(', ')}` : ''];
  return `${parts.filter((part) => part !== '').join(', ')}.`;
}
