// What the chart draws, in words. Nothing on it is told by colour alone.
import type { JSX } from 'preact';
import { AXES, WORDS } from '../../board/axes';
import { Label } from '../../ui/Label';

const DRAWN = [
  ['candles', 'hollow: the price rose; filled: it fell'],
  ['lines with a name', 'levels, from where they were known: ▼ stops of longs are thought to lie there (dashed), ▲ those of shorts (solid); no sign: a volume node. The pointer reads price, strength and age'],
  ['strip at the right edge', 'where liquidations cluster: the stronger the colour, the more; hatched: longs; plain: shorts'],
  ['bars of liquidations', 'upwards: shorts liquidated; downwards: longs'],
  ['marks above the bars', 'arrow: an alert of HIGH or CRITICAL; dot: a milder one; a number: how many'],
  ['bands behind', 'sessions: ASIAN, LONDON, NY, ROLLOVER'],
  ['hatching', 'a gap: data is missing, nothing is drawn across it; a long one is folded and says how long it is'],
  ['ribbon under the chart', 'the regimes of the bars above it, and the track of the time machine: plain: normal; two lines: chop risk; slanted: squeeze risk; solid: high volatility; dotted: no reading. Behind the veil lies what came later'],
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
