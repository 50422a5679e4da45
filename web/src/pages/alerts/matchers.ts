// The conditions of a silence: the labels and comparisons of the interface, and how people say them. Pure.
import type { Matcher } from '../../contract';
import { kindOf } from './episodes';

/** Conditions a silence is made of; those marked are offered under “advanced”. */
export const LABELS: readonly (readonly [label: string, words: string, advanced?: true])[] = [
  ['event_type', 'kind'],
  ['instrument', 'market'],
  ['severity', 'severity'],
  ['venue', 'venue', true],
  ['symbol', 'symbol', true],
  ['axis', 'axis', true],
  ['rule', 'rule', true],
];
export const OPS: readonly (readonly [op: Matcher['op'], words: string, advanced?: true])[] = [
  ['=', 'is'],
  ['!=', 'is not'],
  ['=~', 'fits', true],
  ['!~', 'does not match', true],
];

/** `kind is “A label changed”`, `market is binance-usdm:SOLUSDT`. */
export function matcherWords({ label, op, value }: Matcher): string {
  const kind = label === 'event_type' ? kindOf(value) : null;
  const words = (of: readonly (readonly [string, string, true?])[], word: string): string => of.find(([one]) => one === word)?.[1] ?? word;
  return `${words(LABELS, label)} ${words(OPS, op)} ${kind === null ? value : `“${kind.text}”`}`;
}
