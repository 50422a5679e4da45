// Cascades as a picture: a lane for each market, an episode where it began, as large as what was liquidated. Pure.
import type { EventView } from '../../api/types';
import { severityRank } from '../../board/severity';
import { numberAt } from './top';

export interface Mark {
  id: string;
  event: EventView;
  /** From 0, the beginning of the stretch, to 1, its end. */
  at: number;
  /** USD; `null` where it is not known. */
  usd: number | null;
  side: 'longs' | 'shorts' | 'both';
}

export interface Lane {
  instrument: string;
  symbol: string;
  usd: number;
  marks: Mark[];
}

/** Lanes that are drawn; the others are counted. */
export const LANES_MAX = 12;

/** One mark an episode, at its largest; lanes of most money first. Episodes that began before the stretch stand at its beginning. */
export function lanesOf(events: readonly EventView[], from: number, to: number): Lane[] {
  const episodes = new Map<string, EventView>();
  for (const event of events) {
    const old = episodes.get(event.alert_id);
    if (old === undefined || larger(event, old)) episodes.set(event.alert_id, event);
  }
  const lanes = new Map<string, Lane>();
  for (const event of episodes.values()) {
    const usd = numberAt(event, 'total_liquidated_usd');
    const place = (Date.parse(event.opened_at) - from) / Math.max(1, to - from);
    const lane = lanes.get(event.instrument) ?? { instrument: event.instrument, symbol: event.symbol, usd: 0, marks: [] };
    lane.usd += usd ?? 0;
    lane.marks.push({ id: event.alert_id, event, at: Math.min(1, Math.max(0, place)), usd, side: sideOf(event.data['side_bias']) });
    lanes.set(event.instrument, lane);
  }
  for (const lane of lanes.values()) lane.marks.sort((a, b) => a.at - b.at);
  return [...lanes.values()].sort((a, b) => b.usd - a.usd || b.marks.length - a.marks.length || (a.instrument < b.instrument ? -1 : 1));
}

function larger(a: EventView, b: EventView): boolean {
  const difference = (numberAt(a, 'total_liquidated_usd') ?? -1) - (numberAt(b, 'total_liquidated_usd') ?? -1);
  return difference > 0 || (difference === 0 && severityRank(a.severity) > severityRank(b.severity));
}

function sideOf(bias: unknown): Mark['side'] {
  return bias === 'LONG' ? 'longs' : bias === 'SHORT' ? 'shorts' : 'both';
}

const SMALLEST_PX = 4;
const LARGEST_PX = 13;

/** Half the size of a mark: its area grows with the money. One without a number is the smallest. */
export function sizeOf(usd: number | null, most: number): number {
  return usd === null || most <= 0 ? SMALLEST_PX : SMALLEST_PX + (LARGEST_PX - SMALLEST_PX) * Math.sqrt(Math.min(1, usd / most));
}
