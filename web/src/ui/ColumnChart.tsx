// Columns over time as plain SVG: stacked parts of each column, hatching where nothing is known, a table of the same numbers for
// who cannot see it.
import type { JSX } from 'preact';
import { useWidth } from './width';

export interface Part {
  value: number;
  tone: string;
  name: string;
  /** Told apart from the others by more than its colour. */
  hatched?: boolean;
}

export interface ColumnOf {
  /** What the column is called when pointed at. */
  name: string;
  /** `null`: not known, with the reason. */
  parts: Part[] | null;
  reason?: string;
}

interface Props {
  columns: readonly ColumnOf[];
  /** Some of the names along the bottom: place and text. */
  ticks: readonly (readonly [place: number, text: string])[];
  format: (value: number) => string;
  label: string;
}

const HEIGHT = 240;
const LEFT = 52;
const BOTTOM = 22;
const TOP = 8;

/** A round number at or above the greatest value, so that grid lines have short names. */
export function roundedUp(x: number): number {
  if (x <= 0) return 1;
  const base = 10 ** Math.floor(Math.log10(x));
  const step = [1, 2, 2.5, 5, 10].find((s) => s * base >= x) ?? 10;
  return step * base;
}

export function ColumnChart({ columns, ticks, format, label }: Props): JSX.Element {
  const [element, width] = useWidth<SVGSVGElement>(900);
  const sum = (column: ColumnOf): number => (column.parts ?? []).reduce((all, part) => all + part.value, 0);
  const top = roundedUp(Math.max(0, ...columns.map(sum)));
  const step = (width - LEFT) / Math.max(1, columns.length);
  const tall = HEIGHT - BOTTOM - TOP;
  const tallest = columns.reduce((best, column, at) => (column.parts !== null && sum(column) > (best < 0 ? 0 : sum(columns[best] as ColumnOf)) ? at : best), -1);
  const y = (value: number): number => TOP + tall * (1 - value / top);
  return (
    <svg ref={element} class="column-chart" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      <defs>
        <pattern id="unknown-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="2" height="6" />
        </pattern>
        <pattern id="part-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="2" height="6" />
        </pattern>
      </defs>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line x1={LEFT} x2={width} y1={y(share * top)} y2={y(share * top)} class="grid" />
          <text x={LEFT - 8} y={y(share * top) + 4} text-anchor="end">
            {format(share * top)}
          </text>
        </g>
      ))}
      {columns.map((column, at) => {
        const x = LEFT + at * step + step * 0.12;
        const wide = step * 0.76;
        let base = 0;
        return (
          <g key={at}>
            <title>
              {column.name}
              {column.parts === null ? `: ${column.reason ?? 'not known'}` : column.parts.map((p) => `, ${p.name} ${format(p.value)}`).join('')}
            </title>
            <rect x={LEFT + at * step} y={TOP} width={step} height={tall} class="touch" />
            {column.parts === null ? (
              <rect x={x} y={TOP} width={wide} height={tall} class="unknown" />
            ) : (
              column.parts.map((part) => {
                const from = base;
                base += part.value;
                const height = Math.max(part.value > 0 ? 1.5 : 0, y(from) - y(base));
                const box = { x, y: y(base), width: wide, height };
                return (
                  <g key={part.name}>
                    <rect {...box} class={`tone-${part.tone} solid`} />
                    {part.hatched === true && <rect {...box} class="hatched" />}
                  </g>
                );
              })
            )}
            {at === tallest && (
              <text x={Math.min(width - 24, Math.max(LEFT + 24, x + wide / 2))} y={Math.max(TOP + 10, y(base) - 5)} text-anchor="middle" class="peak">
                {format(base)}
              </text>
            )}
          </g>
        );
      })}
      {ticks.map(([place, text]) => (
        <text key={place} x={LEFT + (place + 0.5) * step} y={HEIGHT - 5} text-anchor="middle">
          {text}
        </text>
      ))}
    </svg>
  );
}
