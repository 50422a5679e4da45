// Receivers: who is sent alerts, whether that works (R4.60), what is left of each budget; made, tested and removed here where this
// process delivers.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import { deliveryEdition } from '../../board/live';
import type { Endpoints, SampleView } from '../../contract';
import { plain } from '../../format/number';
import { serverNow } from '../../state/clock';
import { asOf } from '../../state/place';
import { Answer, Empty, Refused } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { Panel } from '../../ui/Panel';
import { Since } from '../../ui/Time';
import { budgetText } from './budget';
import type { Endpoint } from './budget';
import { NotHere } from './NotHere';
import { ReceiverForm } from './ReceiverForm';

export function EndpointsPanel(): JSX.Element {
  const endpoints = useResource<Endpoints>('/api/v1/endpoints', { on: deliveryEdition.value });
  const may = asOf.value === null && mayOperate.value;
  return (
    <Panel title="Receivers" aside={asOf.value === null ? undefined : <span>as they are now, not at the moment chosen</span>}>
      <Answer of={endpoints} lines={2}>
        {(data) => (
          <>
            {data.items.length === 0 ? (
              <Empty why="No receivers set up." todo={data.delivers_here ? 'Add one below, or as a [[receiver]] table in barograph.toml.' : 'Add a receiver to barograph.toml, or set WEBHOOKS_ALL, and try it with barograph alerts test NAME.'} />
            ) : (
              <ul class="receivers">
                {data.items.map((endpoint) => (
                  <Line key={endpoint.name} endpoint={endpoint} may={may && data.delivers_here} reload={endpoints.reload} />
                ))}
              </ul>
            )}
            {may && (
              <NotHere of={data} what="Receivers are set up and tested">
                <ReceiverForm done={endpoints.reload} />
              </NotHere>
            )}
            {asOf.value === null && <MayNot what="set up receivers" />}
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Line({ endpoint, may, reload }: { endpoint: Endpoint; may: boolean; reload: () => void }): JSX.Element {
  const action = useAction();
  const [tried, setTried] = useState<SampleView | null>(null);
  const path = `/api/v1/endpoints/${encodeURIComponent(endpoint.name)}`;
  const act = async (method: string, of: string, body?: unknown): Promise<void> => {
    if (await action.run(() => send(method, of, body))) reload();
  };
  const test = async (): Promise<void> => {
    setTried(null);
    await action.run(async () => setTried(await send<SampleView>('POST', `${path}/test`, {})));
    reload();
  };
  return (
    <li data-row tabIndex={0} data-receiver={endpoint.name}>
      <b>{endpoint.name}</b>
      <span class="muted">
        {endpoint.format ?? 'not configured here'}
        {endpoint.address === null ? '' : ` at ${endpoint.address}`}
      </span>
      <Health endpoint={endpoint} />
      <span class="num">{budgetText(endpoint, serverNow.value)}</span>
      <span class="num muted">
        {plain(endpoint.delivered_24h, 9)} delivered in 24 h
        {endpoint.held_back_24h > 0 && `, ${plain(endpoint.held_back_24h, 9)} held back`}
        {endpoint.waiting > 0 && `, ${endpoint.waiting} waiting`}
        {endpoint.latency_ms_p50 !== null && `, median ${plain(endpoint.latency_ms_p50)} ms, p99 ${plain(endpoint.latency_ms_p99)} ms`}
      </span>
      {may && endpoint.format !== null && (
        <span class="actions">
          <button type="button" class="plain" disabled={action.busy} onClick={() => void test()} aria-label={`Send a test message to ${endpoint.name}`}>
            {action.busy ? 'Sending' : 'Send a test message'}
          </button>
          {endpoint.disabled !== null && (
            <button type="button" class="plain" disabled={action.busy} onClick={() => void act('POST', `${path}/enable`, {})}>
              Enable
            </button>
          )}
          {endpoint.made_here && (
            <button type="button" class="plain" disabled={action.busy} onClick={() => void act('DELETE', path)} aria-label={`Remove ${endpoint.name}`}>
              Remove
            </button>
          )}
        </span>
      )}
      <span class="tried" role="status">
        {tried !== null && <Tried of={tried} />}
      </span>
      <Refused error={action.error} />
    </li>
  );
}

function Health({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  if (endpoint.disabled !== null) return <span class="tone-red">disabled: {endpoint.disabled}</span>;
  if (endpoint.failing_since !== null) {
    return (
      <span class="tone-amber">
        failing for <Since at={endpoint.failing_since} />
      </span>
    );
  }
  return <span class="tone-calm">works</span>;
}

/** What came back of a test message. */
function Tried({ of }: { of: SampleView }): JSX.Element {
  const answer = of.status === null ? `no answer after ${of.latency_ms} ms` : `answered ${of.status} in ${of.latency_ms} ms`;
  return (
    <>
      <span class={of.delivered ? 'tone-calm' : 'tone-red'}>{of.delivered ? 'It arrived' : 'It did not arrive'}</span>: {of.request} {answer}
      {of.reply !== '' && `: ${of.reply}`}
      <details>
        <summary>What was sent</summary>
        <pre class="sent" tabIndex={0}>
          {of.body}
        </pre>
      </details>
    </>
  );
}
