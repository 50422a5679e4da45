// Alert marks: at most one a bar, the severest, with how many there were. They stand above the bar; a dot for what is mild. What
// only informs (a session begins, heat turns) has no mark: the bands and the ribbon show it already.
import type { SeriesMarker, Time } from 'lightweight-charts';
import type { ChartMark } from '../contract';
import { severityRank } from '../board/severity';
import type { Colours } from './colours';
import { placeOf } from './background';

/** The mildest that is marked. */
const MARKED_FROM = 1;

function rank(mark: ChartMark): number {
  return severityRank(mark.severity);
}

export function markersOf(marks: readonly ChartMark[], rows: readonly { t: number }[], interval: number, colours: Colours): SeriesMarker<Time>[] {
  const byBar = new Map<number, ChartMark[]>();
  for (const mark of marks) {
    const t = Date.parse(mark.at) / 1000;
    const first = rows[0]?.t;
    if (first === undefined || t < first || rank(mark) < MARKED_FROM) continue;
    const bar = rows[Math.floor(placeOf(rows, t, interval) + 1e-9)] ?? rows[rows.length - 1];
    if (bar) byBar.set(bar.t, [...(byBar.get(bar.t) ?? []), mark]);
  }
  return [...byBar.entries()]
    .sort(([a], [b]) => a - b)
    .map(([t, of]) => {
      const severest = of.reduce((a, b) => (rank(b) > rank(a) ? b : a));
      const strong = rank(severest) >= 3;
      const colour = strong ? (severest.severity === 'CRITICAL' ? colours.purple : colours.red) : rank(severest) === 2 ? colours.amber : colours.none;
      return { time: t as Time, position: 'aboveBar', shape: strong ? 'arrowDown' : 'circle', color: colour, size: strong ? 1 : 0.6, text: of.length > 1 ? String(of.length) : '' };
    });
}

/** The marks of one bar, the severest first: what the reading line names. */
export function marksAt(marks: readonly ChartMark[], t: number, interval: number): ChartMark[] {
  return marks.filter((m) => rank(m) >= MARKED_FROM && Math.floor(Date.parse(m.at) / 1000 / interval) * interval === t).sort((a, b) => rank(b) - rank(a));
}
