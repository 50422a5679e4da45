// The signs of UX §2, drawn rather than typed: a font decides how ⇥ or ⚡ looks, and some turn them into pictures. The word always
// stands beside the sign or in its label.
import type { JSX } from 'preact';
import type { Axis } from '../contract';
import { heatSteps, toneOf } from '../board/axes';

/** Outlines, not elements: an element that is kept keeps every page it ever stood on. */
const RISK: Record<string, string> = {
  NORMAL: 'M3 8a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
  CHOP_RISK: 'M2 6.2c2-2.6 4-2.6 6 0s4 2.6 6 0M2 11.2c2-2.6 4-2.6 6 0s4 2.6 6 0',
  SQUEEZE_RISK: 'M2 8h9M7.5 4.2 11.3 8l-3.8 3.8M14 3v10',
  HIGH_VOL: 'M9.6 1 3 9.2h4.2L6 15l7-8.6H8.6z',
  UNKNOWN: 'M5.4 5.6a2.7 2.7 0 1 1 3.6 2.6c-.7.3-1 .8-1 1.8M8 13.2v.1',
};

const TREND: Record<string, string> = {
  STRONG_UPTREND: 'M5 14V3M2.2 5.8 5 3l2.8 2.8M11 14V3M8.2 5.8 11 3l2.8 2.8',
  UPTREND: 'M8 14V3M4.5 6.5 8 3l3.5 3.5',
  SIDEWAYS: 'M2 8h11M9.5 4.5 13 8l-3.5 3.5',
  DOWNTREND: 'M8 2v11M4.5 9.5 8 13l3.5-3.5',
  STRONG_DOWNTREND: 'M5 2v11M2.2 10.2 5 13l2.8-2.8M11 2v11M8.2 10.2 11 13l2.8-2.8',
};

/** How many of four rising bars are filled. */
const VOLATILITY: Record<string, number> = { STABLE: 1, HIGH_VOL: 2, EXPLOSIVE: 3, EXTREME: 4 };

function drawn(axis: Axis, label: string): JSX.Element {
  const filled = axis === 'volatility' ? VOLATILITY[label] : undefined;
  if (filled === undefined) {
    const outline = (axis === 'risk' ? RISK[label] : axis === 'trend' ? TREND[label] : undefined) ?? RISK['UNKNOWN'];
    return <path class={axis === 'risk' && label === 'HIGH_VOL' ? 'solid' : undefined} d={outline} />;
  }
  return (
    <>
      {[0, 1, 2, 3].map((bar) => (
        <rect key={bar} class={bar < filled ? 'solid' : 'hollow'} x={1 + bar * 3.8} y={11 - bar * 3} width="2.6" height={4 + bar * 3} rx="0.8" />
      ))}
    </>
  );
}

export function Sign({ axis, label }: { axis: Axis; label: string | null }): JSX.Element {
  const tone = toneOf(axis, label);
  if (axis === 'heat') {
    const steps = heatSteps(label);
    return (
      <svg class={`sign heat tone-${tone}`} viewBox="0 0 34 16" aria-hidden="true">
        {[0, 1, 2, 3, 4].map((step) => (
          <rect key={step} class={step < steps ? 'solid' : 'hollow'} x={1 + step * 6.6} y={4} width="5" height="8.5" rx="1.2" />
        ))}
      </svg>
    );
  }
  return (
    <svg class={`sign tone-${tone}`} viewBox="0 0 16 16" aria-hidden="true">
      {drawn(axis, label ?? 'UNKNOWN')}
    </svg>
  );
}
