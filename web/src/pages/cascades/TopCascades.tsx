// The five heaviest cascades of the stretch: one line an episode, the severest first.
import type { JSX } from 'preact';
import type { EventView } from '../../api/types';
import { NONE, compact, fixed } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Empty } from '../../ui/Answer';
import { TrustWords, rowOf } from '../../ui/RowState';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';
import { opens } from '../../ui/rowOpen';
import { numberAt, reasonAt, topFive } from './top';

const SIDES: Record<string, string> = { LONG: '▼ longs', SHORT: '▲ shorts', BALANCED: 'both sides' };

export function TopCascades({ events, whole }: { events: readonly EventView[]; whole: boolean }): JSX.Element {
  const top = topFive(events);
  if (top.length === 0) return <Empty why="No cascade in this stretch." todo="That is the usual state: a cascade is many liquidations within a minute, or far more than usual over hours." />;
  return (
    <>
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table class="stacked">
          <thead>
            <tr>
              <th scope="col">severity</th>
              <th scope="col">market</th>
              <th scope="col">began</th>
              <th scope="col">side</th>
              <th scope="col">trigger</th>
              <th scope="col" class="num" title="liquidations within 60 s">
                in a minute
              </th>
              <th scope="col" class="num">
                liquidated USD
              </th>
              <th scope="col" class="num">
                USD per h
              </th>
              <th scope="col" class="num">
                score
              </th>
            </tr>
          </thead>
          <tbody>
            {top.map((event) => (
              <tr key={event.alert_id} data-row tabIndex={0} class="opens" {...opens(hrefAt(event))}>
                <td>
                  <Severity of={event.severity} />
                </td>
                <th scope="row">
                  <a href={hrefAt(event)}>{event.symbol}</a>
                  <TrustWords row={rowOf(event.instrument)} />
                </th>
                <td class="when">
                  <Time at={event.opened_at} />
                </td>
                <td>{SIDES[String(event.data['side_bias'])] ?? NONE}</td>
                <td>{event.trigger ?? NONE}</td>
                <Amount event={event} name="count_60s" of="in a minute" />
                <Amount event={event} name="total_liquidated_usd" of="liquidated USD" />
                <Amount event={event} name="velocity_usd_per_hour" of="USD per h" />
                <td class="num" data-name="score">{event.anomaly_score > 0 ? fixed(event.anomaly_score, 1) : NONE}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!whole && <p class="muted small">Of the newest {events.length} records: the stretch has more than can be weighed here. Choose a shorter one.</p>}
    </>
  );
}

/** Its market at the moment it began. */
function hrefAt(event: EventView): string {
  return hrefTo(marketPath(event.instrument), { as_of: event.opened_at, interval: '1m' });
}

function Amount({ event, name, of }: { event: EventView; name: string; of: string }): JSX.Element {
  const value = numberAt(event, name);
  if (value !== null) return <td class="num" data-name={of}>{compact(value)}</td>;
  return (
    <td class="num none" data-name={of} title={reasonAt(event, name)}>
      {NONE}
    </td>
  );
}
