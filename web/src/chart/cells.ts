// Liquidations over price and time, as cells: bars side by side are a column, a column has a cell for every step of the price that its
// bars went through. A bar's sum has no prices of its own, so it lies evenly over the range that the bar traded in. Where bars are
// missing or nobody listened there is no cell. Pure data.
import type { ChartRow } from './bars';

export interface HeatCell {
  /** Step of the price, counted in steps of its logarithm. */
  step: number;
  /** Reported, quote units. */
  long: number;
  short: number;
}

export interface HeatColumn {
  /** Places of its first and its last bar. */
  from: number;
  to: number;
  /** Epoch seconds: where its first bar begins. */
  t: number;
  /** By price, the lowest first; `null`: nobody listened. */
  cells: HeatCell[] | null;
}

/** The narrowest step, that of the zones: 0.1 % (features §4.8). */
const STEP = 0.001;
const STEPS_MAX = 96;

/** Height of a cell as a step of the logarithm of the price: zones' own, doubled until the bars have room in so many. */
export function stepOf(rows: readonly ChartRow[]): number {
  let [low, high] = [Infinity, 0];
  for (const row of rows) {
    if (row.low !== null && row.low > 0) low = Math.min(low, row.low);
    if (row.high !== null) high = Math.max(high, row.high);
  }
  let step = STEP;
  while (high > low && Math.log(high / low) / step > STEPS_MAX) step *= 2;
  return step;
}

export function edgesOf(cell: { step: number }, step: number): [bottom: number, top: number] {
  return [Math.exp(cell.step * step), Math.exp((cell.step + 1) * step)];
}

interface Known {
  low: number;
  high: number;
  long: number;
  short: number;
}

/** What is known of a bar; `null`: nobody listened, or it has no prices. */
function knownOf({ low, high, liqLong, liqShort }: ChartRow): Known | null {
  if (low === null || high === null || low <= 0 || (liqLong === null && liqShort === null)) return null;
  return { low, high, long: liqLong ?? 0, short: liqShort ?? 0 };
}

function spread(into: Map<number, HeatCell>, { low, high, long, short }: Known, step: number): void {
  const [from, to] = [Math.log(low) / step, Math.log(high) / step];
  const [first, last] = [Math.floor(from), Math.floor(to)];
  for (let at = first; at <= last; at += 1) {
    const share = to > from ? (Math.min(to, at + 1) - Math.max(from, at)) / (to - from) : 1;
    if (share <= 0) continue;
    const cell = into.get(at) ?? { step: at, long: 0, short: 0 };
    cell.long += long * share;
    cell.short += short * share;
    into.set(at, cell);
  }
}

/** Columns of `bars` bars each from the place `from` to before `until`; they begin at multiples of their length in time, so that bars
 * that come in front or behind move none. A hole ends a column, and so does a bar that nobody listened to. */
export function columnsOf(rows: readonly ChartRow[], interval: number, bars: number, step: number, from: number, until: number): HeatColumn[] {
  const out: HeatColumn[] = [];
  const length = interval * bars;
  let cells = new Map<number, HeatCell>();
  let last: HeatColumn | undefined;
  for (let at = from; at < until; at += 1) {
    const row = rows[at];
    if (row === undefined || row.close === null) {
      last = undefined;
      continue;
    }
    const known = knownOf(row);
    if (last === undefined || Math.floor(row.t / length) !== Math.floor(last.t / length) || (last.cells === null) !== (known === null)) {
      cells = new Map();
      last = { from: at, to: at, t: row.t, cells: null };
      out.push(last);
    }
    last.to = at;
    if (known === null) continue;
    spread(cells, known, step);
    last.cells = [...cells.values()];
  }
  for (const column of out) column.cells = column.cells?.filter((c) => c.long > 0 || c.short > 0).sort((a, b) => a.step - b.step) ?? null;
  return out;
}

/** The most that one side has in one cell. */
export function peakOf(columns: readonly HeatColumn[]): number {
  let peak = 0;
  for (const { cells } of columns) for (const { long, short } of cells ?? []) peak = Math.max(peak, long, short);
  return peak;
}

/** How many bars stand in a column, for columns at least `room` wide: a power of two, so that a zoom changes it seldom. */
export function barsIn(spacing: number, room: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(room / Math.max(spacing, 0.1))));
}

/** The column that holds a place, found by halving. */
export function columnAt(columns: readonly HeatColumn[], place: number): HeatColumn | null {
  let [low, high] = [0, columns.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((columns[middle]?.from ?? 0) - 0.5 <= place) low = middle;
    else high = middle - 1;
  }
  const found = columns[low];
  return found !== undefined && place >= found.from - 0.5 && place < found.to + 0.5 ? found : null;
}

export interface ZoneSpan {
  /** Epoch seconds; `until` null: it was still open at the moment shown. */
  from: number;
  until: number | null;
}

/** How long a zone is known to have had these edges: from its last revision until it was used up. Earlier edges are not told. */
export function spanOf(zone: { known_at: string; mitigated_at: string | null }): ZoneSpan {
  return { from: Date.parse(zone.known_at) / 1_000, until: zone.mitigated_at === null ? null : Date.parse(zone.mitigated_at) / 1_000 };
}
