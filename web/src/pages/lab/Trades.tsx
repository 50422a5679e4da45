// What calls were worth: the figures of the back-test and the equity curve after costs.
import type { JSX } from 'preact';
import type { LabBacktest } from '../../api/types';
import { percent } from '../../format/number';
import { useWidth } from '../../ui/width';
import { nameOf, show, tradesLead } from './words';

const HEIGHT = 180;
const LEFT = 62;
const TOP = 10;
const BOTTOM = 10;

export function Trades({ of }: { of: LabBacktest }): JSX.Element {
  const figures = Object.entries(of.figures);
  return (
    <>
      <p class="lead">{tradesLead(of)}</p>
      {of.equity.length > 1 && <Equity of={of} />}
      <dl class="facts lab-facts">
        {of.tier !== null && (
          <>
            <dt>tier</dt>
            <dd>{of.tier}</dd>
          </>
        )}
        {figures.map(([name, value]) => (
          <>
            <dt title={nameOf(name).title}>{nameOf(name).name}</dt>
            <dd>{show(name, value)}</dd>
          </>
        ))}
      </dl>
      {of.no_sharpe !== null && <p class="muted small">No Sharpe ratio: {of.no_sharpe}.</p>}
    </>
  );
}

function Equity({ of }: { of: LabBacktest }): JSX.Element {
  const [element, width] = useWidth<SVGSVGElement>(900);
  const values = of.equity.map((point) => point.net);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = high - low || 1;
  const tall = HEIGHT - TOP - BOTTOM;
  const y = (value: number): number => TOP + (tall * (high - value)) / room;
  const x = (at: number): number => LEFT + ((width - LEFT - 4) * at) / Math.max(1, values.length - 1);
  const path = values.map((value, at) => `${at === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const marks = [...new Set([low, 0, high])];
  return (
    <svg ref={element} class="curve lab-equity" height={HEIGHT} role="img" aria-label={`net result after each trade, from ${percent(low, 2)} to ${percent(high, 2)} of the capital, ${percent(values.at(-1), 2, true)} at the end`}>
      {marks.map((mark) => (
        <g key={mark}>
          <line class={mark === 0 ? 'diagonal' : 'grid'} x1={LEFT} x2={width} y1={y(mark)} y2={y(mark)} />
          <text x={LEFT - 6} y={y(mark) + 4} text-anchor="end">
            {percent(mark, 2, true)}
          </text>
        </g>
      ))}
      <path class="steps" d={path} />
    </svg>
  );
}
