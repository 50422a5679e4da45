// The evidence of an alert: every statistic against its threshold.
import type { JSX } from 'preact';
import type { Statistic } from '../../api/types';
import { featureText, unitWord } from '../../format/feature';
import { fixed } from '../../format/number';
import type { Names } from './names';

/** What is shown beside the one that decides, at the same threshold, says nothing more. */
const isShown = (one: Statistic, all: readonly Statistic[]): boolean => one.decides || !all.some((other) => other.decides && other.name === one.name && other.threshold === one.threshold);

export function Statistics({ statistics, names }: { statistics: readonly Statistic[]; names: Names }): JSX.Element | null {
  if (statistics.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="table">
      <table class="stacked compact">
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
          {statistics.filter((one) => isShown(one, statistics)).map((statistic) => (
            <tr key={`${statistic.name} ${statistic.threshold}`}>
              <th scope="row" title={statistic.name}>
                {names.spoken(statistic.name)} <span class="muted">{unitWord(statistic.unit)}</span>
                {statistic.uncalibrated && <em class="muted"> uncalibrated</em>}
              </th>
              <td class="num" data-name="value">{statistic.value === null ? (statistic.reason ?? 'no reading').replaceAll('_', ' ') : featureText(statistic.value, statistic.unit)}</td>
              <td class="num" data-name="threshold">{featureText(statistic.threshold, statistic.unit)}</td>
              <td data-name="against it">
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
