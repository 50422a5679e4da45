// The worst state of the markets one looks at, for where there is room for a few words only: the title of the tab and its icon. Of
// favourites where there are some, else of all. Pure.
import type { Tone } from '../board/axes';
import { toneOf } from '../board/axes';
import { baseOf } from '../board/decode';
import { said, saidWithin } from '../format/labels';
import type { Axis } from '../contract';

export interface Known {
  instrument: string;
  symbol: string;
  risk: string | null;
  volatility: string | null;
  /** What it says can be relied upon. */
  trusted: boolean;
}

export interface Worst {
  tone: Tone;
  axis: Axis;
  label: string;
  /** Bases of the markets that are in it, each once, in their order. */
  names: readonly string[];
}

/** From the worst. */
const ORDER: readonly (readonly [axis: 'risk' | 'volatility', label: string])[] = [
  ['risk', 'HIGH_VOL'],
  ['volatility', 'EXTREME'],
  ['risk', 'SQUEEZE_RISK'],
  ['volatility', 'EXPLOSIVE'],
  ['risk', 'CHOP_RISK'],
];

/** `null` where nothing is worse than normal. */
export function worstOf(all: readonly Known[], favourites: ReadonlySet<string>): Worst | null {
  const own = all.filter((market) => favourites.has(market.instrument));
  const looked = (own.length > 0 ? own : all).filter((market) => market.trusted);
  for (const [axis, label] of ORDER) {
    const there = looked.filter((market) => market[axis] === label);
    if (there.length > 0) return { tone: toneOf(axis, label), axis, label, names: [...new Set(there.map((market) => baseOf(market.symbol)))] };
  }
  return null;
}

const NAMED = 2;

/** “High volatility: SOL, BTC and 3 more”. */
export function worstWords({ axis, label, names }: Worst): string {
  const more = names.length - NAMED;
  return `${said(axis, label)}: ${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The title of the tab: what is worst, then where one is. */
export function titleOf(worst: Worst | null, place: string | null, silent: boolean): string {
  const parts = [silent ? 'No contact with the server' : worst === null ? null : worstWords(worst), place, 'barograph'];
  return parts.filter((part) => part !== null).join(' · ');
}

/** A market's own page: its label, not that of others. */
export function marketTitle(symbol: string, risk: string | null): string {
  return risk === null || risk === 'UNKNOWN' ? symbol : `${symbol}, ${saidWithin('risk', risk)}`;
}
