// Has the market changed? Readings of the rules against their own earlier weeks, and how good forecasts were in 30 days.
import type { JSX } from 'preact';
import { useComputed } from '@preact/signals';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { DriftReport, DriftRow } from '../../api/types';
import { NONE, fixed, plain } from '../../format/number';
import { MINUTE } from '../../format/time';
import { serverNow } from '../../state/clock';
import { asOf } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { byMoved, changedText, driftText, rollingText } from './drift';
import { EVENTS, GROUPS } from './events';

/** A week is over once a week and a day once a day. */
const AGAIN_MS = 60 * MINUTE;

export function DriftPanel({ scope }: { scope: string }): JSX.Element {
  const turn = useComputed(() => Math.floor(serverNow.value / AGAIN_MS));
  const isMarket = !GROUPS.some(([id]) => id === scope);
  const asked = { market: isMarket ? scope : null, weeks: '26', as_of: asOf.value };
  const report = useResource<DriftReport>(withQuery('/api/v1/drift', asked), { on: asOf.value === null ? turn.value : null, forget: true });
  return (
    <Panel title="Has the market changed?" id="drift" aside={<span>by week and by month</span>}>
      <p class="measure muted">
        How differently a reading was spread last week than in the 13 weeks before (PSI), held against its own earlier weeks: “changed” is beyond 19 of 20 of them, “shifted” beyond four of five. Changed does not mean worse.
      </p>
      <Answer of={report} lines={6}>
        {(data) => (
          <>
            {data.readings.length === 0 ? (
              <Empty why="No week to compare yet." todo="The first needs seven weeks with at least half of the minutes recorded." />
            ) : (
              <>
                <p class="lead" data-testid="drift-summary">
                  {changedText(data.readings)}
                </p>
                <Moved rows={data.readings} />
              </>
            )}
            <Skills report={data} />
          </>
        )}
      </Answer>
    </Panel>
  );
}

/** What has moved is shown; what has not, or cannot be told yet, waits behind a line. */
function Moved({ rows }: { rows: readonly DriftRow[] }): JSX.Element {
  const [moved, rest] = byMoved(rows);
  return (
    <>
      {moved.length > 0 && <Readings rows={moved} />}
      {rest.length > 0 && (
        <details>
          <summary>{moved.length === 0 ? `all ${rest.length} readings` : `${rest.length} other readings`}</summary>
          <Readings rows={rest} />
        </details>
      )}
    </>
  );
}

function Readings({ rows }: { rows: readonly DriftRow[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="readings">
      <table class="stacked">
        <thead>
          <tr>
            <th scope="col">market</th>
            <th scope="col">reading</th>
            <th scope="col">says</th>
            <th scope="col" class="num" title="population stability index of the week">
              PSI
            </th>
            <th scope="col" class="num" title="19 of 20 earlier weeks lie below this">
              19 of 20 below
            </th>
            <th scope="col" class="num" title="of the last 26 weeks, those that changed">
              changed in half a year
            </th>
            <th scope="col">week ended</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.market}${row.feature}`} data-row tabIndex={0}>
              <td data-name="market">{row.market}</td>
              <th scope="row">{row.feature}</th>
              <td data-name="says">{driftText(row)}</td>
              <td class="num" data-name="PSI">{fixed(row.psi, 2)}</td>
              <td class="num" data-name="19 of 20 below">{row.p95 === null ? NONE : fixed(row.p95, 2)}</td>
              <td class="num" data-name="changed in half a year">{`${row.past.filter((week) => week.word === 'changed').length} of ${row.past.length}`}</td>
              <td data-name="week ended">
                <Time at={row.week_ended} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Skills({ report }: { report: DriftReport }): JSX.Element | null {
  if (report.skills.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="skill of 30 days">
      <table class="stacked">
        <thead>
          <tr>
            <th scope="col">event</th>
            <th scope="col">markets</th>
            <th scope="col" class="num" title="Brier skill over persistence of forecasts resolved in 30 days, 90 % band">
              skill of 30 days
            </th>
            <th scope="col" class="num">
              separate windows
            </th>
          </tr>
        </thead>
        <tbody>
          {report.skills.map((row) => (
            <tr key={`${row.event}${row.group}`}>
              <th scope="row">{EVENTS[row.event].name}</th>
              <td data-name="markets">{row.group}</td>
              <td class="num" data-name="skill of 30 days">{rollingText(row)}</td>
              <td class="num" data-name="separate windows">{plain(row.n_eff, 9)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
