// A skill as a bar: the band, its middle, and the line of zero. The numbers stand beside it.
import type { JSX } from 'preact';
import type { SkillReading } from '../../api/types';
import { NONE } from '../../format/number';
import { barOf, skillText } from './words';

const HEIGHT = 14;

export function SkillBar({ skill, scale, tone }: { skill: SkillReading; scale: number; tone: string }): JSX.Element {
  const bar = barOf(skill, scale);
  if (bar === null) return <span class="none">{NONE}</span>;
  return (
    <span class="skill-cell">
      <svg class={`skill-bar tone-${tone}`} viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" x="0" y="5" width="100" height="4" />
        <rect class="band" x={bar.low} y="2" width={Math.max(0.8, bar.high - bar.low)} height="10" />
        <line class="zero" x1="50" x2="50" y1="0" y2={HEIGHT} />
        <line class="middle" x1={bar.value} x2={bar.value} y1="1" y2="13" />
      </svg>
      <span class="num">{skillText(skill)}</span>
    </span>
  );
}
