// A clause as a bar: where the value stands, where the threshold, and on which side the clause is met. Pure arithmetic.
import type { ClauseTrace } from '../../api/types';

export interface ClauseBar {
  /** Shares of the width, 0 to 1. */
  value: number | null;
  threshold: number;
  zero: number;
  /** The clause is met to the right of the threshold. */
  right: boolean;
}

/** `null` for a clause over words. */
export function clauseBar(clause: Pick<ClauseTrace, 'value' | 'threshold' | 'op' | 'abs'>): ClauseBar | null {
  const threshold = clause.threshold;
  if (typeof threshold !== 'number') return null;
  const raw = typeof clause.value === 'number' ? clause.value : null;
  const value = raw === null ? null : clause.abs ? Math.abs(raw) : raw;
  const low = Math.min(0, threshold * 1.6, value ?? 0);
  const high = Math.max(0, threshold * 1.6, value ?? 0) || 1;
  const range = (high - low) * 1.04;
  const share = (x: number): number => Math.min(1, Math.max(0, (x - low) / range));
  return { value: value === null ? null : share(value), threshold: share(threshold), zero: share(0), right: clause.op.startsWith('>') };
}
