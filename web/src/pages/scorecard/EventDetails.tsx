// One event in full: what its forecasts amount to, whether stated probabilities came true, month by month, its alerts, and what
// became of every case.
import type { JSX } from 'preact';
import type { ForecastEvent, ScoreRow, Scorecard } from '../../api/types';
import { fixed, percent, plain } from '../../format/number';
import { hrefTo, place } from '../../state/place';
import { Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { AlertTable } from './AlertTable';
import { Months } from './Months';
import { Reliability } from './Reliability';
import { EVENTS, scopeName, windowName } from './events';
import { alertsOf, decision, denominators, headline, rowsOf, skillText } from './words';

interface Props {
  card: Scorecard;
  event: ForecastEvent;
  scope: string;
  window: string;
}

export function EventDetails({ card, event, scope, window }: Props): JSX.Element {
  const { market, window: asked } = place.value.params;
  const row = rowsOf(card, scope, window).find((each) => each.event === event);
  const whole = rowsOf(card, scope, 'all').find((each) => each.event === event);
  const alerts = alertsOf(card, scope, window, event);
  const when = windowName(window);
  return (
    <>
      <Panel title={EVENTS[event].name} id="event" aside={<a href={hrefTo('/scorecard', { market, window: asked })}>All events</a>}>
        <p>
          Whether {EVENTS[event].whether}; {scopeName(scope)}, {when}.
        </p>
        {row === undefined ? (
          <Empty why="No forecasts here in this window." todo="Choose another market or a longer window." />
        ) : (
          <>
            <p class="lead" data-testid="score-headline">
              {headline(row)}.
            </p>
            <Facts row={row} whole={whole} />
          </>
        )}
      </Panel>
      {row !== undefined && (
        <div class="columns">
          <Panel title="Did stated probabilities come true?" id="reliability">
            <Reliability row={row} />
          </Panel>
          <div class="stack">
            <Panel title="Month by month" id="months">
              <Months months={whole?.timeline ?? []} />
            </Panel>
            <Panel title="What became of every case" id="cases">
              <ul class="bullets" data-testid="denominators">
                {denominators(row).map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </Panel>
          </div>
        </div>
      )}
      {alerts.length > 0 && (
        <Panel title="As alerts" id="alerts" aside={<span>over {when}</span>}>
          <AlertTable alerts={alerts} />
        </Panel>
      )}
    </>
  );
}

function Facts({ row, whole }: { row: ScoreRow; whole: ScoreRow | undefined }): JSX.Element {
  const decided = decision(whole);
  const { label } = row;
  return (
    <dl class="facts">
      <dt>against persistence</dt>
      <dd>{skillText(row.persistence)}</dd>
      <dt>against climatology</dt>
      <dd>{skillText(row.climatology)}</dd>
      {row.event !== 'vol_class_24h' && (
        <>
          <dt>happened</dt>
          <dd>in {percent(row.base_rate)} of the scored windows</dd>
        </>
      )}
      <dt>score</dt>
      <dd title="mean squared error of the probabilities; smaller is better">
        {fixed(row.score, 4)}
        {row.persistence.reference_brier !== null && <span class="muted"> persistence {fixed(row.persistence.reference_brier, 4)}</span>}
      </dd>
      {row.ece !== null && (
        <>
          <dt>calibration error</dt>
          <dd title="mean distance of stated and observed over ten bins">{percent(row.ece)}</dd>
        </>
      )}
      {label !== null && (
        <>
          <dt>the label alone</dt>
          <dd>
            said {plain(label.hits + label.false_alarms, 9)} times, right {plain(label.hits, 9)}; missed {plain(label.misses, 9)}
          </dd>
        </>
      )}
      {row.largest_share !== null && row.largest_share < 1 && (
        <>
          <dt>largest market</dt>
          <dd>{percent(row.largest_share, 0)} of the cases</dd>
        </>
      )}
      {decided !== null && (
        <>
          <dt>{row.window === 'all' ? 'decision' : 'decision, of the whole ledger'}</dt>
          <dd>{decided}</dd>
        </>
      )}
    </dl>
  );
}
