// The cascades of the stretch in one picture: a lane a market, a triangle an episode, pointing to where the closed positions pushed the
// price. Each opens its market at that moment.
import type { JSX } from 'preact';
import type { EventView } from '../../api/types';
import { baseOf } from '../../board/decode';
import { compact } from '../../format/number';
import { HOUR, iso, local } from '../../format/time';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { useWidth } from '../../ui/width';
import { LANES_MAX, lanesOf, sizeOf } from './timeline';
import type { Lane, Mark } from './timeline';

interface Props {
  events: readonly EventView[];
  /** Epoch milliseconds. */
  from: number;
  to: number;
}

const LEFT = 84;
const RIGHT = 18;
const LANE = 34;
const TOP = 6;
const BOTTOM = 22;

const SIDES: Readonly<Record<Mark['side'], string>> = { longs: 'longs liquidated', shorts: 'shorts liquidated', both: 'both sides liquidated' };

export function Timeline({ events, from, to }: Props): JSX.Element | null {
  const [element, width] = useWidth<SVGSVGElement>(900);
  const all = lanesOf(events, from, to);
  if (all.length === 0) return null;
  const lanes = all.slice(0, LANES_MAX);
  const most = Math.max(...lanes.flatMap((lane) => lane.marks.map((mark) => mark.usd ?? 0)));
  const height = TOP + lanes.length * LANE + BOTTOM;
  const x = (share: number): number => LEFT + share * (width - LEFT - RIGHT);
  const ticks = width < 600 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  const days = to - from > 26 * HOUR;
  return (
    <>
      <svg ref={element} class="cascade-lanes" viewBox={`0 0 ${width} ${height}`} style={{ height: `${height}px` }} role="group" aria-label="cascades by market and time">
        {ticks.map((share) => {
          const text = local((from + share * (to - from)) / 1000, days ? 0 : to);
          return (
            <g key={share}>
              <line class="grid" x1={x(share)} x2={x(share)} y1={TOP} y2={height - BOTTOM} />
              <text x={x(share)} y={height - 6} text-anchor={share === 1 ? 'end' : share === 0 ? 'start' : 'middle'}>
                {days ? text.slice(5) : text.slice(-5)}
              </text>
            </g>
          );
        })}
        {lanes.map((lane, at) => (
          <LaneOf key={lane.instrument} lane={lane} y={TOP + (at + 0.5) * LANE} x={x} most={most} to={to} />
        ))}
      </svg>
      {all.length > lanes.length && <p class="muted small">And {all.length - lanes.length} more markets with less.</p>}
    </>
  );
}

function LaneOf({ lane, y, x, most, to }: { lane: Lane; y: number; x: (share: number) => number; most: number; to: number }): JSX.Element {
  return (
    <g>
      <text class="lane-of" x="0" y={y + 4}>
        {baseOf(lane.symbol).slice(0, 9)}
        <title>{lane.instrument}</title>
      </text>
      <line class="grid" x1={x(0)} x2={x(1)} y1={y} y2={y} />
      {lane.marks.map((mark) => {
        const words = `${lane.symbol} ${local(mark.event.opened_at, to)}: ${mark.usd === null ? 'amount not known' : `${compact(mark.usd)} USD`}, ${SIDES[mark.side]}, ${mark.event.severity.toLowerCase()}`;
        return (
          <a key={mark.id} href={hrefTo(marketPath(lane.instrument), { as_of: iso(Date.parse(mark.event.opened_at)), interval: '1m' })} aria-label={words} class={`severity-${mark.event.severity.toLowerCase()}`}>
            <title>{words}</title>
            <path d={shapeOf(mark.side, x(mark.at), y, sizeOf(mark.usd, most))} />
          </a>
        );
      })}
    </g>
  );
}

/** Down for longs that were sold, up for shorts that were bought back, a square for both. */
function shapeOf(side: Mark['side'], x: number, y: number, size: number): string {
  const n = (value: number): string => value.toFixed(1);
  if (side === 'both') return `M${n(x - size * 0.8)} ${n(y - size * 0.8)}h${n(size * 1.6)}v${n(size * 1.6)}h${n(-size * 1.6)}z`;
  const tip = side === 'longs' ? 1 : -1;
  return `M${n(x)} ${n(y + tip * size)}L${n(x - size)} ${n(y - tip * size * 0.8)}H${n(x + size)}z`;
}
