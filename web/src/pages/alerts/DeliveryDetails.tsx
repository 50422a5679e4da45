// One message: what it told, to whom, every try with its answer, and the way to send it again.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send } from '../../api/client';
import { useResource } from '../../api/resource';
import type { DeliveryDetail } from '../../contract';
import { asOf } from '../../state/place';
import { Answer, sentence } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';

/** The program has taken the wish; a moment later the receiver has mostly answered. */
const ANSWERED_BY_MS = 1_500;

interface Props {
  message: string;
  close: () => void;
  changed: () => void;
}

export function DeliveryDetails({ message, close, changed }: Props): JSX.Element {
  const detail = useResource<DeliveryDetail>(`/api/v1/deliveries/${encodeURIComponent(message)}`, { forget: true });
  const [said, setSaid] = useState<string | null>(null);
  const look = (): void => {
    detail.reload();
    changed();
  };
  const replay = async (endpoint: string): Promise<void> => {
    try {
      await send('POST', `/api/v1/deliveries/${encodeURIComponent(message)}/replay`, { endpoint });
      setSaid(`It goes to ${endpoint} once more.`);
      look();
      window.setTimeout(look, ANSWERED_BY_MS);
    } catch (error) {
      setSaid(error instanceof RequestError ? sentence(error.message) : String(error));
    }
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
        {(data) => <Told data={data} replay={(endpoint) => void replay(endpoint)} />}
      </Answer>
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

function Told({ data, replay }: { data: DeliveryDetail; replay: (endpoint: string) => void }): JSX.Element {
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
      <table class="compact">
        <tbody>
          {data.deliveries.map((row) => (
            <tr key={row.endpoint}>
              <th scope="row">{row.endpoint}</th>
              <td>
                {row.state}
                {row.reason !== '' && <span class="muted">: {row.reason.replaceAll('_', ' ')}</span>}
              </td>
              <td>
                {asOf.value === null && (row.state === 'dead' || row.state === 'expired') && (
                  <button type="button" class="plain" onClick={() => replay(row.endpoint)}>
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
          <table class="compact">
            <tbody>
              {data.attempts.map((attempt) => (
                <tr key={`${attempt.endpoint}${attempt.at}`}>
                  <td class="when">
                    <Time at={attempt.at} />
                  </td>
                  <td>{attempt.endpoint}</td>
                  <td class="num">{attempt.status ?? 'no answer'}</td>
                  <td class="num">{attempt.latency_ms} ms</td>
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
