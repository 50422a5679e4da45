// A week on paper in words. Results are in units of risk after costs; a mean is never said without how many it is of.
import type { PaperGroup, PaperReview, PaperTrade } from '../../api/types';
import { VERDICTS } from '../../format/labels';
import { NONE, count, fixed, percent, plain } from '../../format/number';

export function rText(r: number | null | undefined): string {
  return r === null || r === undefined ? NONE : `${fixed(r, 2, true)} R`;
}

/** `45 % (25 to 66)`: share of the resolved that won, with its 95 % interval. */
export function wonText(of: PaperGroup): string {
  const band = of.win_rate_band;
  if (of.win_rate === null || !Array.isArray(band)) return NONE;
  const [low, high] = band as [number, number];
  return `${percent(of.win_rate, 0)} (${percent(low, 0).replace(' %', '')} to ${percent(high, 0).replace(' %', '')})`;
}

/** The page's first sentence. */
export function summary(review: PaperReview): string {
  const { all, taken } = review;
  if (all.decisions === 0) return 'No decision in this week.';
  const decided = `${count(all.decisions, 'decision')}, ${taken.decisions} taken`;
  if (taken.resolved === 0) return `${decided}; no outcome of these is known yet.`;
  const plain = taken.plain_mean_r_after_costs;
  const beside = plain === null ? '' : `; the plain pair of stop and target: ${rText(plain)}`;
  return `${decided}. Of ${count(taken.resolved, 'taken trade')} with an outcome the mean is ${rText(taken.mean_r_after_costs)} after costs${beside}.`;
}

export function gapText(review: PaperReview): string {
  const { gap } = review.confidence;
  if (gap === null) return 'Confidence gap: undefined. Above 0.7 and below 0.4 need 30 resolved trades each.';
  return `Confidence gap: ${fixed(gap * 100, 1, true)} points of the win rate between trades above 0.7 and below 0.4.`;
}

/** The groups of the week's table, in its order. */
export function groups(review: PaperReview): [name: string, of: PaperGroup, begins?: boolean][] {
  const { confidence: c } = review;
  return [
    ['all', review.all],
    ['taken', review.taken, true],
    ['skipped', review.skipped],
    ...(['ALLOW', 'CAUTION', 'AVOID'] as const).flatMap((verdict, at): [string, PaperGroup, boolean][] => {
      const group = review.by_verdict[verdict];
      return group === undefined ? [] : [[verdictText(verdict), group, at === 0]];
    }),
    ['confidence above 0.7', c.above_07, true],
    ['0.4 to 0.7', c.between],
    ['below 0.4', c.below_04],
    ['no confidence', c.null],
  ];
}

const ENDS: Record<PaperTrade['end'], string> = { target: 'target', stop: 'stop', time: 'time was up', unresolved: 'bars are missing', open: 'open' };

export function endText(trade: PaperTrade): string {
  return ENDS[trade.end];
}

export function verdictText(verdict: string): string {
  return (VERDICTS[verdict] ?? codeText(verdict)).toLowerCase();
}

const SKIPPED: Record<string, string> = { avoid: 'skipped: advice against it', position_open: 'skipped: one was open' };

export function takenText(trade: PaperTrade): string {
  return trade.taken ? 'taken' : (SKIPPED[trade.skipped ?? ''] ?? 'skipped');
}

const STRATEGIES: Record<string, string> = { volume_vwap: 'volume VWAP', cum_delta: 'cumulative delta', multi_tf: 'multi-timeframe trend', fibonacci_rsi: 'Fibonacci RSI', range_trading: 'range trading' };

export function strategyText(name: string): string {
  return STRATEGIES[name] ?? codeText(name);
}

/** `volume VWAP: volume ratio 2.1, vwap 99`: who picked the entry, and what it read. */
export function readText(trade: PaperTrade): string {
  const read = Object.entries(trade.readings).map(([name, value]) => `${codeText(name)} ${plain(value, 6)}`);
  return [strategyText(trade.strategy), read.join(', ')].filter((part) => part !== '').join(': ');
}

/** Said where a week has decisions of more than one strategy. */
export function mixedText(review: PaperReview): string | null {
  const each = Object.entries(review.by_strategy);
  if (each.length < 2) return null;
  return `Decisions of several strategies: ${each.map(([name, n]) => `${strategyText(name)} ${n}`).join(', ')}. The figures are of all of them together.`;
}

const NOT_MADE: Record<string, string> = { gap: 'bars missing', late: 'bar arrived too late', no_advice: 'no advice', stale: 'data too old', no_plan: 'no stop or target' };

/** `No decision at 4 bars: 2 bars missing, …`: entries that were left out, by their reason. */
export function notMadeText(review: PaperReview): string | null {
  const reasons = Object.entries(review.not_made).sort((a, b) => b[1] - a[1]);
  const all = reasons.reduce((sum, [, n]) => sum + n, 0);
  return all === 0 ? null : `No decision on ${count(all, 'entry', 'entries')}: ${reasons.map(([reason, n]) => `${NOT_MADE[reason] ?? codeText(reason)} ${plain(n, 9)}`).join(', ')}.`;
}

/** Codes of the API as words. */
export function codeText(code: string): string {
  return code.replaceAll('_', ' ');
}

export const FILTERS = [
  ['all', 'all'],
  ['taken', 'taken'],
  ['skipped', 'skipped'],
  ['low', 'low confidence'],
] as const;

export function filtered(trades: readonly PaperTrade[], filter: string): PaperTrade[] {
  return trades.filter((trade) => {
    if (filter === 'taken') return trade.taken;
    if (filter === 'skipped') return !trade.taken;
    return filter !== 'low' || trade.confidence === null || trade.reasons.includes('low_confidence');
  });
}

/** `9 to 15 Feb 2026`, as UTC days: Monday to Sunday of a week that begins then. */
export function weekDays(from: string): string {
  const first = new Date(from);
  const last = new Date(first.getTime() + 6 * 86_400_000);
  const day = (at: Date, more: Intl.DateTimeFormatOptions): string => at.toLocaleDateString('en-GB', { day: 'numeric', timeZone: 'UTC', ...more });
  const month: Intl.DateTimeFormatOptions = { month: 'short' };
  const year: Intl.DateTimeFormatOptions = { month: 'short', year: 'numeric' };
  const same = first.getUTCMonth() === last.getUTCMonth();
  const sameYear = first.getUTCFullYear() === last.getUTCFullYear();
  return `${day(first, same ? {} : sameYear ? month : year)} to ${day(last, year)}`;
}
