// The five heaviest cascades of the stretch: one line an episode, the severest first.
import type { JSX } from 'preact';
import type { EventView } from '../../api/types';
import { NONE, compact, fixed } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Empty } from '../../ui/Answer';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';

const ORDER = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
const SIDES: Record<string, string> = { LONG: '▼ longs', SHORT: '▲ shorts', BALANCED: 'both sides' };

function numberAt(event: EventView, name: string): number | null {
  const value = event.data[name];
  return typeof value === 'number' ? value : null;
}

/** The heaviest record of each episode, the heaviest five: an end that says less does not hide what happened. */
export function topFive(events: readonly EventView[], since: number): EventView[] {
  const weight = (e: EventView): number => ORDER.indexOf(e.severity) * 1e15 + (numberAt(e, 'total_liquidated_usd') ?? 0) + e.anomaly_score / 1e3;
  const heaviest = new Map<string, EventView>();
  for (const event of events) {
    const old = heaviest.get(event.alert_id);
    if (Date.parse(event.timestamp) >= since && (!old || weight(old) < weight(event))) heaviest.set(event.alert_id, event);
  }
  return [...heaviest.values()].sort((a, b) => weight(b) - weight(a)).slice(0, 5);
}

export function TopCascades({ events, since }: { events: readonly EventView[]; since: number }): JSX.Element {
  const top = topFive(events, since);
  if (top.length === 0) return <Empty why="No cascade in this stretch." todo="That is the usual state: a cascade is many liquidations within a minute, or far more than usual over hours." />;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="table">
      <table>
        <thead>
          <tr>
            <th scope="col">severity</th>
            <th scope="col">market</th>
            <th scope="col">began</th>
            <th scope="col">side</th>
            <th scope="col">trigger</th>
            <th scope="col" class="num">liquidated USD</th>
            <th scope="col" class="num">USD per h</th>
            <th scope="col" class="num">score</th>
          </tr>
        </thead>
        <tbody>
          {top.map((event) => (
            <tr key={event.alert_id} data-row tabIndex={0}>
              <td>
                <Severity of={event.severity} />
              </td>
              <th scope="row">
                <a href={hrefTo(marketPath(event.instrument), { as_of: event.opened_at, interval: '1m' })}>{event.symbol}</a>
              </th>
              <td class="when">
                <Time at={event.opened_at} />
              </td>
              <td>{SIDES[String(event.data['side_bias'])] ?? '–'}</td>
              <td>{event.trigger ?? '–'}</td>
              <td class="num">{compact(numberAt(event, 'total_liquidated_usd'))}</td>
              <td class="num">{compact(numberAt(event, 'velocity_usd_per_hour'))}</td>
              <td class="num">{event.anomaly_score > 0 ? fixed(event.anomaly_score, 1) : NONE}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
