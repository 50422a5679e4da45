// What labels are called when people read them (UX §1): the one place where an enum of the API becomes words. The enum itself stays
// in addresses, tooltips and filters. No word names two things: HIGH_VOL of the risk axis is “high volatility”, HIGH_VOL of the
// volatility axis is “larger moves”.
import type { Squeeze } from '../board/axes';
import type { Axis } from '../contract';

interface Said {
  /** Stands alone: “High volatility”, “Larger moves”. */
  full: string;
  /** Where a heading or a name beside it says the axis: “Larger”. */
  brief: string;
}

function both(full: string, brief = full): Said {
  return { full, brief };
}

const SAID: Record<Axis, Record<string, Said>> = {
  risk: {
    NORMAL: both('Normal'),
    CHOP_RISK: both('Chop risk'),
    SQUEEZE_RISK: both('Squeeze risk'),
    HIGH_VOL: both('High volatility'),
  },
  trend: {
    STRONG_UPTREND: both('Strong uptrend'),
    UPTREND: both('Uptrend'),
    SIDEWAYS: both('Sideways'),
    DOWNTREND: both('Downtrend'),
    STRONG_DOWNTREND: both('Strong downtrend'),
  },
  volatility: {
    STABLE: both('Steady moves', 'Steady'),
    HIGH_VOL: both('Larger moves', 'Larger'),
    EXPLOSIVE: both('Explosive moves', 'Explosive'),
    EXTREME: both('Extreme moves', 'Extreme'),
  },
  heat: {
    COLD: both('Cold'),
    COOL: both('Cool'),
    NEUTRAL: both('Neutral'),
    HOT: both('Hot'),
    SUPER_HOT: both('Super hot'),
  },
};

/** Verdicts on a trade in mind, as people read them. */
export const VERDICTS: Readonly<Record<string, string>> = { ALLOW: 'Nothing speaks against it', CAUTION: 'Take care', AVOID: 'This speaks against it' };

/** What an axis is called in headings and tooltips. */
export const AXIS_NAMES: Readonly<Record<Axis, string>> = { risk: 'risk', trend: 'trend', volatility: 'volatility', heat: 'heat' };

export const SESSIONS: Readonly<Record<string, string>> = { ASIAN: 'Asia', LONDON: 'London', NY: 'New York', ROLLOVER: 'Rollover' };

export const NO_READING = 'No reading';

/** A label as people say it: “High volatility”. A word of tomorrow is shown as readably as it allows. */
export function said(axis: Axis, label: string | null): string {
  return wordOf(axis, label).full;
}

/** The same where the axis is named beside it: “Larger” under the heading “24 h moves”. */
export function briefly(axis: Axis, label: string | null): string {
  return wordOf(axis, label).brief;
}

function wordOf(axis: Axis, label: string | null): Said {
  if (label === null || label === 'UNKNOWN') return both(NO_READING);
  return SAID[axis][label] ?? both(readable(label));
}

/** A word of the API as readably as it allows: “Reduce”. */
export function readable(label: string): string {
  const words = label.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Who is crowded, as it follows a squeeze risk: “Squeeze risk, longs crowded”. Nothing where no side is known. */
export function saidCrowd(side: Squeeze): string {
  return side === 'none' ? '' : `${side} crowded`;
}

/** The risk label with its side. */
export function saidRisk(label: string | null, side: Squeeze): string {
  const crowd = label === 'SQUEEZE_RISK' ? saidCrowd(side) : '';
  return crowd === '' ? said('risk', label) : `${said('risk', label)}, ${crowd}`;
}

/** Inside a sentence: “high volatility”. */
export function saidWithin(axis: Axis, label: string | null): string {
  const text = said(axis, label);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A change of a label as the end of a sentence about a market: “turned to high volatility”. */
export function saidTurn(axis: Axis, to: string): string {
  return to === 'UNKNOWN' ? `has no ${AXIS_NAMES[axis]} reading any more` : `turned to ${saidWithin(axis, to)}`;
}

/** What a tooltip adds to the word: the axis and the enum of the API, as in “volatility: HIGH_VOL”. */
export function enumOf(axis: Axis, label: string | null): string {
  return `${axis}: ${label ?? 'no reading'}`;
}

/** Below this a label is about to turn, and from `FAR` on nothing suggests it. In the unit of margins: the scale of the closest clause,
 * one of which is the width that the rule book gives it. */
export const ABOUT_TO_TURN = 0.25;
export const FAR = 1;

/** How far a label is from turning, in words; the number belongs into the tooltip. `null` where there is no margin. */
export function marginWord(margin: number | null | undefined): string | null {
  if (margin === null || margin === undefined || !Number.isFinite(margin)) return null;
  return margin < ABOUT_TO_TURN ? 'about to turn' : margin < FAR ? 'near' : 'far';
}

/** The same where no heading says of what: “far from turning”. */
export function turningWords(word: string | null): string {
  return word === 'far' ? 'far from turning' : word === 'near' ? 'near turning' : (word ?? 'no margin');
}
