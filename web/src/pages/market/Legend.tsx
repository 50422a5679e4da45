// What the chart draws, in words. Nothing on it is told by colour alone.
import type { JSX } from 'preact';
import { AXES, WORDS } from '../../board/axes';
import { Label } from '../../ui/Label';

const DRAWN = [
  ['candles', 'hollow: the price rose; filled: it fell'],
  ['lines with a name', 'levels, from where they were known: ▼ dashed: stops of longs, ▲ solid: of shorts; no sign: a volume node. Point at one for strength and age'],
  ['strip at the right edge', 'where liquidations cluster; hatched: longs; plain: shorts'],
  ['bars of liquidations', 'upwards: shorts liquidated; downwards: longs'],
  ['marks above the bars', 'arrow: a high or critical alert; dot: a milder one; a number: how many'],
  ['bands behind', 'sessions: Asia, London, New York, rollover'],
  ['hatching', 'a gap: data is missing; a long one is folded'],
  ['ribbon under the chart', 'the regimes of the bars above it: plain: normal; two lines: chop risk; slanted: squeeze risk; solid: high volatility; dotted: no reading. Veiled: what came later'],
] as const;

export function Legend(): JSX.Element {
  return (
    <details class="chart-legend">
      <summary>What the chart draws</summary>
      <dl class="facts small">
        {AXES.map((axis, at) => (
          <>
            <dt key={axis}>
              ribbon, strip {at + 1}: {axis}
            </dt>
            <dd>
              {WORDS[axis].map((word) => (
                <Label key={word} axis={axis} label={word} />
              ))}
            </dd>
          </>
        ))}
        {DRAWN.map(([what, text]) => (
          <>
            <dt key={what}>{what}</dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
    </details>
  );
}
