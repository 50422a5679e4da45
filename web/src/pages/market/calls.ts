// Calls of the ledger as rows of a table: those with a number first, in the order of their events.
import type { CallView } from '../../api/types';
import { count, percent, plain } from '../../format/number';
import { EVENTS, isEvent } from '../scorecard/events';

export interface CallRow {
  event: string;
  name: string;
  whether: string;
  chance: string;
  interval: string;
  usual: string;
  /** Why there is no number. */
  why: string | null;
}

const REASONS: Record<string, string> = {
  few_forecasts: 'fewer than 100 earlier cases',
  few_episodes: 'fewer than 30 separate cases',
  one_outcome: 'always ended the same way',
  wide_interval: 'too wide a range',
  no_label: 'no label',
  stale: 'an input is too old',
  outlier: 'unlike anything seen',
  not_modelled: 'not forecast',
};

export function callRows(calls: readonly CallView[]): CallRow[] {
  const rows = calls.filter((c) => c.classes === null).map(callRow);
  return [...rows.filter((r) => r.why === null), ...rows.filter((r) => r.why !== null)];
}

function callRow(call: CallView): CallRow {
  const text = isEvent(call.event_id) ? EVENTS[call.event_id] : { name: call.event_id, whether: call.event_id };
  const [low, high] = call.interval ?? [];
  return {
    event: call.event_id,
    name: text.name,
    whether: `whether ${text.whether}; ${count(call.cases, 'similar moment')}, ${plain(call.windows)} of them apart`,
    chance: percent(call.probability, 0),
    interval: low === undefined || high === undefined ? '–' : `${(low * 100).toFixed(0)} to ${percent(high, 0)}`,
    usual: percent(call.usual, 0),
    why: call.abstain_reason === null ? null : (REASONS[call.abstain_reason] ?? call.abstain_reason),
  };
}
