// What the chart draws, in words: strips, lines, bars at the edge, marks, hatching. Nothing on it is told by colour alone.
import type { JSX } from 'preact';
import { AXES, WORDS } from '../../board/axes';
import { Label } from '../../ui/Label';

const DRAWN = [
  ['lines ▼ and ▲', 'levels, from where they were known: ▼ stops of longs are thought to lie there (dashed), ▲ those of shorts (solid); no sign: a volume node'],
  ['bars at the right edge', 'where liquidations are modelled: ▼ hatched of longs, ▲ plain of shorts; the longer the heavier'],
  ['marks above the bars', 'arrow: an alert of HIGH or CRITICAL; dot: a milder one; a number: how many'],
  ['bands behind', 'sessions: ASIAN, LONDON, NY, ROLLOVER'],
  ['hatching', 'a gap: data is missing, nothing is drawn across it'],
] as const;

export function Legend(): JSX.Element {
  return (
    <details class="chart-legend">
      <summary>What the chart draws</summary>
      <dl class="facts small">
        {AXES.map((axis, at) => (
          <>
            <dt key={axis}>
              strip {at + 1}, {axis}
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
