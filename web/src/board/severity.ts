// How severe an alert is, from mildest to severest, as the API says it.
import type { Severity } from '../api/types';

export const SEVERITIES: readonly Severity[] = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];

/** 0 for the mildest; a word of tomorrow counts as milder than all. */
export function severityRank(severity: string): number {
  return SEVERITIES.findIndex((s) => s === severity);
}
