// Silences: a stretch in which nobody is told of some alerts. Each has an author, a reason and an end.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RequestError, send, withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Silence, Silences } from '../../contract';
import { asOf } from '../../state/place';
import { Answer, Empty, sentence } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { SilenceForm } from './SilenceForm';

export function SilencesPanel(): JSX.Element {
  const silences = useResource<Silences>(withQuery('/api/v1/silences', { all: true, as_of: asOf.value }));
  const [failed, setFailed] = useState<string | null>(null);
  const end = async (id: string): Promise<void> => {
    try {
      await send('DELETE', `/api/v1/silences/${encodeURIComponent(id)}`);
      setFailed(null);
      silences.reload();
    } catch (error) {
      setFailed(error instanceof RequestError ? sentence(error.message) : String(error));
    }
  };
  return (
    <>
      {asOf.value === null && <SilenceForm done={silences.reload} />}
      <Panel title="Silences">
        <Answer of={silences} lines={3}>
          {(data) =>
            data.items.length === 0 ? (
              <Empty why="Nothing is silenced." todo="When a silence ends and its alert still fires, the alert is told again." />
            ) : (
              <div class="scroll" tabIndex={0} role="group" aria-label="table">
                <table>
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
                      <Line key={silence.id} silence={silence} active={active} end={() => void end(silence.id)} />
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
    </>
  );
}

function Line({ silence, active, end }: { silence: Silence; active: boolean; end: () => void }): JSX.Element {
  return (
    <tr class={active ? '' : 'over'}>
      <td>
        {silence.matchers.map((m) => (
          <code key={`${m.label}${m.value}`} class="matcher">
            {m.label}
            {m.op}
            {m.value}
          </code>
        ))}
      </td>
      <td>{silence.reason}</td>
      <td>{silence.author}</td>
      <td class="when">
        <Time at={silence.ends_at} /> {!active && <span class="muted">over</span>}
      </td>
      <td class="num">
        {active && asOf.value === null && (
          <button type="button" class="plain" onClick={end}>
            End now
          </button>
        )}
      </td>
    </tr>
  );
}
