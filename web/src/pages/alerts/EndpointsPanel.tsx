// Receivers: who is told, and whether telling them works (R4.60).
import type { JSX } from 'preact';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import { deliveryEdition } from '../../board/live';
import type { Endpoints } from '../../contract';
import { asOf } from '../../state/place';
import { Answer, Empty, Refused } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Since } from '../../ui/Time';

type Endpoint = Endpoints['items'][number];

export function EndpointsPanel(): JSX.Element {
  const endpoints = useResource<Endpoints>('/api/v1/endpoints', { on: deliveryEdition.value });
  const action = useAction();
  const enable = async (name: string): Promise<void> => {
    if (await action.run(() => send('POST', `/api/v1/endpoints/${encodeURIComponent(name)}/enable`, {}))) endpoints.reload();
  };
  return (
    <Panel title="Receivers" aside={asOf.value === null ? undefined : <span>as they are now, not at the moment chosen</span>}>
      <Answer of={endpoints} lines={2}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty why="No receivers set up." todo="Add a receiver to barograph.toml, or set WEBHOOKS_ALL, and try it with barograph alerts test NAME." />
          ) : (
            <div class="scroll" tabIndex={0} role="group" aria-label="table">
              <table class="receivers">
                <tbody>
                  {data.items.map((endpoint) => (
                    <Line key={endpoint.name} endpoint={endpoint} busy={action.busy} enable={() => void enable(endpoint.name)} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
      <Refused error={action.error} />
    </Panel>
  );
}

function Line({ endpoint, busy, enable }: { endpoint: Endpoint; busy: boolean; enable: () => void }): JSX.Element {
  return (
    <tr>
      <th scope="row">{endpoint.name}</th>
      <td class="muted">
        {endpoint.format ?? 'not configured here'}
        {endpoint.address === null ? '' : ` at ${endpoint.address}`}
      </td>
      <td>
        {endpoint.disabled !== null ? (
          <span class="tone-red">disabled: {endpoint.disabled}</span>
        ) : endpoint.failing_since !== null ? (
          <span class="tone-amber">
            failing for <Since at={endpoint.failing_since} />
          </span>
        ) : (
          <span class="tone-calm">works</span>
        )}
      </td>
      <td class="num muted">
        {endpoint.delivered_24h} in 24 h
        {endpoint.budget !== null && `, budget ${endpoint.budget}`}
        {endpoint.held_back_24h > 0 && `, ${endpoint.held_back_24h} held back`}
        {endpoint.latency_ms_p50 !== null && `, p50 ${endpoint.latency_ms_p50} ms, p99 ${endpoint.latency_ms_p99 ?? '–'} ms`}
      </td>
      <td class="num muted">{endpoint.waiting > 0 ? `${endpoint.waiting} waiting` : ''}</td>
      <td class="num">
        {endpoint.disabled !== null && asOf.value === null && mayOperate.value && (
          <button type="button" class="plain" disabled={busy} onClick={enable}>
            Enable
          </button>
        )}
      </td>
    </tr>
  );
}
