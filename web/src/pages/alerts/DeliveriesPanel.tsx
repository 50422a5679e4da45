// Deliveries: what was sent where, and how it ended. One can be opened to see every try, and sent again.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import { deliveryEdition } from '../../board/live';
import type { Deliveries, DeliveryState } from '../../contract';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';
import { DeliveryDetails, stateWords } from './DeliveryDetails';

const STATES = ['all', 'waiting', 'grouped', 'delivered', 'superseded', 'held_back', 'expired', 'dead'] as const;
const TONE: Record<DeliveryState, string> = { waiting: 'amber', grouped: 'none', delivered: 'calm', superseded: 'none', held_back: 'amber', expired: 'orange', dead: 'red' };

export function DeliveriesPanel(): JSX.Element {
  const { params } = place.value;
  const state = STATES.find((s) => s === params['state']) ?? 'all';
  const message = params['message'] ?? null;
  const deliveries = useResource<Deliveries>(withQuery('/api/v1/deliveries', { state: state === 'all' ? null : state, limit: 200, as_of: asOf.value }), {
    on: deliveryEdition.value,
  });
  return (
    <>
      {message !== null && <DeliveryDetails message={message} close={() => setParams({ message: null })} />}
      <Panel
        title="Deliveries"
        aside={<Choice name="state" options={STATES.map((s) => [s, stateWords(s)] as const)} value={state} choose={(next) => setParams({ state: next === 'all' ? null : next })} />}
      >
        {asOf.value !== null && <p class="muted small">Messages are those known at the moment chosen; what became of them is as of now.</p>}
        <Answer of={deliveries} lines={6}>
          {(data) =>
            data.items.length === 0 ? (
              <Empty why={state === 'all' ? 'Nothing has been sent yet.' : `No delivery is ${stateWords(state)}.`} todo="Deliveries appear when an alert fires and a receiver is configured." />
            ) : (
              <div class="scroll" tabIndex={0} role="group" aria-label="table">
                <table class="stacked">
                  <thead>
                    <tr>
                      <th scope="col">known</th>
                      <th scope="col">what</th>
                      <th scope="col">to</th>
                      <th scope="col">state</th>
                      <th scope="col" class="num">
                        tries
                      </th>
                      <td />
                    </tr>
                  </thead>
                  <tbody>
                    {data.items.map((row) => (
                      <tr key={`${row.message}${row.endpoint}`} data-row tabIndex={0}>
                        <td class="when muted">
                          <Time at={row.known_at} />
                        </td>
                        <td>
                          <Severity of={row.severity} /> {row.title}
                        </td>
                        <td data-name="to">{row.endpoint}</td>
                        <td>
                          <span class={`dot tone-${TONE[row.state]}`} aria-hidden="true" /> {stateWords(row.state)}
                          {row.reason !== '' && <span class="muted">: {row.reason.replaceAll('_', ' ')}</span>}
                        </td>
                        <td class="num" data-name="tries">{row.attempts}</td>
                        <td class="num">
                          <button type="button" class="plain" onClick={() => setParams({ message: row.message })} aria-label={`open ${row.title}`}>
                            Open
                          </button>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
                {data.next_cursor !== null && <p class="muted small">The newest {data.items.length} are shown. Move the time machine back for earlier ones.</p>}
              </div>
            )
          }
        </Answer>
      </Panel>
    </>
  );
}
