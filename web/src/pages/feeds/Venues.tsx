// Venues: connections, lag, and how much of each rate budget is spent.
import type { JSX } from 'preact';
import type { VenueFeedView } from '../../api/types';
import { bytes, compact, count, plain } from '../../format/number';
import { Bar } from '../../ui/Bar';
import { Panel } from '../../ui/Panel';
import { Since, Time } from '../../ui/Time';

export function Venues({ venues }: { venues: readonly VenueFeedView[] }): JSX.Element | null {
  if (venues.length === 0) return null;
  return (
    <div class="columns">
      {venues.map((venue) => (
        <Panel key={venue.venue} title={venue.venue}>
          <dl class="facts num">
            <dt>Connections</dt>
            <dd>
              {venue.traffic.open} of {venue.traffic.wanted} open, {count(venue.traffic.reconnects, 'reconnect')}
            </dd>
            <dt>Received</dt>
            <dd>
              {compact(venue.traffic.frames)} frames, {bytes(venue.traffic.bytes)}
            </dd>
            <dt>Lag</dt>
            <dd>
              {venue.lag === null
                ? 'not measured yet'
                : `p50 ${plain(venue.lag.p50_ms, 3)} ms, p95 ${plain(venue.lag.p95_ms, 3)} ms, p99 ${plain(venue.lag.p99_ms, 3)} ms`}
            </dd>
            {venue.halted_until !== null && (
              <>
                <dt>Halted</dt>
                <dd class="tone-red">
                  until <Time at={venue.halted_until} />
                </dd>
              </>
            )}
            {venue.last_error !== null && (
              <>
                <dt>Last error</dt>
                <dd class="wrap">
                  {venue.last_error.text}
                  {venue.last_error.ts !== null && (
                    <span class="muted">
                      {' '}
                      <Since at={venue.last_error.ts} ago />
                    </span>
                  )}
                </dd>
              </>
            )}
          </dl>
          <h3>Rate budgets</h3>
          <table class="compact">
            <tbody>
              {venue.budgets.map((budget) => (
                <tr key={budget.pool}>
                  <th scope="row">{budget.pool}</th>
                  <td class="half">
                    <Bar value={budget.used + budget.left === 0 ? 0 : budget.used / (budget.used + budget.left)} name={`${budget.pool} spent`} />
                  </td>
                  <td class="num muted">
                    {compact(budget.left)} left{budget.waiting > 0 ? `, ${budget.waiting} waiting` : ''}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Panel>
      ))}
    </div>
  );
}
