// Receivers: who is told, and whether telling them works (R4.60).
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Endpoints } from '../../contract';
import { asOf } from '../../state/place';
import { Answer, Empty, sentence } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Since } from '../../ui/Time';

export function EndpointsPanel(): JSX.Element {
  const endpoints = useResource<Endpoints>('/api/v1/endpoints');
  const [failed, setFailed] = useState<string | null>(null);
  const enable = async (name: string): Promise<void> => {
    try {
      await send('POST', `/api/v1/endpoints/${encodeURIComponent(name)}/enable`, {});
      setFailed(null);
      endpoints.reload();
    } catch (error) {
      setFailed(error instanceof RequestError ? sentence(error.message) : String(error));
    }
  };
  return (
    <Panel title="Receivers">
      <Answer of={endpoints} lines={2}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty why="Nobody is told." todo="Add a receiver to barograph.toml, or set WEBHOOKS_ALL, and try it with barograph alerts test NAME." />
          ) : (
            <div class="scroll" tabIndex={0} role="group" aria-label="table">
              <table class="receivers">
                <tbody>
                  {data.items.map((endpoint) => (
                    <tr key={endpoint.name}>
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
                        {endpoint.latency_ms_p50 !== null && `, p50 ${endpoint.latency_ms_p50} ms, p99 ${endpoint.latency_ms_p99 ?? '–'} ms`}
                      </td>
                      <td class="num muted">{endpoint.waiting > 0 ? `${endpoint.waiting} waiting` : ''}</td>
                      <td class="num">
                        {endpoint.disabled !== null && asOf.value === null && (
                          <button type="button" class="plain" onClick={() => void enable(endpoint.name)}>
                            Enable
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
      {failed !== null && (
        <p class="failed" role="alert">
          {failed}
        </p>
      )}
    </Panel>
  );
}
