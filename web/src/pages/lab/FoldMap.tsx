// Which rows taught and judged: a line a fold, rows from left to right in the order of time. Roles differ by height and hatching, not
// by colour alone; the table below has the numbers.
import type { JSX } from 'preact';
import type { LabFold, LabFoldMap } from '../../api/types';
import { plain } from '../../format/number';
import { TableHead } from '../../ui/TableHead';
import { Time } from '../../ui/Time';
import { useWidth } from '../../ui/width';

const LEFT = 58;
const LINE = 26;
const FOOT = 22;

type Run = readonly [number, number] | readonly number[];

export function FoldMap({ map }: { map: LabFoldMap }): JSX.Element {
  const [element, width] = useWidth<SVGSVGElement>(900);
  const height = map.folds.length * LINE + FOOT;
  const wide = width - LEFT - 2;
  const x = (row: number): number => LEFT + (wide * row) / Math.max(1, map.rows);
  const out = map.hold_out_row;
  return (
    <>
      <ul class="legend small" aria-hidden="true">
        <li>
          <span class="lab-key lab-fit" /> fitted on
        </li>
        <li>
          <span class="lab-key lab-tune" /> tuned by
        </li>
        <li>
          <span class="lab-key lab-test" /> judged on
        </li>
        {out !== null && (
          <li>
            <span class="lab-key lab-hold" /> held out
          </li>
        )}
      </ul>
      <svg ref={element} class="lab-folds" height={height} role="img" aria-label="rows of each fold by what they are for; the table below has the same numbers">
        <defs>
          <pattern id="lab-hold-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="2" height="6" />
          </pattern>
        </defs>
        {out !== null && <rect class="hold" x={x(out)} y={0} width={Math.max(1, x(map.rows) - x(out))} height={map.folds.length * LINE} />}
        {map.folds.map((fold, at) => (
          <Line key={fold.number} fold={fold} y={at * LINE} x={x} />
        ))}
        <line class="grid" x1={LEFT} x2={width} y1={map.folds.length * LINE + 0.5} y2={map.folds.length * LINE + 0.5} />
        <text x={LEFT} y={height - 6}>
          row 0
        </text>
        <text x={width - 2} y={height - 6} text-anchor="end">
          {plain(map.rows, 9)} rows
        </text>
      </svg>
      <div class="scroll" tabIndex={0} role="group" aria-label="folds">
        <table class="stacked" data-testid="lab-folds">
          <TableHead of={[{ name: 'fold' }, { name: 'judged from' }, { name: 'until' }, { name: 'fitted on', num: true }, { name: 'tuned by', num: true }, { name: 'judged on', num: true }]} />
          <tbody>
            {map.folds.map((fold) => (
              <tr key={fold.number}>
                <th scope="row">{fold.number}</th>
                <td data-name="judged from">{fold.test_span === null ? '–' : <Time at={fold.test_span[0]} />}</td>
                <td data-name="until">{fold.test_span === null ? '–' : <Time at={fold.test_span[1]} />}</td>
                {fold.counts.map((n, role) => (
                  <td key={role} class="num" data-name={['fitted on', 'tuned by', 'judged on'][role]}>
                    {plain(n, 9)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">
        Each test block is judged by what was learnt before it; the gap in front of it is the embargo.
        {map.hold_out_from !== null && (
          <>
            {' '}
            Rows from <Time at={map.hold_out_from} /> on are held out: no fold has them.
          </>
        )}
      </p>
    </>
  );
}

function Line({ fold, y, x }: { fold: LabFold; y: number; x: (row: number) => number }): JSX.Element {
  const boxes = (runs: readonly Run[], name: string, top: number, tall: number): JSX.Element[] =>
    runs.map((run) => <rect key={`${name}${run[0]}`} class={name} x={x(run[0] ?? 0)} y={y + top} width={Math.max(1, x(run[1] ?? 0) - x(run[0] ?? 0))} height={tall} />);
  return (
    <g>
      <text x={0} y={y + 17}>
        fold {fold.number}
      </text>
      {boxes(fold.fit, 'fit', 10, 6)}
      {boxes(fold.tune, 'tune', 7, 12)}
      {boxes(fold.test, 'test', 3, 20)}
    </g>
  );
}
