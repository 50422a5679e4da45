// Stated against observed: the curve by isotonic regression (CORP, verification §4.1) with the bins as dots, how many cases stand
// behind each, and the same bins as a table.
import type { JSX } from 'preact';
import type { ScoreRow } from '../../api/types';
import { percent, plain } from '../../format/number';
import { Empty } from '../../ui/Answer';
import { TableHead } from '../../ui/TableHead';
import { useWidth } from '../../ui/width';
import { axisOf } from './words';

const LEFT = 46;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 34;
/** Height of the columns that count cases. */
const COUNTS = 46;
/** Below so many separate windows a bin says little. */
const FEW = 10;

/** What is drawn. */
type Stated = Pick<ScoreRow, 'reliability' | 'curve'>;

export function Reliability({ row }: { row: Stated }): JSX.Element {
  if (row.reliability.length === 0) return <Empty why="No stated probability has resolved yet." />;
  return (
    <>
      {row.curve.length > 0 && <Curve row={row} />}
      <p class="muted small">
        On the diagonal stated and observed agree. The line is the curve by isotonic regression, dots are the bins of the table with their 90 % intervals, hollow below {FEW} separate windows; columns count cases.
      </p>
      <Bins row={row} />
    </>
  );
}

function Curve({ row }: { row: Stated }): JSX.Element {
  const [element, width] = useWidth<SVGSVGElement>(440);
  const end = axisOf(row);
  const side = Math.min(width - LEFT - RIGHT, 420);
  const height = TOP + side + COUNTS + BOTTOM;
  const x = (share: number): number => LEFT + (share / end) * side;
  const y = (share: number): number => TOP + side * (1 - Math.min(share, end) / end);
  const foot = TOP + side + COUNTS;
  const most = Math.max(...row.reliability.map((bin) => bin.n));
  const steps = row.curve.map(({ from, upto, calibrated }, at) => `${at === 0 ? 'M' : 'L'}${x(from).toFixed(1)} ${y(calibrated).toFixed(1)}L${x(upto).toFixed(1)} ${y(calibrated).toFixed(1)}`);
  const wide = Math.max(3, side * (0.1 / end) * 0.5);
  return (
    <svg ref={element} class="curve" height={height} role="img" aria-label="stated against observed probability; the table below has the same numbers">
      {[0, 0.5, 1].map((part) => (
        <g key={part}>
          <line class="grid" x1={LEFT} x2={LEFT + side} y1={y(part * end)} y2={y(part * end)} />
          <line class="grid" x1={x(part * end)} x2={x(part * end)} y1={TOP} y2={TOP + side} />
          <text x={LEFT - 6} y={y(part * end) + 4} text-anchor="end">
            {percent(part * end, 0)}
          </text>
          <text x={x(part * end)} y={foot + 14} text-anchor={part === 1 ? 'end' : 'middle'}>
            {percent(part * end, 0)}
          </text>
        </g>
      ))}
      <text x={LEFT + side / 2} y={foot + 30} text-anchor="middle">
        stated
      </text>
      <text x={12} y={TOP + side / 4} text-anchor="middle" transform={`rotate(-90 12 ${TOP + side / 4})`}>
        happened
      </text>
      <line class="diagonal" x1={x(0)} y1={y(0)} x2={x(end)} y2={y(end)} />
      {row.reliability.map((bin) => (
        <g key={bin.stated} class={bin.n_eff < FEW ? 'few' : ''}>
          <title>
            stated {percent(bin.stated)}, happened {percent(bin.observed)} of {plain(bin.n, 9)} cases
          </title>
          <line class="whisker" x1={x(bin.stated)} x2={x(bin.stated)} y1={y(bin.low)} y2={y(bin.high)} />
          <circle cx={x(bin.stated)} cy={y(bin.observed)} r="4" />
          <rect class="count" x={x(bin.stated) - Math.min(wide, 12) / 2} y={foot - (COUNTS - 10) * (bin.n / most)} width={Math.min(wide, 12)} height={(COUNTS - 10) * (bin.n / most)} />
        </g>
      ))}
      <path class="steps" d={steps.join('')} />
    </svg>
  );
}

function Bins({ row }: { row: Stated }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="bins">
      <table class="bins" data-testid="bins">
        <TableHead
          of={[
            { name: 'stated', num: true },
            { name: 'happened', num: true },
            { name: '90 % interval', title: 'Wilson’s interval on separate windows', num: true },
            { name: 'cases', num: true },
            { name: 'separate', title: 'windows that do not overlap', num: true },
          ]}
        />
        <tbody>
          {row.reliability.map((bin) => (
            <tr key={bin.stated} class={bin.n_eff < FEW ? 'over' : ''}>
              <td class="num">{percent(bin.stated)}</td>
              <td class="num">{percent(bin.observed)}</td>
              <td class="num">
                {percent(bin.low, 0).replace(' %', '')} to {percent(bin.high, 0)}
              </td>
              <td class="num">{plain(bin.n, 9)}</td>
              <td class="num">
                {plain(bin.n_eff, 9)}
                {bin.n_eff < FEW && <span class="unseen"> too few</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
