// All markets in one picture: to the right those that move more than they usually do, upwards those whose last hour moves more than
// their day. A dot opens its market; the table below has the same numbers.
import type { ComponentChildren, JSX } from 'preact';
import { baseOf } from '../../board/decode';
import { toneOf } from '../../board/axes';
import { pulse } from '../../board/pulse';
import { rows } from '../../board/store';
import type { Row } from '../../board/store';
import { briefly } from '../../format/labels';
import { fixed, percent, volatility } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Panel } from '../../ui/Panel';
import { useWidth } from '../../ui/width';
import { RATIO_MAX, RATIO_MIN, heightOf, pointsOf } from './points';
import type { Point } from './points';

const HEIGHT = 260;
const LEFT = 44;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 34;

export function Spread({ legend }: { legend: ComponentChildren }): JSX.Element | null {
  void pulse.value;
  const all = rows.value;
  const byName = new Map(all.map((row) => [row.instrument, row]));
  const points = pointsOf(all.map((row) => ({ instrument: row.instrument, day: num(row, 'vol_24h'), hour: num(row, 'vol'), rank: num(row, 'vol_pct_90d') })));
  return (
    <Panel title="Larger than usual, and growing or calming down" aside={legend}>
      {points.length === 0 ? (
        <p class="muted">No market has 14 days of history yet, from which its usual volatility would be known. The table shows what is known.</p>
      ) : (
        <Picture points={points} byName={byName} left={all.length - points.length} />
      )}
    </Panel>
  );
}

function num(row: Row, column: 'vol_24h' | 'vol' | 'vol_pct_90d'): number | null {
  const value = row.peek(column);
  return typeof value === 'number' ? value : null;
}

function Picture({ points, byName, left }: { points: readonly Point[]; byName: ReadonlyMap<string, Row>; left: number }): JSX.Element {
  const [element, width] = useWidth<SVGSVGElement>(900);
  const x = (rank: number): number => LEFT + rank * (width - LEFT - RIGHT);
  const y = (ratio: number): number => TOP + (1 - heightOf(ratio)) * (HEIGHT - TOP - BOTTOM);
  return (
    <>
      <svg ref={element} class="spread" viewBox={`0 0 ${width} ${HEIGHT}`} role="group" aria-label="volatility of all markets: rank among the last 90 days across, last hour over 24 hours upwards">
        {[0, 0.25, 0.5, 0.75, 0.95, 1].map((rank) => (
          <g key={rank}>
            <line class="grid" x1={x(rank)} x2={x(rank)} y1={TOP} y2={HEIGHT - BOTTOM} />
            {(rank !== 0.95 || width > 560) && (
              <text x={x(rank)} y={HEIGHT - BOTTOM + 15} text-anchor={rank === 1 ? 'end' : rank === 0 ? 'start' : 'middle'}>
                {percent(rank, 0)}
              </text>
            )}
          </g>
        ))}
        {[RATIO_MIN, 0.5, 1, 2, RATIO_MAX].map((ratio) => (
          <g key={ratio}>
            <line class={ratio === 1 ? 'grid even' : 'grid'} x1={LEFT} x2={width - RIGHT} y1={y(ratio)} y2={y(ratio)} />
            <text x={LEFT - 6} y={y(ratio) + 4} text-anchor="end">
              ×{ratio < 1 ? fixed(ratio, 2) : fixed(ratio, 0)}
            </text>
          </g>
        ))}
        <text x={(LEFT + width - RIGHT) / 2} y={HEIGHT - 4} text-anchor="middle">
          24 h volatility, rank in its own 90 days
        </text>
        {points.map((point) => (
          <Dot key={point.instrument} point={point} row={byName.get(point.instrument)} x={x(point.rank)} y={y(point.ratio)} end={x(1)} />
        ))}
      </svg>
      <p class="muted small">
        Upwards: volatility of the last hour over that of 24 hours; above ×1 moves grow.
        {left > 0 && ` ${left} ${left === 1 ? 'market is' : 'markets are'} not in the picture: too little history, or no reading.`}
      </p>
    </>
  );
}

function Dot({ point, row, x, y, end }: { point: Point; row: Row | undefined; x: number; y: number; end: number }): JSX.Element | null {
  if (row === undefined) return null;
  const label = row.peekWord('volatility');
  const words = `${row.at.symbol} on ${row.at.venue}: ${briefly('volatility', label).toLowerCase()}, 24 h vol ${volatility(num(row, 'vol_24h'))}, larger than in ${percent(point.rank, 0)} of 90 days, last hour ×${fixed(point.ratio, 1)}`;
  const turned = x > end - 70;
  return (
    <a href={hrefTo(marketPath(point.instrument))} aria-label={words} class={`dot-link tone-${toneOf('volatility', label)}`}>
      <title>{words}</title>
      <circle cx={x} cy={y} r="5" />
      {point.named && (
        <text class="name" x={turned ? x - 8 : x + 8} y={y + 4} text-anchor={turned ? 'end' : 'start'}>
          {baseOf(row.at.symbol)}
        </text>
      )}
    </a>
  );
}
