// Colours of the theme for a canvas, which knows no variables: the browser is asked what each of them is at the moment.
import type { Axis } from '../contract';
import { toneOf } from '../board/axes';
import type { Tone } from '../board/axes';

const NAMES = ['surface', 'text', 'muted', 'line', 'line-strong', 'accent', 'calm', 'amber', 'orange', 'red', 'purple', 'none', 'none-soft'] as const;
type Name = (typeof NAMES)[number];

export type Colours = Record<Name, string>;

export function coloursNow(): Colours {
  const probe = document.createElement('span');
  document.body.append(probe);
  const out = {} as Colours;
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    out[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return out;
}

export function toneColour(colours: Colours, axis: Axis, label: string | null): string {
  const tone: Tone = toneOf(axis, label);
  return colours[tone];
}

export function faded(colour: string, alpha: number): string {
  const parts = /rgba?\(([^)]+)\)/.exec(colour)?.[1]?.split(/[\s,/]+/).slice(0, 3);
  return parts ? `rgba(${parts.join(', ')}, ${alpha})` : colour;
}
