// Signals under the candles: numbers of the reader's own, and those fetched beside venues. A value stands on a bar where it was known
// by the close, so what a moment of the past uncovers is what was known then. Pure data.
import type { LineData, Time, UTCTimestamp, WhitespaceData } from 'lightweight-charts';
import type { SignalBarsView } from '../api/types';
import type { ChartRow } from './bars';

/** More panes than this leave none of them room to be read. */
export const SIGNALS_MAX = 4;

export interface SignalAt {
  value: number;
  /** The moment it is of, epoch seconds. */
  of: number;
}

export interface SignalLine {
  /** What it is called on the chart: its source too, where another source measures the same. */
  title: string;
  source: string;
  unit: string;
  /** Values and revisions of them, and of how many its owner states, or the server assumes, since when they were known. */
  known: { revisions: number; stated: number; assumed: number };
  /** By the beginning of the bar. */
  at: ReadonlyMap<number, SignalAt>;
}

/** A market's own values and those of every market before them are two items of the answer, and one line. */
export function signalLines(view: SignalBarsView): SignalLine[] {
  const lines: (SignalLine & { name: string; at: Map<number, SignalAt> })[] = [];
  for (const { name, source, unit, revisions, stated, assumed, v, of } of view.items) {
    let line = lines.find((other) => other.name === name && other.source === source);
    if (line === undefined) {
      line = { name, title: name, source, unit: '', known: { revisions: 0, stated: 0, assumed: 0 }, at: new Map() };
      lines.push(line);
    }
    if (unit !== null) line.unit = unit;
    const known = line.known;
    line.known = { revisions: known.revisions + revisions, stated: known.stated + stated, assumed: known.assumed + assumed };
    for (const [place, t] of view.t.entries()) {
      const [value, moment] = [v[place], of[place]];
      if (typeof value === 'number' && typeof moment === 'number') line.at.set(t, { value, of: moment });
    }
  }
  for (const line of lines) {
    if (lines.some((other) => other !== line && other.name === line.name)) line.title = `${line.name} ${line.source}`;
  }
  return lines;
}

/** Since when the values of a line were known, in words. */
export function knownWords({ revisions, stated, assumed }: SignalLine['known']): string {
  const words = [];
  if (assumed > 0) words.push(`when they became known is assumed for ${assumed} of ${revisions} values`);
  if (stated > 0) words.push(`when they became known is stated by their owner for ${stated} of ${revisions} values`);
  return words.length === 0 ? 'known since they arrived' : words.join('; ');
}

/** As the panes draw it: no line goes across bars without a value. */
export function signalPoint(line: SignalLine | undefined, row: ChartRow, next: ChartRow | undefined, colour: string): LineData<Time> | WhitespaceData<Time> {
  const time = row.t as UTCTimestamp;
  const value = line?.at.get(row.t)?.value;
  if (value === undefined) return { time };
  return { time, value, color: next !== undefined && line?.at.has(next.t) === false ? 'transparent' : colour };
}

/** How old the value of a bar was when the bar closed, or is now where it is still open; milliseconds. */
export function ageAt({ of }: SignalAt, row: { t: number }, interval: number, now: number): number {
  return Math.max(0, Math.min((row.t + interval) * 1_000, now) - of * 1_000);
}
