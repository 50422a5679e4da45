// Alerts as a list: open episodes by the last that was known of them, or everything that happened, newest first.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { EventPage, EventView } from '../../api/types';
import { alertEdition } from '../../board/live';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Alert } from './Alert';

const SEVERITIES = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
const LIMIT = 200;
const STEP = 40;

function fits(event: EventView, needle: string): boolean {
  return needle === '' || `${event.instrument} ${event.symbol} ${event.event_type} ${event.title}`.toLowerCase().includes(needle);
}

export function EventsList({ open }: { open: boolean }): JSX.Element {
  const { params } = place.value;
  const severity = SEVERITIES.find((s) => s === params['severity']) ?? (open ? 'INFO' : 'LOW');
  const needle = (params['q'] ?? '').trim().toLowerCase();
  const [count, setCount] = useState(STEP);
  const events = useResource<EventPage>(withQuery('/api/v1/events', { order: 'desc', limit: LIMIT, severity, open: open ? true : null, as_of: asOf.value }));
  const edition = alertEdition.value;
  useEffect(() => {
    if (edition > 0) events.reload();
  }, [edition]);
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
          const shown = page.items.filter((event) => fits(event, needle));
          if (shown.length === 0) {
            return <Empty why={page.items.length > 0 ? 'No alert fits the search.' : open ? 'Nothing is open.' : 'Nothing has happened yet.'} todo={page.items.length > 0 ? undefined : 'Alerts appear here the moment a rule fires.'} />;
          }
          return (
            <>
              <ul class="alerts" aria-live="polite" aria-relevant="additions">
                {shown.slice(0, count).map((event) => (
                  <Alert key={`${event.alert_id}:${event.revision}`} event={event} open={open} />
                ))}
              </ul>
              {shown.length > count ? (
                <p>
                  <button type="button" class="plain" onClick={() => setCount(count + STEP)}>
                    Show {Math.min(STEP, shown.length - count)} more
                  </button>
                </p>
              ) : (
                page.next_cursor !== null && <p class="muted small">These are the newest {LIMIT}. Earlier ones are a move of the time machine away.</p>
              )}
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}
