// One message: what it says, to whom it went, every try with its answer, and the way to send it again.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import { deliveryEdition } from '../../board/live';
import type { DeliveryDetail, DeliveryState } from '../../contract';
import { plain } from '../../format/number';
import { asOf } from '../../state/place';
import { Answer, Refused } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';

/** What has come to an end without being delivered. */
const AGAIN: readonly DeliveryState[] = ['dead', 'expired', 'held_back', 'superseded'];

/** A word of the API as people say it. */
export function stateWords(state: string): string {
  return state === 'dead' ? 'failed' : state.replace('_', ' ');
}

interface Props {
  message: string;
  close: () => void;
}

export function DeliveryDetails({ message, close }: Props): JSX.Element {
  const path = `/api/v1/deliveries/${encodeURIComponent(message)}`;
  const detail = useResource<DeliveryDetail>(path, { on: deliveryEdition.value, forget: true });
  const action = useAction();
  const [said, setSaid] = useState<string | null>(null);
  const replay = async (endpoint: string): Promise<void> => {
    setSaid(null);
    if (!(await action.run(() => send('POST', `${path}/replay`, { endpoint })))) return;
    setSaid(`It goes to ${endpoint} once more.`);
    detail.reload();
  };
  return (
    <Panel
      title="Message"
      aside={
        <>
          <code>{message}</code>
          <button type="button" class="plain" onClick={close}>
            Close
          </button>
        </>
      }
    >
      <Answer of={detail} lines={5}>
        {(data) => <Told data={data} busy={action.busy} replay={(endpoint) => void replay(endpoint)} />}
      </Answer>
      {asOf.value !== null && <p class="muted small">Receivers and tries are as they are now, not at the moment chosen.</p>}
      <Refused error={action.error} />
      <p role="status" class="muted">
        {said}
      </p>
    </Panel>
  );
}

function Said({ name, text }: { name: string; text: string }): JSX.Element | null {
  if (text === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </>
  );
}

function Told({ data, busy, replay }: { data: DeliveryDetail; busy: boolean; replay: (endpoint: string) => void }): JSX.Element {
  const { notice } = data;
  return (
    <>
      <p class="alert-head">
        <Severity of={notice.severity} /> <b>{notice.title}</b> <span class="muted">{notice.phase.replace('_', ' ')}</span>
      </p>
      <p>{notice.text}</p>
      <dl class="facts">
        {notice.figures.map((figure) => (
          <>
            <dt>{figure.name}</dt>
            <dd class="num">
              {figure.value} <span class="muted">limit {figure.threshold}</span>
            </dd>
          </>
        ))}
        <Said name="New entries" text={notice.new_entries} />
        <Said name="Open positions" text={notice.open_positions} />
        <Said name="Clears" text={notice.clears} />
        <dt>Link</dt>
        <dd>
          <a href={notice.path}>the page at that moment</a>
        </dd>
      </dl>
      <h3>Receivers</h3>
      <table class="stacked compact">
        <tbody>
          {data.deliveries.map((row) => (
            <tr key={row.endpoint}>
              <th scope="row">{row.endpoint}</th>
              <td>
                {stateWords(row.state)}
                {row.reason !== '' && <span class="muted">: {row.reason.replaceAll('_', ' ')}</span>}
              </td>
              <td>
                {asOf.value === null && mayOperate.value && AGAIN.includes(row.state) && (
                  <button type="button" class="plain" disabled={busy} onClick={() => replay(row.endpoint)}>
                    Send again
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>Tries</h3>
      {data.attempts.length === 0 ? (
        <p class="muted">None yet.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="table">
          <table class="stacked compact">
            <tbody>
              {data.attempts.map((attempt) => (
                <tr key={`${attempt.endpoint}${attempt.at}`}>
                  <td class="when">
                    <Time at={attempt.at} />
                  </td>
                  <td>{attempt.endpoint}</td>
                  <td class="num">{attempt.status ?? 'no answer'}</td>
                  <td class="num">{plain(attempt.latency_ms)} ms</td>
                  <td>{attempt.outcome.replaceAll('_', ' ')}</td>
                  <td class="muted wrap">{attempt.excerpt}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
