// Skill by month, as columns that leave the line of zero. A single month has too few windows for a band, and that is said.
import type { JSX } from 'preact';
import type { components } from '../../api/schema';
import { NONE, percent, plain } from '../../format/number';
import { Empty } from '../../ui/Answer';
import { useWidth } from '../../ui/width';

type Month = components['schemas']['MonthReading'];

const LEFT = 52;
const TOP = 10;
const TALL = 120;
const BOTTOM = 20;

export function Months({ months }: { months: readonly Month[] }): JSX.Element {
  const known = months.flatMap(({ skill_persistence: skill }) => (skill === null ? [] : [Math.abs(skill)]));
  if (known.length === 0) return <Empty why="No month has a skill yet." todo="A reference needs a hundred cases of its own first." />;
  return (
    <>
      <Columns months={months} scale={[0.05, 0.1, 0.2, 0.5].find((end) => end >= Math.max(...known)) ?? 1} />
      <p class="muted small">Skill against persistence. A single month has no band: it shows how steady the skill is, not whether there is one.</p>
    </>
  );
}

function Columns({ months, scale }: { months: readonly Month[]; scale: number }): JSX.Element {
  const [element, width] = useWidth<SVGSVGElement>(440);
  const step = (width - LEFT) / months.length;
  const y = (skill: number): number => TOP + (TALL / 2) * (1 - Math.min(1, Math.max(-1, skill / scale)));
  const last = months.length - 1;
  return (
    <svg ref={element} class="months" height={TOP + TALL + BOTTOM} role="img" aria-label={months.map((month) => `${month.month.slice(0, 7)} ${percent(month.skill_persistence, 1, true)}`).join(', ')}>
      {[1, 0, -1].map((end) => (
        <g key={end}>
          <line class={end === 0 ? 'zero' : 'grid'} x1={LEFT} x2={width} y1={y(end * scale)} y2={y(end * scale)} />
          <text x={LEFT - 6} y={y(end * scale) + 4} text-anchor="end">
            {end === 0 ? '0 %' : percent(end * scale, 0, true)}
          </text>
        </g>
      ))}
      {months.map((month, at) => {
        const x = LEFT + at * step + step * 0.15;
        const skill = month.skill_persistence;
        const wide = Math.min(48, step * 0.7);
        return (
          <g key={month.month}>
            <title>
              {month.month.slice(0, 7)}: {percent(skill, 1, true)} of {plain(month.n, 9)} cases
            </title>
            {skill === null ? (
              <text x={x + wide / 2} y={y(0) - 4} text-anchor="middle">
                {NONE}
              </text>
            ) : (
              <rect class={skill < 0 ? 'tone-red' : 'tone-calm'} x={x} width={wide} y={Math.min(y(0), y(skill))} height={Math.max(1.5, Math.abs(y(skill) - y(0)))} />
            )}
            {(at === 0 || at === last) && (
              <text x={at === last && at > 0 ? width : LEFT} y={TOP + TALL + 16} text-anchor={at === last && at > 0 ? 'end' : 'start'}>
                {month.month.slice(0, 7)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}
