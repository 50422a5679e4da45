// How often labels change: published ones, and the raw readings behind them.
import type { JSX } from 'preact';
import type { components } from '../../api/schema';
import { NONE, fixed, percent } from '../../format/number';
import { HOUR, span } from '../../format/time';
import { Empty } from '../../ui/Answer';
import { TableHead } from '../../ui/TableHead';

type Stability = components['schemas']['StabilityRow'];

export function LabelTable({ rows }: { rows: readonly Stability[] }): JSX.Element {
  if (rows.length === 0) return <Empty why="No day of labels is over yet." />;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="labels">
      <table class="stacked">
        <TableHead
          of={[
            { name: 'axis' },
            { name: 'changes a day', title: 'changes of the published label per market and day', num: true },
            { name: 'raw readings', title: 'changes of the raw label per market and day', num: true },
            { name: 'an episode lasts', title: 'length of an episode: median and 90th percentile', num: true },
            { name: 'below 15 min', num: true },
            { name: 'market-days', num: true },
          ]}
        />
        <tbody>
          {rows.map((row) => (
            <tr key={row.axis}>
              <th scope="row">{row.axis}</th>
              <td class="num" data-name="changes a day">{fixed(row.flip_rate, 2)}</td>
              <td class="num" data-name="raw readings">{fixed(row.raw_flip_rate, 2)}</td>
              <td class="num" data-name="an episode lasts">{row.episode_h === null ? NONE : `${span((row.episode_h[0] ?? 0) * HOUR)}, 90 % below ${span((row.episode_h[1] ?? 0) * HOUR)}`}</td>
              <td class="num" data-name="below 15 min">{percent(row.short_episodes)}</td>
              <td class="num" data-name="market-days">{fixed(row.days, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
