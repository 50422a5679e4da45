// What the chart draws, in words. Nothing on it is told by colour alone.
import type { JSX } from 'preact';
import { AXES, WORDS } from '../../board/axes';
import { Label } from '../../ui/Label';

const DRAWN = [
  ['candles', 'hollow: the price rose; filled: it fell'],
  ['lines with a name', 'levels, from where they were known: ▼ dashed: stops of longs, ▲ solid: of shorts; no sign: a volume node. Point at one for strength and age'],
  ['cells behind the candles', 'reported liquidations in USD by price and time: the stronger the colour, the more. Hatched, on the left: longs; plain, on the right: shorts. A bar’s sum has no prices of its own and lies evenly over the range of the bar; narrow bars share a column. A grey strip at the top: liquidations were not recorded'],
  ['areas with a dashed edge', 'liquidation zones: a model of where reported liquidations of 7 days clustered, each counting half after 24 hours; not orders that rest there. Strength is a zone’s share of those USD. Drawn from a zone’s last revision, what it was before is not drawn, until it was used up; zones that began up to 60 days back'],
  ['strip at the right edge', 'where liquidations cluster; hatched: longs; plain: shorts'],
  ['bars of liquidations', 'upwards: shorts liquidated; downwards: longs'],
  ['lines in steps below', 'a signal: at each close the newest value known by then, for seven days at most'],
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
