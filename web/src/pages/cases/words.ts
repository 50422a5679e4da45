// How states, entries and shares of cases read.
import type { CaseEntry, CaseState, Disposition, Share } from '../../api/types';

const STATES: Record<CaseState, string> = { open: 'Open', acknowledged: 'Acknowledged', closed: 'Closed' };

export function stateText(state: CaseState, disposition: Disposition | null): string {
  return disposition === null ? STATES[state] : `${STATES[state]} as ${disposition}`;
}

/** What an entry did; its author stands before it. */
export function entryText(entry: Pick<CaseEntry, 'kind' | 'disposition'>): string {
  switch (entry.kind) {
    case 'filed':
      return 'filed the case';
    case 'acknowledged':
      return 'is looking into it';
    case 'closed':
      return `closed it as ${entry.disposition ?? 'unclear'}`;
    default:
      return 'added a note';
  }
}

/** "0.80 (0.49–0.94)" */
export function shareText(share: Share | null, none: string): string {
  if (share === null) return none;
  return `${share.value.toFixed(2)} (${share.low.toFixed(2)}–${share.high.toFixed(2)})`;
}
