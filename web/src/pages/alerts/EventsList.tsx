// Alerts as a list, one row for each episode: those open now, or everything that happened; the most severe first unless the newest are
// wanted. What is shown is in the address.
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { EventPage, EventView } from '../../api/types';
import { alertEdition, deliveryEdition } from '../../board/live';
import { SEVERITIES } from '../../board/severity';
import { header } from '../../board/store';
import type { Silence, Silences } from '../../contract';
import { count } from '../../format/number';
import { serverNow } from '../../state/clock';
import { asOf, place } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { useHeld } from '../../ui/held';
import { Alert } from './Alert';
import { Filters } from './Filters';
import { episodesOf, kindOf, sorted } from './episodes';
import type { Episode, Sorting } from './episodes';
import { useNames } from './names';
import { silenceOf } from './silenced';

/** As many as the server gives at once. */
const ASKED_MAX = 1_000;

function fits(event: EventView, needle: string): boolean {
  return needle === '' || `${event.instrument} ${event.symbol} ${event.event_type} ${event.title}`.toLowerCase().includes(needle);
}

export function EventsList({ open, below = false }: { open: boolean; below?: boolean }): JSX.Element {
  const { params } = place.value;
  const severity = SEVERITIES.find((s) => s === params['severity']) ?? (open ? 'INFO' : 'LOW');
  const sorting: Sorting = below || params['sort'] === 'newest' ? 'newest' : 'severity';
  const kind = kindOf(params['kind']);
  const market = params['market'] ?? null;
  const needle = (params['q'] ?? '').trim().toLowerCase();
  // Asked for at first, and so many more each time.
  const step = below ? 20 : open ? 100 : 300;
  const [asked, setAsked] = useState<number>(step);
  const of = market === null ? '/api/v1/events' : `/api/v1/markets/${encodeURIComponent(market)}/events`;
  const question = { of, order: 'desc', severity, pattern: kind?.word ?? null, open: open ? true : null, as_of: asOf.value };
  const { of: path, ...query } = question;
  const events = useResource<EventPage>(withQuery(path, { ...query, limit: asked }), { on: alertEdition.value });
  const silences = useResource<Silences>(withQuery('/api/v1/silences', { all: true, as_of: asOf.value }), { on: deliveryEdition.value });
  const unfiltered = open && severity === 'INFO' && market === null && kind === null;
  const total = unfiltered ? (header.value?.open_alerts ?? null) : null;
  const markets = [...new Set((events.data?.items ?? []).map((event) => event.instrument))].sort();
  // A label that turned is news and has no length: in a crash nothing may be open.
  const quiet = unfiltered && needle === '' && events.data?.items.length === 0;
  return (
    <>
      <Panel title={open ? 'Open alerts' : below ? 'Latest alerts' : 'All alerts'} aside={below ? null : <Filters severity={severity} sorting={sorting} kind={kind?.word ?? ''} market={market ?? ''} markets={markets} />}>
        <Answer of={events} lines={6}>
          {(page) => {
            const found = sorted(episodesOf(page.items.filter((event) => fits(event, needle))), sorting);
            const more = page.next_cursor !== null;
            return (
              <>
                {found.length > 0 ? (
                  <List found={found} silences={(silences.data?.items ?? []).map((s) => s.silence)} question={`${JSON.stringify(question)} ${sorting} ${needle}`} open={open} />
                ) : page.items.length > 0 ? (
                  <Empty why={`No alert matches the search${more ? ` among the newest ${page.items.length} records` : ''}.`} />
                ) : market !== null || kind !== null ? (
                  <Empty why="No alert matches these filters." todo="Choose another market, another kind or a lower severity." />
                ) : (
                  <Empty why={open ? 'Nothing is open.' : 'Nothing has happened yet.'} todo={open ? undefined : 'Alerts appear here the moment a rule fires.'} />
                )}
                {(more || page.items.length > step) && <Extent read={page.items.length} episodes={found.length} total={total} more={more} asked={asked} step={step} ask={() => setAsked(Math.min(ASKED_MAX, asked + step))} />}
              </>
            );
          }}
        </Answer>
      </Panel>
      {quiet && <EventsList open={false} below />}
    </>
  );
}

interface ListProps {
  found: readonly Episode[];
  silences: readonly Silence[];
  question: string;
  open: boolean;
}

const keyOf = (episode: Episode): string => episode.key;

function List({ found, silences, question, open }: ListProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const names = useNames();
  // An episode keeps its place and its open details over all of its records.
  const { shown, waiting } = useHeld(list, found, keyOf, question);
  const now = open ? serverNow.peek() : null;
  return (
    <>
      <p class="muted small waiting" role="status">
        {waiting > 0 && `${count(waiting, 'newer alert')} above when the pointer leaves the list.`}
      </p>
      <ul ref={list} class="alerts" aria-live="polite" aria-relevant="additions">
        {shown.map((episode) => (
          <Alert key={episode.key} episode={episode} names={names} silence={silenceOf(episode.newest, silences, now ?? Date.parse(episode.newest.known_at))} />
        ))}
      </ul>
    </>
  );
}

interface ExtentProps {
  read: number;
  episodes: number;
  total: number | null;
  more: boolean;
  asked: number;
  step: number;
  ask: () => void;
}

/** How much of the whole is shown, and the way to the rest. */
function Extent({ read, episodes, total, more, asked, step, ask }: ExtentProps): JSX.Element {
  const of = total === null || total < read ? '' : ` of ${count(total, 'open alert')}`;
  const records = episodes < read ? ` (${count(read, 'record')})` : '';
  return (
    <p class="muted small">
      {more ? `${count(episodes, 'alert')} of the newest${of}${records}.` : `All ${episodes}${records}.`}{' '}
      {more &&
        (asked < ASKED_MAX ? (
          <button type="button" class="plain" onClick={ask}>
            Show {step} more
          </button>
        ) : (
          'Filter by market, kind or severity, or move the time machine.'
        ))}
    </p>
  );
}
