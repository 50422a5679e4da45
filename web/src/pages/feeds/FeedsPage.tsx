// Feeds: what is listened to and how it does, told anew every few seconds while the page is open. A market can be opened to see its
// streams over time, gap by gap; that comes from the store and needs nothing that listens.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { readPages } from '../../api/pages';
import type { Pages } from '../../api/pages';
import { useResource } from '../../api/resource';
import type { FeedsView, LiveStreamView } from '../../api/types';
import { venuesPulse } from '../../board/live';
import { rows } from '../../board/store';
import type { FeedState, FeedsPulse } from '../../contract';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Counts } from './Counts';
import { Storage } from './Storage';
import { Streams } from './Streams';
import { Timeline } from './Timeline';
import { Venues } from './Venues';

/** As many streams as a pulse tells of. */
const PULSE_STREAMS = 200;

export function FeedsPage(): JSX.Element {
  const pulse = venuesPulse.value;
  // Says whether anything listens, and stands in until the first pulse comes; the past has none.
  const feeds = useResource<FeedsView>(withQuery('/api/v1/feeds', { limit: PULSE_STREAMS }));
  // Where nothing listens, the pulse tells of storage alone.
  const nothingListens = pulse === null ? feeds.error?.status === 404 : pulse.venues.length === 0 && pulse.streams.length === 0;
  const shown = pulse ?? (feeds.data === null ? null : pulseOf(feeds.data));
  return (
    <>
      <h1>Feeds</h1>
      {asOf.value !== null && <p class="muted">Streams and venues are shown as they were when this page was opened; the timeline is of the moment chosen.</p>}
      {nothingListens && (
        <Empty why="No venue is connected: this server shows stored history." todo="barograph up records venues live; barograph demo shows it offline." />
      )}
      {!nothingListens && (shown === null ? <Answer of={feeds} lines={2}>{() => null}</Answer> : <Counts pulse={shown} />)}
      <MarketTimeline items={shown?.streams ?? []} />
      {shown !== null && (nothingListens ? <Storage queues={[]} journal={null} storage={shown.storage} /> : <Live pulse={shown} />)}
    </>
  );
}

/** The answer to a plain question in the form of a pulse; how much is stored, it does not say. */
function pulseOf(data: FeedsView): FeedsPulse {
  const { live, gap, resync, stale, not_offered } = data.counts;
  const counts: Partial<Record<FeedState, number>> = { LIVE: live, GAP: gap, RESYNC: resync, STALE: stale, NOT_OFFERED: not_offered };
  const { venues, queues, journal, items } = data;
  return { t: Date.parse(data.ts), counts, venues, queues, journal, storage: { database_bytes: null, lake_bytes: null }, streams: items };
}

function Live({ pulse }: { pulse: FeedsPulse }): JSX.Element {
  const needle = (place.value.params['q'] ?? '').trim().toLowerCase();
  const total = Object.values(pulse.counts).reduce((all, n) => all + n, 0);
  // The pulse brings those that need attention; a search, and the past, which has no pulse, go over all.
  const wanted = total > pulse.streams.length && (needle !== '' || asOf.value !== null);
  const all = useResource<Pages<LiveStreamView>>(wanted ? '/api/v1/feeds?limit=1000' : null, { read: readPages });
  const items = wanted && all.data !== null ? merged(all.data.items, pulse.streams) : pulse.streams;
  return (
    <>
      <Streams items={items} told={pulse.t} total={total} needle={needle} searching={wanted && all.data === null && all.error === null} />
      <Venues venues={pulse.venues} />
      <Storage queues={pulse.queues} journal={pulse.journal} storage={pulse.storage} />
    </>
  );
}

/** Every stream, those that the pulse tells of as it does. */
function merged(all: readonly LiveStreamView[], newer: readonly LiveStreamView[]): LiveStreamView[] {
  const key = (item: LiveStreamView): string => `${item.instrument}|${item.metric}|${item.source}`;
  const told = new Map(newer.map((item) => [key(item), item]));
  return all.map((item) => told.get(key(item)) ?? item);
}

/** Of any market of the board, or of the streams. */
function MarketTimeline({ items }: { items: readonly LiveStreamView[] }): JSX.Element | null {
  const markets = [...new Set([...rows.value.map((row) => row.instrument), ...items.map((item) => item.instrument)])];
  const first = items[0]?.instrument ?? markets[0];
  const market = place.value.params['market'] ?? first;
  if (market === undefined) return null;
  return <Timeline market={market} markets={markets} choose={(next) => setParams({ market: next })} />;
}
