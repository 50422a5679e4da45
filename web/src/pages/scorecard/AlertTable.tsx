// Labels and detectors as alerts: how many were right, how many events they came before, how early, how many a day.
import type { JSX } from 'preact';
import type { AlertScore } from '../../api/types';
import { said } from '../../format/labels';
import { NONE, fixed, percent, plain } from '../../format/number';
import { Empty } from '../../ui/Answer';
import { TableHead } from '../../ui/TableHead';
import { kindOf } from '../alerts/episodes';
import { EVENTS } from './events';
import { leadText, rightText } from './words';

export function AlertTable({ alerts }: { alerts: readonly AlertScore[] }): JSX.Element {
  if (alerts.length === 0) return <Empty why="No alert has an outcome here yet." />;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="alerts">
      <table class="stacked">
        <TableHead
          of={[
            { name: 'alert' },
            { name: 'followed by' },
            { name: 'right', title: 'alerts that the event followed, with Wilson’s 90 % interval', num: true },
            { name: 'came before', title: 'share of the events that an alert came before, within the horizon', num: true },
            { name: 'lead', title: 'from the alert to the event: median, 10th and 90th percentile', num: true },
            { name: 'per day', title: 'alerts per market and day on which there was something to judge', num: true },
            { name: 'repeats', title: 'share of alerts that opened before the window of the one before was over', num: true },
            { name: 'lift', title: 'how much likelier the event is after the alert than in any window; lower bound in brackets', num: true },
          ]}
        />
        <tbody>
          {alerts.map((alert) => (
            <tr key={`${alert.alert}${alert.event}`} data-row tabIndex={0}>
              <th scope="row" title={alert.alert}>
                {kindOf(alert.alert)?.text ?? said('risk', alert.alert)}
              </th>
              <td data-name="followed by">{EVENTS[alert.event].name}</td>
              <td class="num" data-name="right">{rightText(alert)}</td>
              <td class="num" data-name="came before">{alert.recall === null ? NONE : `${percent(alert.recall, 0)}${alert.events === null || alert.events === undefined ? '' : ` of ${plain(alert.events, 9)}`}`}</td>
              <td class="num" data-name="lead">{leadText(alert)}</td>
              <td class="num" data-name="per day">{plain(alert.per_day, 2)}</td>
              <td class="num" data-name="repeats">{percent(alert.dup_rate, 0)}</td>
              <td class="num" data-name="lift">{alert.lift === null ? NONE : `×${fixed(alert.lift, 1)}${alert.lift_low === null ? '' : ` (${fixed(alert.lift_low, 1)})`}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
