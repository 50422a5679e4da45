// One alert: a line, and behind it the evidence: every statistic against its threshold, how often this happens, and its limits.
import type { JSX } from 'preact';
import type { EventView } from '../../api/types';
import { featureText } from '../../format/feature';
import { fixed, percent, plain } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Severity } from '../../ui/Severity';
import { Since, Time } from '../../ui/Time';

const STATE: Record<string, string> = { OPEN: 'open', NO_DATA: 'no data: it cannot be seen whether it goes on', CLOSED: 'over' };

interface Props {
  event: EventView;
  /** The list is of what is open now; else each line is a record of its moment. */
  open: boolean;
}

export function Alert({ event, open }: Props): JSX.Element {
  const { evidence } = event;
  const rate = evidence.base_rate;
  return (
    <li class={`alert state-${event.state.toLowerCase()}`}>
      <details>
        <summary data-row>
          <Severity of={event.severity} />
          <b>{event.title}</b>
          <span>{event.asset_pair ?? event.symbol}</span>
          <span class="muted small">{event.instrument.split(':')[0]}</span>
          <span class="muted num alert-time">
            {open && event.state === 'OPEN' ? (
              <>
                open for <Since at={event.opened_at} />
              </>
            ) : (
              <>
                <Time at={event.timestamp} /> {event.state === 'NO_DATA' ? 'no data' : event.change === 'HAPPENED' ? '' : event.change.toLowerCase()}
              </>
            )}
          </span>
        </summary>
        <div class="alert-body">
          <p>{event.explanation}</p>
          {evidence.statistics.length > 0 && (
            <div class="scroll" tabIndex={0} role="group" aria-label="table">
              <table class="compact">
                <thead>
                  <tr>
                    <th scope="col">statistic</th>
                    <th scope="col" class="num">
                      value
                    </th>
                    <th scope="col" class="num">
                      threshold
                    </th>
                    <th scope="col">against it</th>
                  </tr>
                </thead>
                <tbody>
                  {evidence.statistics.map((statistic) => (
                    <tr key={statistic.name}>
                      <th scope="row">
                        {statistic.name.replaceAll('_', ' ')}
                        {statistic.uncalibrated && <em class="muted"> uncalibrated</em>}
                      </th>
                      <td class="num">{statistic.value === null ? (statistic.reason ?? 'no reading') : featureText(statistic.value, statistic.unit)}</td>
                      <td class="num">{featureText(statistic.threshold, statistic.unit)}</td>
                      <td>
                        <Against u={statistic.u} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p class="muted small">
            {open ? `${STATE[event.state] ?? event.state}; began` : 'Began'} <Time at={event.opened_at} />
            {event.closed_at !== null && event.closed_at !== event.opened_at && (
              <>
                , over <Time at={event.closed_at} />
              </>
            )}
            {event.anomaly_score > 0 && `; score ${fixed(event.anomaly_score, 1)} of 100`}; fired {rate.fired_30d} times in 30 days
            {rate.per_day_30d === null ? '' : ` (${plain(rate.per_day_30d, 2)} a day)`}
            {rate.held_share_90d !== null && rate.held_share_90d > 0 ? `, held ${percent(rate.held_share_90d, 1)} of 90 days` : ''}
            {event.inhibited_by !== null && `; not told, for ${event.inhibited_by} tells it already`}
            {evidence.limits.length > 0 && `; limits: ${evidence.limits.join(', ')}`}.
          </p>
          <p class="links">
            <a href={hrefTo(marketPath(event.instrument), { as_of: event.known_at.replace(/\.\d+Z$/, 'Z') })}>The market at that moment</a>
            <a href={hrefTo('/alerts', { view: 'silences', event_type: event.event_type, instrument: event.instrument })}>Silence</a>
          </p>
        </div>
      </details>
    </li>
  );
}

/** Value over threshold; the mark in the middle is the threshold. */
function Against({ u }: { u: number | null }): JSX.Element {
  if (u === null) return <span class="none">–</span>;
  return (
    <span class="bar-cell">
      <span class="track inline" aria-hidden="true">
        <span class="reach" style={{ left: '0', width: `${Math.min(1, u / 2) * 100}%` }} />
        <span class="limit" style={{ left: '50%' }} />
      </span>
      <span class="num">{fixed(u, 2)}×</span>
    </span>
  );
}
