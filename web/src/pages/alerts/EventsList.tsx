// Alerts as a list: open episodes by the last that was known of them, or everything that happened, newest first.
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
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { useHeld } from '../../ui/held';
import { Alert } from './Alert';
import { silenceOf } from './silenced';

/** What is asked for at first, and so many more with each wish, up to what the server gives at once. */
const STEP = 100;
const ASKED_MAX = 1_000;

function fits(event: EventView, needle: string): boolean {
  return needle === '' || `${event.instrument} ${event.symbol} ${event.event_type} ${event.title}`.toLowerCase().includes(needle);
}

export function EventsList({ open }: { open: boolean }): JSX.Element {
  const { params } = place.value;
  const severity = SEVERITIES.find((s) => s === params['severity']) ?? (open ? 'INFO' : 'LOW');
  const needle = (params['q'] ?? '').trim().toLowerCase();
  const [asked, setAsked] = useState(STEP);
  const question = { order: 'desc', severity, open: open ? true : null, as_of: asOf.value };
  const events = useResource<EventPage>(withQuery('/api/v1/events', { ...question, limit: asked }), { on: alertEdition.value });
  const silences = useResource<Silences>(withQuery('/api/v1/silences', { all: true, as_of: asOf.value }), { on: deliveryEdition.value });
  const total = open && severity === 'INFO' ? (header.value?.open_alerts ?? null) : null;
  return (
    <Panel
      title={open ? 'Open alerts' : 'All alerts'}
      aside={
        <>
          <label class="search">
            <span class="unseen">search alerts</span>
            <input type="search" data-search placeholder="Search alerts  /" value={params['q'] ?? ''} onInput={(e) => setParams({ q: e.currentTarget.value })} />
          </label>
          <label>
            <span class="muted">at least </span>
            <select value={severity} onChange={(e) => setParams({ severity: e.currentTarget.value })}>
              {SEVERITIES.map((s) => (
                <option key={s}>{s}</option>
              ))}
            </select>
          </label>
        </>
      }
    >
      <Answer of={events} lines={6}>
        {(page) => {
          const found = page.items.filter((event) => fits(event, needle));
          const more = page.next_cursor !== null;
          return (
            <>
              {found.length > 0 ? (
                <List open={open} found={found} silences={(silences.data?.items ?? []).map((s) => s.silence)} question={`${JSON.stringify(question)} ${needle}`} />
              ) : page.items.length > 0 ? (
                <Empty why={`No alert fits the search${more ? ` among the newest ${page.items.length}` : ''}.`} />
              ) : (
                <Empty why={open ? 'Nothing is open.' : 'Nothing has happened yet.'} todo="Alerts appear here the moment a rule fires." />
              )}
              {(more || page.items.length > STEP) && <Extent read={page.items.length} total={total} more={more} asked={asked} ask={() => setAsked(Math.min(ASKED_MAX, asked + STEP))} />}
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}

interface ListProps {
  open: boolean;
  found: readonly EventView[];
  silences: readonly Silence[];
  question: string;
}

function List({ open, found, silences, question }: ListProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  // An episode keeps its place and its open details over all of its revisions; a record of the past is one revision.
  const keyOf = (event: EventView): string => (open ? event.alert_id : `${event.alert_id}:${event.revision}`);
  const { shown, waiting } = useHeld(list, found, keyOf, question);
  const now = open ? serverNow.peek() : null;
  return (
    <>
      <p class="muted small waiting" role="status">
        {waiting > 0 && `${count(waiting, 'newer alert')} above when the pointer leaves the list.`}
      </p>
      <ul ref={list} class="alerts" aria-live="polite" aria-relevant="additions">
        {shown.map((event) => (
          <Alert key={keyOf(event)} event={event} open={open} silence={silenceOf(event, silences, now ?? Date.parse(event.known_at))} />
        ))}
      </ul>
    </>
  );
}

interface ExtentProps {
  read: number;
  total: number | null;
  more: boolean;
  asked: number;
  ask: () => void;
}

/** How much of the whole is shown, and the way to the rest. */
function Extent({ read, total, more, asked, ask }: ExtentProps): JSX.Element {
  const of = total === null || total < read ? '' : ` of ${count(total, 'open alert')}`;
  return (
    <p class="muted small">
      {more ? `The newest ${read}${of}.` : `All ${read}.`}{' '}
      {more &&
        (asked < ASKED_MAX ? (
          <button type="button" class="plain" onClick={ask}>
            Show {STEP} more
          </button>
        ) : (
          'Narrow them down by severity, or move the time machine to earlier ones.'
        ))}
    </p>
  );
}
