// Sentences of the why panel: what would turn a label, in words with numbers.
import type { Snapshot } from '../../api/types';
import { featureText, unitWord } from '../../format/feature';
import { said } from '../../format/labels';
import { span } from '../../format/time';
import type { Axis } from '../../contract';

const MINUTE_S = 60;
const HOUR_S = 3600;

export interface FlipLike {
  feature: string;
  value: number;
  needed: number;
  direction: string;
  label: string;
  readings: number;
  cadence_s: number;
  dwell_left_s: number;
}

/** How a feature is called and measured; from the catalogue where it is known. */
export interface Speech {
  name: (feature: string) => string;
  unit: (feature: string) => string;
}

export function speechOf(snapshot: Snapshot, names: ReadonlyMap<string, string>): Speech {
  return {
    name: (feature) => names.get(feature) ?? feature.replaceAll('_', ' '),
    unit: (feature) => snapshot.explanation.features[feature]?.unit ?? '',
  };
}

export function valueWith(value: number | boolean | string | null | undefined, unit: string): string {
  const word = unitWord(unit);
  return word === '' ? featureText(value, unit) : `${featureText(value, unit)} ${word}`;
}

/** Readings up to so many are counted; more are said as the time they take. */
const COUNTED = 9;

/** “2 readings”, “2 hourly readings”, “2 readings 8 h apart”, “5 h”. */
function readings(n: number, cadence_s: number): string {
  if (n > COUNTED) return span(n * cadence_s * 1000);
  if (cadence_s === HOUR_S) return `${n} hourly readings`;
  return cadence_s > MINUTE_S ? `${n} readings ${span(cadence_s * 1000)} apart` : `${n} readings`;
}

/** “Normal if 1 h volatility falls below 91 % annualised and stays there for 2 readings; now 117 %”. */
export function flipText(flip: FlipLike, speech: Speech, axis: Axis): string {
  const unit = speech.unit(flip.feature);
  const moves = flip.direction === 'above' ? 'rises above' : 'falls below';
  const stays = flip.readings > 1 ? ` and stays there for ${readings(flip.readings, flip.cadence_s)}` : '';
  // A wait longer than the readings themselves is worth saying.
  const waits = flip.dwell_left_s > flip.readings * flip.cadence_s;
  const dwell = waits ? `, not sooner than in ${span(flip.dwell_left_s * 1000)}` : '';
  return `${said(axis, flip.label)} if ${speech.name(flip.feature)} ${moves} ${valueWith(flip.needed, unit)}${stays}${dwell}; now ${featureText(flip.value, unit)}`;
}
