// Feeds: what is listened to and how it does. A market can be opened to see its streams over time, gap by gap.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { FeedsView } from '../../api/types';
import { compact, count } from '../../format/number';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Storage } from './Storage';
import { Streams } from './Streams';
import { Timeline } from './Timeline';
import { Venues } from './Venues';

export function FeedsPage(): JSX.Element {
  const feeds = useResource<FeedsView>(withQuery('/api/v1/feeds', { limit: 1000 }));
  const items = feeds.data?.items ?? [];
  const markets = [...new Set(items.map((item) => item.instrument))];
  const wished = place.value.params['market'];
  const market = wished ?? markets[0] ?? null;
  return (
    <>
      <h1>Feeds</h1>
      {asOf.value !== null && <p class="muted">Streams and venues are shown as they are now; the timeline is of the moment chosen.</p>}
      <Answer of={feeds} lines={8}>
        {(data) => (
          <>
            <Counts data={data} />
            {market !== null && <Timeline market={market} markets={markets} choose={(next) => setParams({ market: next })} />}
            {data.items.length === 0 ? (
              <Empty why="Nothing is listened to: this server shows stored history." todo="barograph up listens to venues live; barograph demo shows it offline." />
            ) : (
              <Streams items={data.items} truncated={data.next_cursor !== null} />
            )}
            <Venues venues={data.venues} />
            <Storage data={data} />
          </>
        )}
      </Answer>
    </>
  );
}

const STATES = [
  ['live', 'calm', 'live'],
  ['gap', 'red', 'in a gap'],
  ['resync', 'amber', 'resynchronising'],
  ['stale', 'none', 'stale'],
  ['not_offered', 'none', 'not offered'],
] as const;

function Counts({ data }: { data: FeedsView }): JSX.Element {
  const frames = data.venues.reduce((all, venue) => all + venue.traffic.frames, 0);
  return (
    <Panel title="In short">
      <ul class="legend num">
        {STATES.filter(([state]) => data.counts[state] > 0).map(([state, tone, text]) => (
          <li key={state}>
            <span class={`dot tone-${tone}`} aria-hidden="true" /> <b>{data.counts[state]}</b> {text}
          </li>
        ))}
        <li>
          {count(data.venues.length, 'venue')}, {compact(frames)} frames heard
        </li>
      </ul>
    </Panel>
  );
}
