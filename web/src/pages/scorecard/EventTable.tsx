// One line an event: what its forecasts amount to, with the band of the skill drawn on one scale for all.
import type { JSX } from 'preact';
import type { ForecastEvent, ScoreRow } from '../../api/types';
import { percent, plain } from '../../format/number';
import { hrefTo, place } from '../../state/place';
import { TableHead } from '../../ui/TableHead';
import { SkillBar } from './SkillBar';
import { EVENTS } from './events';
import { says, scaleOf, skillText, toneOf } from './words';

export function EventTable({ rows, chosen }: { rows: readonly ScoreRow[]; chosen: ForecastEvent | null }): JSX.Element {
  const scale = scaleOf(rows);
  const { market, window } = place.value.params;
  return (
    <>
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table class="score-table stacked">
          <TableHead
            of={[
              { name: 'event' },
              { name: 'says' },
              { name: 'skill against persistence', title: 'with its 90 % band; the line is zero' },
              { name: 'separate windows', title: 'windows that do not overlap', num: true },
              { name: 'happened', title: 'share of the scored windows in which it happened', num: true },
              { name: 'against climatology', title: 'skill against how often it happened over 180 days, with its 90 % band', num: true },
              { name: 'scored', num: true },
            ]}
          />
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.event}${row.forecaster}`} data-row tabIndex={0} aria-current={row.event === chosen ? 'true' : undefined}>
                <th scope="row" title={`whether ${EVENTS[row.event].whether}`}>
                  <a href={hrefTo('/scorecard', { event: row.event, market, window })}>{EVENTS[row.event].name}</a>
                  {row.forecaster !== 'rules' && <span class="muted small"> {row.forecaster}</span>}
                  <code class="event-id muted">{row.event}</code>
                </th>
                <td>
                  <span class={`tone-${toneOf(row)}`}>{says(row)}</span>
                </td>
                <td>
                  <SkillBar skill={row.persistence} scale={scale} tone={toneOf(row)} />
                </td>
                <td class="num" data-name="separate windows">{plain(row.n_eff, 9)}</td>
                <td class="num" data-name="happened">{row.event === 'vol_class_24h' ? <span class="none" title="four classes, of which one always holds">–</span> : percent(row.base_rate)}</td>
                <td class="num" data-name="against climatology">{skillText(row.climatology)}</td>
                <td class="num" data-name="scored">{plain(row.denominators.scored, 9)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">
        Bars reach from −{scale * 100} to +{scale * 100} %; the line in the middle is zero, the bar the 90 % band.
      </p>
    </>
  );
}
