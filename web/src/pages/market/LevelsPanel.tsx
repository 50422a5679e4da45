// Levels near the price: what they are, how far away, how strong, and since when they are known.
import type { JSX } from 'preact';
import type { Resource } from '../../api/resource';
import type { LevelView } from '../../api/types';
import { shareOf } from '../../chart/levels';
import { levelName } from '../../format/level';
import { percent, price as priceText } from '../../format/number';
import { Answer, Empty } from '../../ui/Answer';
import { Bar } from '../../ui/Bar';
import { Panel } from '../../ui/Panel';
import { Since } from '../../ui/Time';

const EACH_SIDE = 5;

/** Levels of one price, as one line: the strongest speaks, the others lend their names. */
interface Line {
  level: LevelView;
  names: string[];
}

/** The nearest above and below, the highest first. */
export function nearest(levels: readonly LevelView[], price: number): Line[] {
  const lines = new Map<number, Line>();
  for (const level of levels) {
    const line = lines.get(level.price);
    const name = `${levelName(level.type)} ${level.timeframe}`;
    if (!line) lines.set(level.price, { level, names: [name] });
    else {
      if (!line.names.includes(name)) line.names.push(name);
      if (level.strength > line.level.strength) line.level = level;
    }
  }
  const away = (l: Line): number => Math.abs(l.level.price - price);
  const pick = (side: Line[]): Line[] => side.sort((a, b) => away(a) - away(b)).slice(0, EACH_SIDE);
  const above = pick([...lines.values()].filter((l) => l.level.price >= price));
  const below = pick([...lines.values()].filter((l) => l.level.price < price));
  return [...above, ...below].sort((a, b) => b.level.price - a.level.price);
}

/** `end`: of a recording, to which ages are counted. */
export function LevelsPanel({ levels, price, end }: { levels: Resource<LevelView[]>; price: number | null; end: string | null }): JSX.Element {
  return (
    <Panel title="Levels near the price">
      <Answer of={levels} lines={5}>
        {(all) => {
          if (price === null || all.length === 0) {
            return <Empty why="No active levels here." todo="Levels need some hours of bars, and disappear when price trades through them." />;
          }
          const shown = nearest(all, price);
          const strongest = Math.max(...all.map((l) => l.strength));
          return (
            <div class="scroll" tabIndex={0} role="group" aria-label="table">
              <table class="stacked">
                <thead>
                  <tr>
                    <th scope="col">level</th>
                    <th scope="col" class="num">price</th>
                    <th scope="col" class="num">away</th>
                    <th scope="col">strength</th>
                    <th scope="col" class="num">known for</th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map(({ level, names }) => (
                    <tr key={level.level_id}>
                      <th scope="row" class="level-name" title={names.join(', ')}>
                        {names[0]}
                        {names.length > 1 && <span class="muted"> +{names.length - 1}</span>}
                        {level.kind !== 'measured' && <em class="muted"> {level.kind}</em>}
                      </th>
                      <td class="num" data-name="price">{priceText(level.price)}</td>
                      <td class="num" data-name="away">{percent(level.price / price - 1, 2, true)}</td>
                      <td data-name="strength">
                        <Bar value={shareOf(level.strength, strongest)} name={`strength of ${levelName(level.type)}`} bare />
                      </td>
                      <td class="num muted" data-name="known for">
                        <Since at={level.known_at} to={end} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Answer>
    </Panel>
  );
}
