// Silences: a stretch in which nobody is sent some alerts. Each has an author, a reason and an end.
import type { JSX } from 'preact';
import { useAction } from '../../api/action';
import { send, withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import { deliveryEdition } from '../../board/live';
import type { Endpoints, Silence, Silences } from '../../contract';
import { asOf } from '../../state/place';
import { Answer, Empty, Refused } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { matcherWords } from './matchers';
import { NotHere } from './NotHere';
import { SilenceForm } from './SilenceForm';

export function SilencesPanel(): JSX.Element {
  const silences = useResource<Silences>(withQuery('/api/v1/silences', { all: true, as_of: asOf.value }), { on: deliveryEdition.value });
  const endpoints = useResource<Endpoints>('/api/v1/endpoints', { on: deliveryEdition.value });
  const action = useAction();
  const end = async (id: string): Promise<void> => {
    if (await action.run(() => send('DELETE', `/api/v1/silences/${encodeURIComponent(id)}`))) silences.reload();
  };
  return (
    <>
      {asOf.value === null && mayOperate.value && endpoints.data !== null && (
        <NotHere of={endpoints.data} what="Silences are made">
          <SilenceForm done={silences.reload} />
        </NotHere>
      )}
      {asOf.value === null && <MayNot what="silence alerts" />}
      <Panel title="Silences">
        <Answer of={silences} lines={3}>
          {(data) =>
            data.items.length === 0 ? (
              // What could not be read again is not known to be empty.
              silences.error === null && <Empty why="Nothing is silenced." todo="When a silence ends and its alert still fires, the alert is sent then." />
            ) : (
              <div class="scroll" tabIndex={0} role="group" aria-label="table">
                <table class="stacked">
                  <thead>
                    <tr>
                      <th scope="col">what</th>
                      <th scope="col">why</th>
                      <th scope="col">by</th>
                      <th scope="col">until</th>
                      <td />
                    </tr>
                  </thead>
                  <tbody>
                    {data.items.map(({ silence, active }) => (
                      <Line key={silence.id} silence={silence} active={active} here={endpoints.data?.delivers_here === true} busy={action.busy} end={() => void end(silence.id)} />
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Answer>
        <Refused error={action.error} />
      </Panel>
    </>
  );
}

function Line({ silence, active, here, busy, end }: { silence: Silence; active: boolean; here: boolean; busy: boolean; end: () => void }): JSX.Element {
  return (
    <tr class={active ? '' : 'over'}>
      <td>
        <span title={silence.matchers.map((m) => m.label + m.op + m.value).join(' ')}>{silence.matchers.map(matcherWords).join(', ')}</span>
      </td>
      <td data-name="why">{silence.reason}</td>
      <td data-name="by">{silence.author}</td>
      <td data-name="until">
        <Time at={silence.ends_at} /> {!active && <span class="muted">over</span>}
      </td>
      <td class="num">
        {active && here && asOf.value === null && mayOperate.value && (
          <button type="button" class="plain" disabled={busy} onClick={end}>
            End now
          </button>
        )}
      </td>
    </tr>
  );
}
