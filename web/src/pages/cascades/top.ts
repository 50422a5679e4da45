// The heaviest cascades of a stretch, an episode a line. Pure.
import type { EventView } from '../../api/types';
import { severityRank } from '../../board/severity';

/** Why the event has no such number. */
export function reasonAt(event: EventView, name: string): string {
  const reason = event.data[`${name}_reason`];
  return typeof reason === 'string' ? reason.replaceAll('_', ' ') : 'not known';
}

export function numberAt(event: EventView, name: string): number | null {
  const value = event.data[name];
  return typeof value === 'number' ? value : null;
}

function heavier(a: EventView, b: EventView): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    (numberAt(b, 'total_liquidated_usd') ?? 0) - (numberAt(a, 'total_liquidated_usd') ?? 0) ||
    b.anomaly_score - a.anomaly_score ||
    (numberAt(b, 'count_60s') ?? 0) - (numberAt(a, 'count_60s') ?? 0)
  );
}

/** Of the records of one episode the one at its height: a large close at its end is not what made it. */
function higher(a: EventView, b: EventView): number {
  return severityRank(b.severity) - severityRank(a.severity) || b.anomaly_score - a.anomaly_score || heavier(a, b);
}

/** Each episode at its height, the heaviest five: an end that says less does not hide what happened. */
export function topFive(events: readonly EventView[]): EventView[] {
  const heaviest = new Map<string, EventView>();
  for (const event of events) {
    const old = heaviest.get(event.alert_id);
    if (!old || higher(event, old) < 0) heaviest.set(event.alert_id, event);
  }
  return [...heaviest.values()].sort(heavier).slice(0, 5);
}
