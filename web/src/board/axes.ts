// The four axes and their words, in the order of severity (UX §2). Words appear exactly as in the API; colours and signs are
// chosen by tone and shape here, once.
import type { Axis } from '../contract';

export type Tone = 'calm' | 'amber' | 'orange' | 'red' | 'purple' | 'none';

export const AXES: readonly Axis[] = ['risk', 'trend', 'volatility', 'heat'];

export const WORDS: Record<Axis, readonly string[]> = {
  risk: ['NORMAL', 'CHOP_RISK', 'SQUEEZE_RISK', 'HIGH_VOL', 'UNKNOWN'],
  trend: ['STRONG_UPTREND', 'UPTREND', 'SIDEWAYS', 'DOWNTREND', 'STRONG_DOWNTREND', 'UNKNOWN'],
  volatility: ['STABLE', 'HIGH_VOL', 'EXPLOSIVE', 'EXTREME', 'UNKNOWN'],
  heat: ['COLD', 'COOL', 'NEUTRAL', 'HOT', 'SUPER_HOT', 'UNKNOWN'],
};

const TONES: Record<Axis, Record<string, Tone>> = {
  risk: { NORMAL: 'calm', CHOP_RISK: 'amber', SQUEEZE_RISK: 'red', HIGH_VOL: 'purple' },
  trend: { STRONG_UPTREND: 'calm', UPTREND: 'calm', SIDEWAYS: 'amber', DOWNTREND: 'red', STRONG_DOWNTREND: 'purple' },
  volatility: { STABLE: 'calm', HIGH_VOL: 'orange', EXPLOSIVE: 'red', EXTREME: 'purple' },
  heat: { COLD: 'calm', COOL: 'calm', NEUTRAL: 'amber', HOT: 'red', SUPER_HOT: 'purple' },
};

export function toneOf(axis: Axis, label: string | null): Tone {
  return (label !== null && TONES[axis][label]) || 'none';
}

/** 0 for the calmest word; UNKNOWN stands before it, for nobody is warned of what is not known. */
export function severityOf(axis: Axis, label: string | null): number {
  if (label === null || label === 'UNKNOWN') return -1;
  return WORDS[axis].indexOf(label);
}

/** The step of five that a heat label fills. */
export function heatSteps(label: string | null): number {
  return label === null || label === 'UNKNOWN' ? 0 : WORDS.heat.indexOf(label) + 1;
}

export type Squeeze = 'none' | 'longs' | 'shorts';

export function squeezeOf(code: number | null): Squeeze {
  return code === 1 ? 'longs' : code === 2 ? 'shorts' : 'none';
}
