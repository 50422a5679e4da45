// Signs on buttons, drawn. The word of a button is its label; the sign only finds it faster. Outlines and not elements: an
// element that is kept holds the page it first stood on, and from there every later one.
import type { JSX } from 'preact';

const DRAWN = {
  play: 'M4 2.5v11l9-5.500z',
  pause: 'M4 3h3v10H4zM9.500 3h3v10h-3z',
  back: 'M10.500 3 5.500 8l5 5',
  on: 'm5.500 3 5 5-5 5',
  measure: 'M2 11 11 2l3 3-9 9zM5 9.500 6.500 11M7.500 7 9 8.500M10 4.500 11.500 6',
  line: 'M1.500 8h13M8 3v2.500M8 10.500V13',
  layers: 'M8 2 14.500 5.500 8 9 1.500 5.500zM2 8.500 8 12l6-3.500M2 11.500 8 15l6-3.500',
  wide: 'M5 4 1.500 8 5 12M11 4l3.500 4-3.500 4M2 8h12',
  full: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  share: 'M8 10V2M5 4.500 8 1.500l3 3M3 8v6h10V8',
  bell: 'M3.500 11.500h9L11.500 10V7a3.500 3.500 0 0 0-7 0v3zM6.500 13.500h3',
  remove: 'm4 4 8 8M12 4l-8 8',
} as const;

export type IconName = keyof typeof DRAWN;

const SOLID: ReadonlySet<IconName> = new Set<IconName>(['play', 'pause']);

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon-sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path class={SOLID.has(name) ? 'solid' : undefined} d={DRAWN[name]} />
    </svg>
  );
}
