// Every record of an episode: when it opened, was updated, lost its data and closed, each with its number of that moment.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { EventPage, EventView } from '../../api/types';
import { asOf } from '../../state/place';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';
import { figureOf } from './episodes';
import type { Episode } from './episodes';
import type { Names } from './names';

/** More records than an episode of a day has. */
const READ_MAX = 500;
const CHANGE: Record<string, string> = { OPENED: 'opened', UPDATED: 'updated', SUSPENDED: 'data missing', RESUMED: 'data back', CLOSED: 'over', HAPPENED: 'happened' };

export function Records({ episode, names }: { episode: Episode; names: Names }): JSX.Element | null {
  const { newest, records } = episode;
  const all = records.length >= newest.revision;
  const path = `/api/v1/markets/${encodeURIComponent(newest.instrument)}/events`;
  const question = withQuery(path, { pattern: newest.event_type, start: newest.opened_at, limit: READ_MAX, order: 'desc', as_of: asOf.value });
  const found = useResource<EventPage>(all ? null : question, { on: newest.revision });
  if (newest.revision < 2) return null;
  const mine = (found.data?.items ?? []).filter((event) => event.alert_id === newest.alert_id);
  const shown: readonly EventView[] = mine.length > records.length ? mine : records;
  return (
    <details class="records">
      <summary>
        {newest.revision} records of this alert
        {shown.length < newest.revision && <span class="muted"> · {found.loading ? 'loading' : `${shown.length} at hand`}</span>}
      </summary>
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table class="stacked compact">
          <tbody>
            {shown.map((event) => (
              <Record key={event.revision} event={event} names={names} />
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function Record({ event, names }: { event: EventView; names: Names }): JSX.Element {
  const figure = figureOf(event, names.spoken);
  return (
    <tr>
      <td class="when muted">
        <Time at={event.timestamp} />
      </td>
      <th scope="row">{CHANGE[event.change] ?? event.change.toLowerCase()}</th>
      <td>
        <Severity of={event.severity} />
      </td>
      <td class="num">{figure === null ? '–' : `${figure.name} ${figure.value}`}</td>
    </tr>
  );
}
