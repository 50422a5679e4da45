// The chart's answer as rows, joined from several answers: earlier stretches when the reader pans, the newest bars as they close.
// Pure data; a bar that is missing stays a hole.
import { WORDS } from '../board/axes';
import type { Axis, Chart, ChartGap, ChartMark, ChartSession } from '../contract';

/** More bars than this are a coarser chart's business (at most 2,000 a view). */
export const BARS_MAX = 2_000;

export interface ChartRow {
  t: number;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
  labels: Record<Axis, string | null>;
  funding: number | null;
  oi: number | null;
  vol: number | null;
  /** Longs and shorts liquidated in the bar, quote units; `null`: nobody listened. */
  liqLong: number | null;
  liqShort: number | null;
}

export interface Bars {
  interval: number;
  rows: ChartRow[];
  gaps: ChartGap[];
  sessions: ChartSession[];
  marks: ChartMark[];
  /** There are bars before the first. */
  more: boolean;
  /** Intervals of which there are bars. */
  offered: readonly string[];
  /** The newest stored moment of the market, epoch seconds. */
  newest: number | null;
}

/** Of a label's code: 0 is UNKNOWN and the others follow in the order of severity, as the board says in its lists. */
function wordOf(axis: Axis, code: number | null | undefined): string | null {
  if (code === null || code === undefined) return null;
  return ['UNKNOWN', ...WORDS[axis].filter((w) => w !== 'UNKNOWN')][code] ?? null;
}

export function barsOf(chart: Chart): Bars {
  const rows = chart.t.map((t, at): ChartRow => ({
    t,
    open: chart.o[at] ?? null,
    high: chart.h[at] ?? null,
    low: chart.l[at] ?? null,
    close: chart.c[at] ?? null,
    volume: chart.v[at] ?? null,
    labels: {
      risk: wordOf('risk', chart.risk[at]),
      trend: wordOf('trend', chart.trend[at]),
      volatility: wordOf('volatility', chart.volatility[at]),
      heat: wordOf('heat', chart.heat[at]),
    },
    funding: chart.funding_8h[at] ?? null,
    oi: chart.oi[at] ?? null,
    vol: chart.vol[at] ?? null,
    liqLong: chart.liq_long[at] ?? null,
    liqShort: chart.liq_short[at] ?? null,
  }));
  return { interval: chart.interval_s, rows, gaps: chart.gaps, sessions: chart.sessions, marks: chart.marks, more: chart.more, offered: chart.offered, newest: chart.newest ?? null };
}

/** Bars and what they belong to: market, interval and moment. */
export interface Held {
  key: string;
  bars: Bars | null;
}

/** What is held after an answer to the question of `key`: joined to what belongs to it, left out where something else is held. */
export function heldAfter(held: Held | null, key: string, came: Bars, most?: number): Held | null {
  if (held?.key !== key) return held;
  return { key, bars: held.bars === null ? came : joined(held.bars, came, most) };
}

/** Two stretches as one: where both know a bar the newer answer counts. `more` is of the earlier stretch. Of more bars than `most` the
 * first are let go, with what lies before the others. */
export function joined(old: Bars, next: Bars, most = BARS_MAX): Bars {
  if (old.interval !== next.interval) return old;
  const byTime = new Map(old.rows.map((row) => [row.t, row]));
  for (const row of next.rows) byTime.set(row.t, row);
  const all = [...byTime.values()].sort((a, b) => a.t - b.t);
  const rows = all.slice(-most);
  const start = (rows[0]?.t ?? 0) * 1_000;
  const earlier = (next.rows[0]?.t ?? Infinity) < (old.rows[0]?.t ?? Infinity);
  return {
    interval: old.interval,
    rows,
    gaps: unique([...old.gaps, ...next.gaps], (g) => `${g.metric}${g.from}`).filter((g) => g.until === null || Date.parse(g.until) > start),
    sessions: unique([...old.sessions, ...next.sessions], (s) => s.from).filter((s) => Date.parse(s.until) > start),
    marks: unique([...old.marks, ...next.marks], (m) => `${m.alert_id}${m.at}`).filter((m) => Date.parse(m.at) >= start),
    more: rows.length < all.length || (earlier ? next.more : old.more),
    offered: next.offered,
    newest: Math.max(old.newest ?? -Infinity, next.newest ?? -Infinity),
  };
}

function unique<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}

/** Holes of more bars than this are folded: shown as so few, with their length written into them. */
const FOLD_FROM = 12;
export const FOLDED = 5;

/** The same bars with every hole of the time axis as rows without numbers, so that a gap takes its room on the chart, but no more
 * than one may grasp. */
export function withHoles(rows: readonly ChartRow[], interval: number): ChartRow[] {
  const out: ChartRow[] = [];
  let before: number | null = null;
  for (const row of rows) {
    if (before !== null) {
      const missing = Math.round((row.t - before) / interval) - 1;
      for (let n = 1; n <= (missing > FOLD_FROM ? FOLDED : missing); n += 1) out.push(hole(before + n * interval));
    }
    out.push(row);
    before = row.t;
  }
  return out;
}

function hole(t: number): ChartRow {
  const labels = { risk: null, trend: null, volatility: null, heat: null };
  return { t, open: null, high: null, low: null, close: null, volume: null, labels, funding: null, oi: null, vol: null, liqLong: null, liqShort: null };
}

export interface Hole {
  /** Places of the first and the last row without numbers. */
  from: number;
  to: number;
  /** Epoch seconds: where the last bar before ends, where the first one after begins. */
  since: number;
  until: number;
}

/** Stretches without bars, by their places among rows with holes. */
export function holesOf(rows: readonly ChartRow[], interval: number): Hole[] {
  const out: Hole[] = [];
  rows.forEach((row, at) => {
    if (row.close !== null) return;
    const last = out[out.length - 1];
    if (last && last.to === at - 1) last.to = at;
    else out.push({ from: at, to: at, since: (rows[at - 1]?.t ?? row.t - interval) + interval, until: 0 });
  });
  for (const h of out) h.until = rows[h.to + 1]?.t ?? (rows[h.to]?.t ?? 0) + interval;
  return out;
}

export interface Run {
  from: number;
  to: number;
  label: string;
}

/** Bars of one label in a row, as one: first and last place. */
export function runsOf(rows: readonly ChartRow[], axis: Axis): Run[] {
  const out: Run[] = [];
  rows.forEach((row, at) => {
    const label = row.labels[axis];
    if (label === null) return;
    const last = out[out.length - 1];
    if (last && last.label === label && last.to === at - 1) last.to = at;
    else out.push({ from: at, to: at, label });
  });
  return out;
}
