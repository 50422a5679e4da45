// The streams on show: numbers as the pulse told them last, states as the stream tells them, second by second.
import type { LiveStreamView } from '../../api/types';
import type { FeedRow } from '../../contract';
import { baseOf } from '../../board/decode';
import { attention } from '../../format/continuity';
import { NONE, compact, funding, plain, price } from '../../format/number';

export interface StreamLine {
  item: LiveStreamView;
  state: string;
  reason: string | null;
  /** Epoch milliseconds of the newest event, by the server's clock; `null` before the first. */
  at: number | null;
}

function keyOf(instrument: string, metric: string): string {
  return `${instrument}|${metric}`;
}

/** `heard` says when a row of the stream came, on the server's clock. */
export function linesOf(items: readonly LiveStreamView[], told: readonly FeedRow[], heard: (row: FeedRow) => number, needle: string): StreamLine[] {
  const states = new Map(told.map((row) => [keyOf(row[0], row[1]), row]));
  return items
    .filter((item) => needle === '' || `${item.instrument} ${item.metric.replaceAll('_', ' ')} ${item.metric}`.toLowerCase().includes(needle))
    .map((item): StreamLine => {
      const row = states.get(keyOf(item.instrument, item.metric));
      const known = item.event_ts === null ? null : Date.parse(item.event_ts);
      if (row === undefined) return { item, state: item.continuity, reason: item.reason?.text ?? null, at: known };
      const at = row[4] === null ? null : heard(row) - row[4];
      return { item, state: row[2], reason: row[3]?.replaceAll('_', ' ') ?? null, at: at === null || known === null ? (at ?? known) : Math.max(at, known) };
    })
    .sort((a, b) => attention(a.state) - attention(b.state));
}

/** The newest value in the form of its metric. */
export function valueText({ value, unit, instrument }: Pick<LiveStreamView, 'value' | 'unit' | 'instrument'>): string {
  if (typeof value !== 'number') return NONE;
  switch (unit) {
    case 'quote':
      return price(value);
    case 'USD':
      return `${compact(value)} USD`;
    case 'base':
      return `${compact(value)} ${baseOf(instrument.split(':')[1] ?? '')}`;
    case 'fraction per interval':
      return `${funding(value)} per interval`;
    default:
      return plain(value);
  }
}
