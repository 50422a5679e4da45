// One episode of an alert: a row with what happened, its numbers, what would clear it and how long it goes on; behind it what it means,
// the evidence, and every record that was made of it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { mayOperate } from '../../api/session';
import type { EventView } from '../../api/types';
import type { Silence } from '../../contract';
import { fixed, percent, plain } from '../../format/number';
import { span, utc } from '../../format/time';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { sentence } from '../../ui/Answer';
import { Severity } from '../../ui/Severity';
import { rowOf } from '../../ui/RowState';
import { TellMe } from '../../ui/TellMe';
import { Since, Time } from '../../ui/Time';
import { FileCase } from './FileCase';
import { Followed } from './Followed';
import { figureOf, peakOf, priceOf, sideOf, turnOf } from './episodes';
import type { Episode } from './episodes';
import { firedWords } from './fired';
import type { Names } from './names';
import { Records } from './Records';
import { Statistics } from './Statistics';

interface Props {
  episode: Episode;
  names: Names;
  /** The silence that keeps it quiet. */
  silence: Silence | null;
}

export function Alert({ episode, names, silence }: Props): JSX.Element {
  const { newest } = episode;
  const [opened, setOpened] = useState(false);
  const peak = peakOf(episode);
  const figure = figureOf(peak, names.spoken);
  const [side, at] = [sideOf(newest), priceOf(newest)];
  return (
    <li class={`alert state-${newest.state.toLowerCase()}`}>
      <details onToggle={(e) => setOpened(e.currentTarget.open)}>
        <summary data-row>
          <Severity of={newest.severity} />
          <span class="alert-what">
            <b>{newest.title}</b> <span class="nobreak">{newest.asset_pair ?? newest.symbol}</span> <span class="muted small">{newest.instrument.split(':')[0]}</span>
            {newest.experimental && (
              <span class="quiet" title="How often this is a false alarm on real markets is not measured yet. It is sent to no receiver.">
                experimental
              </span>
            )}
            {silence !== null && (
              <span class="quiet" title={`${silence.author}: ${silence.reason}, until ${utc(silence.ends_at)}`}>
                silenced
              </span>
            )}
          </span>
          <span class="alert-figure num">
            {figure !== null && (
              <>
                <span class="muted">{figure.name}</span> <b>{figure.value}</b>
                {figure.limit !== null && <span class="muted nobreak"> limit {figure.limit}</span>}
              </>
            )}
            {side !== null && <span class="nobreak"> · {side}</span>}
          </span>
          <span class="alert-price num">{at !== null && <><span class="muted">at</span> {at}</>}</span>
          <State newest={newest} />
          <span class="alert-clears muted small">{clearsOf(newest)}</span>
        </summary>
        {opened && <Body episode={episode} names={names} silence={silence} />}
      </details>
    </li>
  );
}

/** What would clear it; of what is over nothing would. */
function clearsOf(event: EventView): string {
  return event.state === 'CLOSED' && event.change !== 'HAPPENED' ? '' : sentence(event.clears === '' ? '–' : event.clears).replace(/^–\.$/, '');
}

function State({ newest }: { newest: EventView }): JSX.Element {
  if (newest.change === 'HAPPENED') {
    return (
      <span class="alert-time num muted">
        <Time at={newest.timestamp} />, <Since at={newest.timestamp} ago />
      </span>
    );
  }
  if (newest.state === 'CLOSED') {
    const [from, until] = [Date.parse(newest.opened_at), Date.parse(newest.closed_at ?? newest.timestamp)];
    return (
      <span class="alert-time num muted">
        over <Time at={newest.closed_at ?? newest.timestamp} />, lasted {span(until - from)}
      </span>
    );
  }
  return (
    <span class="alert-time num">
      {newest.state === 'NO_DATA' ? 'no data, ' : ''}open for <Since at={newest.opened_at} />
    </span>
  );
}

function Body({ episode, names, silence }: Props): JSX.Element {
  const { newest } = episode;
  const turn = turnOf(newest, names.isFeature);
  return (
    <div class="alert-body">
      <p>{newest.explanation}</p>
      <dl class="facts">
        <Fact name="New entries" text={newest.new_entries} />
        <Fact name="Open positions" text={newest.open_positions} />
        {newest.clears !== '' && (
          <>
            <dt>Clears</dt>
            <dd>
              {sentence(newest.clears)} {turn !== null && rowOf(newest.instrument)?.state() !== 'recorded' && <TellMe instrument={newest.instrument} when={turn} />}
            </dd>
          </>
        )}
        {silence !== null && (
          <>
            <dt>Silenced</dt>
            <dd>
              by {silence.author} until <Time at={silence.ends_at} />: {silence.reason}
            </dd>
          </>
        )}
      </dl>
      <Statistics statistics={newest.evidence.statistics} names={names} />
      <Followed alert={newest} />
      <History event={newest} />
      <Records episode={episode} names={names} />
      <p class="links">
        <a href={hrefTo(marketPath(newest.instrument), { as_of: newest.known_at.replace(/\.\d+Z$/, 'Z') })}>The market at that moment</a>
        {asOf.value === null && mayOperate.value && silence === null && (
          <a href={hrefTo('/alerts', { view: 'silences', event_type: newest.event_type, instrument: newest.instrument })}>Silence</a>
        )}
        {asOf.value === null && mayOperate.value && <FileCase alert={newest.alert_id} />}
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
function History({ event }: { event: EventView }): JSX.Element {
  const { base_rate: rate, limits } = event.evidence;
  return (
    <p class="muted small">
      Began <Time at={event.opened_at} />
      {event.change !== 'HAPPENED' && event.closed_at !== null && event.closed_at !== event.opened_at && (
        <>
          , over <Time at={event.closed_at} />
        </>
      )}
      {event.state === 'NO_DATA' && '; an input is missing, so it cannot be seen whether it goes on'}
      {event.anomaly_score > 0 && `; score ${fixed(event.anomaly_score, 1)} of 100`}; {firedWords(rate)}
      {rate.per_day_30d === null ? '' : ` (${plain(rate.per_day_30d, 2)} a day)`}
      {rate.held_share_90d !== null && rate.held_share_90d > 0 ? `, active ${percent(rate.held_share_90d, 1)} of 90 days` : ''}
      {event.inhibited_by !== null && '; not sent: a stronger alert covers it'}
      {limits.length > 0 && `; limits: ${limits.map((limit) => limit.replace(/\.$/, '')).join(', ')}`}.
    </p>
  );
}
