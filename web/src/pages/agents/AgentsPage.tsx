// Sessions in which agents were examined: those there are a record of, and what one was worth. Which is shown stands in the address.
import type { JSX } from 'preact';
import { useComputed } from '@preact/signals';
import { useResource } from '../../api/resource';
import type { AgentSessionList, SessionReport } from '../../api/types';
import { count } from '../../format/number';
import { MINUTE } from '../../format/time';
import { serverNow } from '../../state/clock';
import { hrefTo, place } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { TableHead } from '../../ui/TableHead';
import { Time } from '../../ui/Time';
import './agents.css';
import { SessionDetails } from './SessionDetails';

/** A session that is open goes on. */
const AGAIN_MS = MINUTE;

export function AgentsPage(): JSX.Element {
  const id = place.value.params['session'] ?? null;
  return (
    <>
      <h1>Agents</h1>
      <p class="measure muted">
        Sessions in which an agent made forecasts and could see nothing of what came later. Each forecast is scored against the recorded outcome of the same case.
      </p>
      {id === null ? <List /> : <One key={id} id={id} />}
    </>
  );
}

function List(): JSX.Element {
  const turn = useComputed(() => Math.floor(serverNow.value / AGAIN_MS));
  const found = useResource<AgentSessionList>('/api/v1/agent-sessions', { on: turn.value });
  return (
    <Answer of={found} lines={6}>
      {(data) =>
        data.items.length === 0 ? (
          <Empty
            why="No session is on record."
            todo={
              <>
                Begin one with <code>barograph mcp --locked --from 2026-02-01 --until 2026-03-01 --agent NAME</code>, or with a POST to <code>/api/v1/agent-sessions</code>.
              </>
            }
          />
        ) : (
          <Panel title="Sessions">
            <Rows of={data} />
          </Panel>
        )
      }
    </Answer>
  );
}

function Rows({ of }: { of: AgentSessionList }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="table">
      <table class="stacked" data-testid="agent-sessions">
        <TableHead of={[{ name: 'agent' }, { name: 'from' }, { name: 'until' }, { name: 'masked' }, { name: 'calls', num: true }, { name: 'forecasts', num: true }]} />
        <tbody>
          {of.items.map((row) => (
            <tr key={row.id} data-row tabIndex={0}>
              <th scope="row">
                <a href={hrefTo('/agents', { session: row.id })}>{row.agent}</a> <span class="muted small">{row.id}{row.is_open ? ', open' : ''}</span>
              </th>
              <td data-name="from">
                <Time at={row.from} />
              </td>
              <td data-name="until">
                <Time at={row.until} />
              </td>
              <td data-name="masked">{row.is_masked ? 'yes' : 'no'}</td>
              <td data-name="calls" class="num">{row.calls}</td>
              <td data-name="forecasts" class="num">{row.forecasts}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.more && <p class="muted small">The newest {count(of.items.length, 'session')} are shown.</p>}
    </div>
  );
}

function One({ id }: { id: string }): JSX.Element {
  const path = `/api/v1/agent-sessions/${encodeURIComponent(id)}`;
  const found = useResource<SessionReport>(path);
  return (
    <>
      <p class="links">
        <a href={hrefTo('/agents')}>All sessions</a>
        <a href={path} download={`${id}.json`}>JSON</a>
      </p>
      <Answer of={found} lines={12}>
        {(data) => <SessionDetails of={data} />}
      </Answer>
    </>
  );
}
