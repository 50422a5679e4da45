// What a changed book amounts to, in numbers and words. A skill is never said without its band.
import type { BeforeAfter, HitRates, WhatIfCounts } from '../../api/types';
import { NONE, percent, plain } from '../../format/number';
import { MINUTE, span } from '../../format/time';
import { skillText as bandText } from '../scorecard/words';

export function shareOf(all: WhatIfCounts, label: string): BeforeAfter {
  const risk = all.axes.find((axis) => axis.axis === 'risk');
  return risk?.labels.find((each) => each.label === label)?.share ?? { before: null, after: null };
}

/** Share of the minutes in which every axis that the change reaches says what it says today; the least of them. */
export function sameShare(all: WhatIfCounts): number | null {
  const known = all.axes.flatMap((axis) => (axis.same_share === null ? [] : [axis.same_share]));
  return known.length === 0 ? null : Math.min(...known);
}

/** `45.1 % (39.8 to 50.6), 226` */
export function precisionText(of: HitRates): string {
  const { precision, precision_low: low, precision_high: high } = of;
  if (precision === null || low === null || high === null) return NONE;
  return `${percent(precision)} (${percent(low, 0).replace(' %', '')} to ${percent(high, 0).replace(' %', '')})`;
}

export function recallText(of: HitRates): string {
  return of.recall === null ? NONE : `${percent(of.recall)} of ${plain(of.events, 9)}`;
}

/** An entry in the minute of the onset has no lead. */
export function leadText(of: HitRates): string {
  if (of.median_lead_min === null) return NONE;
  return of.median_lead_min === 0 ? 'none' : span(of.median_lead_min * MINUTE);
}

/** With what its band amounts to. */
export function skillText({ skill }: HitRates): string {
  const { low, high } = skill;
  if (low === null || high === null) return 'too little data';
  // A band decides nothing.
  const verdict = low > 0 ? 'better so far' : high < 0 ? 'worse so far' : 'no skill shown';
  return `${bandText(skill)}, ${verdict}`;
}
