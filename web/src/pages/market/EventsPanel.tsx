// What happened in this market lately.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { EventPage } from '../../api/types';
import { alertEdition } from '../../board/live';
import { asOf, hrefTo } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';
import { marketAddress } from '../../api/market';

export function EventsPanel({ instrument }: { instrument: string }): JSX.Element {
  const events = useResource<EventPage>(withQuery(marketAddress(instrument, 'events'), { order: 'desc', limit: 8, as_of: asOf.value }), { on: alertEdition.value });
  return (
    <Panel title="Events" aside={<a href={hrefTo('/alerts', { q: instrument })}>All alerts</a>}>
      <Answer of={events} lines={5}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty why="Nothing has happened here." todo="Events appear when a rule fires or a label changes." />
          ) : (
            <ul class="events">
              {page.items.map((event) => (
                <li key={`${event.alert_id}${event.revision}`} title={event.description}>
                  <span class="muted num">
                    <Time at={event.timestamp} />
                  </span>
                  <Severity of={event.severity} />
                  <span>
                    {event.title} {event.experimental && <span class="muted">experimental </span>}
                    {event.change !== 'HAPPENED' && <span class="muted">{event.change.toLowerCase()}</span>}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}
