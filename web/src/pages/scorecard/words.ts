// The scorecard in words. A skill is never said without its band and the number of windows that do not overlap; where the band holds
// zero, no skill is shown, whatever its middle is. That it is there is said once the confidence sequence of the whole ledger has
// decided; before that, and of windows that move, it is there "so far".
import type { AlertScore, ForecastEvent, ScoreRow, Scorecard, SkillReading } from '../../api/types';
import { NONE, count, fixed, percent, plain } from '../../format/number';
import { MINUTE, span } from '../../format/time';

/** Percent with one decimal, without the unit. */
function points(x: number): string {
  return percent(x, 1).replace(' %', '');
}

/** Both ends of a band. On which side of zero one lies is what the verdict is made of, so that it is said where it rounds to zero. */
function ends(low: number, high: number): string {
  const end = (x: number): string => (x !== 0 && points(x) === '0.0' ? `just ${x < 0 ? 'below' : 'above'} 0` : points(x));
  return `${end(low)} to ${end(high)}`;
}

/** `+4.1 % (1.2 to 7.0)`; a dash where there is no band. */
export function skillText(skill: SkillReading): string {
  const { value, low, high } = skill;
  if (value === null || low === null || high === null) return NONE;
  return `${percent(value, 1, true)} (${ends(low, high)})`;
}

const windows = (n: number): string => count(n, 'separate window');

/** What a row amounts to, in a sentence without its full stop. */
export function headline(row: ScoreRow): string {
  const { value, low, high } = row.persistence;
  if (row.verdict === 'too_little_data' || value === null || low === null || high === null) {
    return unjudged(row);
  }
  const band = `90 % band ${ends(low, high)}, ${windows(row.n_eff)}`;
  if (row.verdict === 'skill') return `Better than persistence by ${percent(value)} (${band})${since(row)}`;
  if (row.verdict === 'better_so_far') return `Better so far by ${percent(value)}, not decided (${band})`;
  if (row.verdict === 'worse_so_far') return `Worse so far by ${percent(-value)}, not decided (${band})`;
  if (row.verdict === 'worse_than_persistence') return `Worse than persistence by ${percent(-value)} (${band})`;
  return `No skill shown: the band includes zero (${band})`;
}

/** `, decided 2026-02-05`. */
function since(row: ScoreRow): string {
  const at = row.sequence?.activated_at;
  return at === null || at === undefined ? '' : `, decided ${at.slice(0, 10)}`;
}

/** Levels and alerts have no state before their window, and a young ledger too few cases of it: then there is nothing to compare with. */
function hasNoHurdle(row: ScoreRow): boolean {
  return row.persistence.n === 0 && row.denominators.scored > 0;
}

/** Why there is no band. */
function unjudged(row: ScoreRow): string {
  if (row.denominators.scored === 0) return 'Too little data: nothing is scored yet';
  if (hasNoHurdle(row)) {
    const other = row.climatology.low === null ? windows(row.n_eff) : `against climatology ${skillText(row.climatology)}, ${windows(row.n_eff)}`;
    return `Not judged: persistence has no reference yet: it needs 100 cases of a known state before the window; ${other}`;
  }
  return `Too little data: ${windows(row.n_eff)}, too few for a band`;
}

const SAYS: Record<ScoreRow['verdict'], string> = {
  skill: 'better than persistence',
  better_so_far: 'better so far',
  worse_so_far: 'worse so far',
  no_skill_shown: 'no skill shown',
  worse_than_persistence: 'worse than persistence',
  too_little_data: 'too little data',
};

/** The verdict in the words of the command line; more than two void in a hundred are said first. */
export function says(row: ScoreRow): string {
  const { void: gone, issued } = row.denominators;
  if (gone * 50 > issued) return `${gone} void of ${issued}`;
  if (hasNoHurdle(row)) return 'not judged: no persistence';
  return row.verdict === 'skill' ? `${SAYS.skill}${since(row)}` : SAYS[row.verdict];
}

/** A colour is for what is decided. */
export function toneOf(row: ScoreRow): string {
  if (row.verdict === 'skill') return 'calm';
  return row.verdict === 'worse_than_persistence' ? 'red' : 'none';
}

/** The page's first sentence. */
export function summary(rows: readonly ScoreRow[]): string {
  const judged = rows.filter((row) => row.verdict !== 'too_little_data');
  if (judged.length === 0) return 'Too little data for any event yet: a skill needs enough windows that do not overlap.';
  const n = (verdict: ScoreRow['verdict']): number => judged.filter((row) => row.verdict === verdict).length;
  const parts = [
    `${n('skill')} better than persistence`,
    ...(n('better_so_far') > 0 ? [`${n('better_so_far')} better so far`] : []),
    `${n('no_skill_shown')} with no skill shown`,
    ...(n('worse_so_far') > 0 ? [`${n('worse_so_far')} worse so far`] : []),
    ...(n('worse_than_persistence') > 0 ? [`${n('worse_than_persistence')} worse than persistence`] : []),
  ];
  const rest = rows.length - judged.length;
  return `Of ${count(judged.length, 'event')} with enough data: ${parts.join(', ')}.${rest > 0 ? ` ${count(rest, 'event')} ${rest === 1 ? 'is' : 'are'} not judged: too little data, or no persistence to compare with.` : ''}`;
}

function reasons(of: Record<string, number>): string {
  const sorted = Object.entries(of).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return sorted.map(([why, n]) => `${why.replaceAll('_', ' ')} ${plain(n, 9)}`).join(', ');
}

function total(of: Record<string, number>): number {
  return Object.values(of).reduce((all, n) => all + n, 0);
}

/** From what was asked to what is scored, each step in words. */
export function denominators(row: ScoreRow): string[] {
  const d = row.denominators;
  const number = (n: number): string => plain(n, 9);
  const left = total(d.not_issued);
  const silent = total(d.abstained);
  const lines = [
    `Asked ${count(d.asked, 'time')}, ${number(d.issued)} forecasts registered${left > 0 ? `; ${number(left)} not: ${reasons(d.not_issued)}` : ''}.`,
    `Of these ${number(d.resolved)} resolved, ${number(d.waiting)} ${d.waiting === 1 ? 'waits' : 'wait'} for the end of their window, ${number(d.unresolvable)} could not be resolved for lack of data, ${number(d.void)} void.`,
    `Of the resolved ${number(d.scored)} scored${silent > 0 ? `; ${number(silent)} stated no probability: ${reasons(d.abstained)}` : ''}.`,
  ];
  if (d.revised > 0) {
    lines.push(`The minutes that ${count(d.revised, 'outcome')} rest on were corrected a day later or more and would now give another outcome; the outcome of then is kept.`);
  }
  // More than two in a hundred void: that comes first.
  if (d.void * 50 > d.issued) lines.unshift(`${number(d.void)} of ${number(d.issued)} are void: read the rest with care.`);
  return lines;
}

/** The decision that may be looked at every day; of the whole ledger alone. */
export function decision(row: ScoreRow | undefined): string | null {
  const s = row?.sequence;
  if (s === null || s === undefined) return null;
  const bound = `the 95 % confidence sequence of the gain over persistence reaches from ${fixed(s.low, 3)} to ${fixed(s.high, 3)} after ${windows(s.n)}`;
  if (s.activated_at !== null) return `Decided: better than persistence since ${s.activated_at.slice(0, 10)}; ${bound}.`;
  if (s.high < 0) return `Decided: worse than persistence; ${bound}.`;
  return `Not decided: ${bound}. It can be checked daily and still errs in at most 1 of 20 cases.`;
}

/** The rows of a scope and a window that were asked about at all, in the order of the events. */
export function rowsOf(card: Scorecard, scope: string, window: string): ScoreRow[] {
  return card.rows.filter((row) => row.scope === scope && row.window === window && row.denominators.asked > 0);
}

export function alertsOf(card: Scorecard, scope: string, window: string, event: ForecastEvent | null): AlertScore[] {
  return card.alerts.filter((alert) => alert.scope === scope && alert.window === window && alert.n > 0 && (event === null || alert.event === event));
}

/** `9 of 20 (45 %, band 30 to 60)`. */
export function rightText(alert: AlertScore): string {
  const band = alert.precision_band === null ? 'no band' : `band ${points(alert.precision_band[0] ?? 0)} to ${points(alert.precision_band[1] ?? 0)}`;
  return `${plain(alert.hits, 9)} of ${plain(alert.n, 9)}${alert.precision === null ? '' : ` (${percent(alert.precision)}, ${band})`}`;
}

/** Minutes before the event: the median, with the tenth and ninetieth percentile. */
export function leadText(alert: AlertScore): string {
  if (alert.lead_min === null) return NONE;
  const [median, early, late] = alert.lead_min.map((minutes) => (minutes < 1 ? '0 min' : span(minutes * MINUTE)));
  return early === late ? `${median}` : `${median} (${early} to ${late})`;
}

/** The end of the scale of skill bars: one for a whole table, so that bars can be compared. */
export function scaleOf(rows: readonly ScoreRow[]): number {
  const ends = rows.flatMap(({ persistence: { low, high } }) => (low === null || high === null ? [] : [Math.abs(low), Math.abs(high)]));
  const most = Math.max(0, ...ends);
  return [0.05, 0.1, 0.15, 0.2, 0.3, 0.5].find((end) => end >= most) ?? 1;
}

/** Places of a band on a bar from 0 to 100, zero in the middle; what is beyond the scale ends at its end. */
export function barOf(skill: SkillReading, scale: number): { low: number; high: number; value: number } | null {
  const { value, low, high } = skill;
  if (value === null || low === null || high === null) return null;
  const at = (x: number): number => 50 + 50 * Math.min(1, Math.max(-1, x / scale));
  return { low: at(low), high: at(high), value: at(value) };
}

/** The end of both axes of a reliability curve: rare events would be a dot in the corner of 0 to 100 %. */
export function axisOf(row: Pick<ScoreRow, 'reliability' | 'curve'>): number {
  const most = Math.max(0, ...row.curve.flatMap((step) => [step.upto, step.calibrated]), ...row.reliability.flatMap((bin) => [bin.stated, bin.observed]));
  return [0.1, 0.2, 0.5].find((end) => end >= most) ?? 1;
}

export function shortHash(hash: string): string {
  return hash.slice(0, 16);
}

