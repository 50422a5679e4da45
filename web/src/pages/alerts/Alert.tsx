// One alert: a line, and behind it what it means, what would clear it, and the evidence: every statistic against its threshold, how
// often this happens, and its limits.
import type { JSX } from 'preact';
import { mayOperate } from '../../api/session';
import type { EventView } from '../../api/types';
import type { Silence } from '../../contract';
import { featureText } from '../../format/feature';
import { fixed, percent, plain } from '../../format/number';
import { utc } from '../../format/time';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { sentence } from '../../ui/Answer';
import { Severity } from '../../ui/Severity';
import { Since, Time } from '../../ui/Time';
import { firedWords } from './fired';

const STATE: Record<string, string> = { OPEN: 'Open', NO_DATA: 'No data: it cannot be seen whether it goes on', CLOSED: 'Over' };

interface Props {
  event: EventView;
  /** The list is of what is open now; else each line is a record of its moment. */
  open: boolean;
  /** The silence that keeps it quiet. */
  silence: Silence | null;
}

export function Alert({ event, open, silence }: Props): JSX.Element {
  return (
    <li class={`alert state-${event.state.toLowerCase()}`}>
      <details>
        <summary data-row>
          <Severity of={event.severity} />
          <b>{event.title}</b>
          <span>{event.asset_pair ?? event.symbol}</span>
          <span class="muted small">{event.instrument.split(':')[0]}</span>
          {silence !== null && (
            <span class="quiet" title={`${silence.author}: ${silence.reason}, until ${utc(silence.ends_at)}`}>
              silenced
            </span>
          )}
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
        <Body event={event} open={open} silence={silence} />
      </details>
    </li>
  );
}

function Body({ event, open, silence }: Props): JSX.Element {
  return (
    <div class="alert-body">
      <p>{event.explanation}</p>
      <dl class="facts">
        <Fact name="New entries" text={event.new_entries} />
        <Fact name="Open positions" text={event.open_positions} />
        <Fact name="Clears" text={event.clears} />
        {silence !== null && (
          <>
            <dt>Silenced</dt>
            <dd>
              by {silence.author} until <Time at={silence.ends_at} />: {silence.reason}
            </dd>
          </>
        )}
      </dl>
      <Statistics event={event} />
      <History event={event} open={open} />
      <p class="links">
        <a href={hrefTo(marketPath(event.instrument), { as_of: event.known_at.replace(/\.\d+Z$/, 'Z') })}>The market at that moment</a>
        {asOf.value === null && mayOperate.value && silence === null && (
          <a href={hrefTo('/alerts', { view: 'silences', event_type: event.event_type, instrument: event.instrument })}>Silence</a>
        )}
      </p>
    </div>
  );
}

function Fact({ name, text }: { name: string; text: string }): JSX.Element | null {
  if (text === '') return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>{sentence(text)}</dd>
    </>
  );
}

/** How long, how often, how sure. */
function History({ event, open }: { event: EventView; open: boolean }): JSX.Element {
  const { base_rate: rate, limits } = event.evidence;
  return (
    <p class="muted small">
      {open ? `${STATE[event.state] ?? event.state}; began` : 'Began'} <Time at={event.opened_at} />
      {event.closed_at !== null && event.closed_at !== event.opened_at && (
        <>
          , over <Time at={event.closed_at} />
        </>
      )}
      {event.anomaly_score > 0 && `; score ${fixed(event.anomaly_score, 1)} of 100`}; {firedWords(rate)}
      {rate.per_day_30d === null ? '' : ` (${plain(rate.per_day_30d, 2)} a day)`}
      {rate.held_share_90d !== null && rate.held_share_90d > 0 ? `, held ${percent(rate.held_share_90d, 1)} of 90 days` : ''}
      {event.inhibited_by !== null && `; not told, for ${event.inhibited_by} tells it already`}
      {limits.length > 0 && `; limits: ${limits.join(', ')}`}.
    </p>
  );
}

function Statistics({ event }: { event: EventView }): JSX.Element | null {
  const { statistics } = event.evidence;
  if (statistics.length === 0) return null;
  return (
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
          {statistics.map((statistic) => (
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
