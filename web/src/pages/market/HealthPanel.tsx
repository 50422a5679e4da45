// How healthy the market looks from outside: one number out of its alerts and of how much of its data arrived, and what takes from it.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { marketAddress } from '../../api/market';
import { useResource } from '../../api/resource';
import type { Analysis } from '../../api/types';
import { alertEdition } from '../../board/live';
import { fixed, percent } from '../../format/number';
import { span } from '../../format/time';
import { asOf } from '../../state/place';
import { playing } from '../../state/play';
import { Answer } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { kindOf } from '../alerts/episodes';

const BANDS: Record<string, string> = { GOOD: 'good', WATCH: 'worth a look', POOR: 'poor' };
/** Streams below this share of the last hour are named. */
const WHOLE = 0.995;

/** While recorded time plays it is not asked for: it reads an hour of minutes each time. */
export function HealthPanel({ instrument, minute }: { instrument: string; minute: string | null }): JSX.Element {
  const address = playing.value ? null : withQuery(marketAddress(instrument, 'analysis'), { as_of: asOf.value });
  const checked = useResource<Analysis>(address, { on: `${minute} ${alertEdition.value}` });
  return (
    <Panel title="Health">
      {playing.value ? (
        <p class="muted">Shown when Play pauses.</p>
      ) : (
        <Answer of={checked} lines={3}>
          {({ health }) => {
            if (health.score === null) return <p class="muted">Not known: no stream that the rules read was valid in the last hour.</p>;
            const lost = health.streams.filter((stream) => stream.valid_share < WHOLE);
            return (
              <>
                <p>
                  <b class="num big" data-testid="health">
                    {fixed(Math.floor(health.score), 0)}
                  </b>{' '}
                  of 100{health.band !== null && `, ${BANDS[health.band] ?? ''}`}
                </p>
                <ul class="health">
                  {health.alerts.map((burden) => (
                    <li key={`${burden.pattern} ${burden.trigger} ${burden.closed_age_s}`}>
                      {kindOf(burden.pattern)?.text ?? burden.pattern}, {burden.severity.toLowerCase()}, score {fixed(burden.anomaly_score, 0)},{' '}
                      {burden.closed_age_s === null ? 'open' : `over for ${span(burden.closed_age_s * 1_000)}`}: <span class="num">−{fixed(burden.points, 1)}</span>
                    </li>
                  ))}
                  {lost.map((stream) => (
                    <li key={`${stream.metric} ${stream.source}`}>
                      {stream.metric.replaceAll('_', ' ')} there for {percent(stream.valid_share, 0)} of the last hour: <span class="num">−{fixed(stream.points, 1)}</span>
                    </li>
                  ))}
                </ul>
                <p class="muted small">
                  {health.alerts.length === 0 ? 'No alert weighs on it' : `Alerts take ${fixed(health.alert_points, 1)} of 70 together`}; {health.patterns_judged} of {health.patterns_judgeable} patterns could be judged
                  {health.band === null && ', too few to call it good'}. It speaks of patterns and data, not of how far the price moves.
                </p>
              </>
            );
          }}
        </Answer>
      )}
    </Panel>
  );
}
