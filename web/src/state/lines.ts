// Horizontal lines and price alerts of the reader, market by market, kept in this browser and nowhere else. An alert is told once: when
// the price comes to the other side of its line. It hears the prices of the board, so that it works on every page of a live process.
import { choice } from './choice';

export interface PriceLine {
  id: string;
  price: number;
  /** It tells when the price crosses it. */
  alert: boolean;
  /** On which side the price was when the alert began to wait: under it, over it, or not known yet. Kept, so that a crossing counts that
      no page saw. */
  under: boolean | null;
}

export type Lines = Readonly<Record<string, readonly PriceLine[]>>;

/** More lines than this on one market are no help. */
export const LINES_MAX = 30;

export function readLines(stored: unknown): Lines {
  if (typeof stored !== 'object' || stored === null) return {};
  const out: Record<string, readonly PriceLine[]> = {};
  for (const [market, list] of Object.entries(stored)) {
    if (!Array.isArray(list)) continue;
    const lines = list.filter((l): l is PriceLine => typeof l?.id === 'string' && Number.isFinite(l?.price) && typeof l?.alert === 'boolean');
    if (lines.length > 0) out[market] = lines.slice(0, LINES_MAX).map(({ id, price, alert, under }) => ({ id, price, alert, under: typeof under === 'boolean' ? under : null }));
  }
  return out;
}

const all = choice('lines', readLines);
export const ownLines = all.value;

export function linesOf(market: string): readonly PriceLine[] {
  return ownLines.value[market] ?? [];
}

function put(market: string, lines: readonly PriceLine[]): void {
  const { [market]: _, ...others } = ownLines.peek();
  all.set(lines.length === 0 ? others : { ...others, [market]: lines });
}

export function addLine(market: string, price: number, alert: boolean): void {
  const lines = ownLines.peek()[market] ?? [];
  const id = `line-${lines.reduce((most, line) => Math.max(most, Number(line.id.slice(5)) || 0), 0) + 1}`;
  put(market, [...lines, { id, price, alert, under: null }].slice(-LINES_MAX));
}

/** A line that is moved or switched waits anew, from whichever side the price is on then. */
export function changeLine(market: string, id: string, patch: Partial<Pick<PriceLine, 'price' | 'alert'>>): void {
  put(market, (ownLines.peek()[market] ?? []).map((line) => (line.id === id ? { ...line, ...patch, under: null } : line)));
}

/** Alerts that do not know their side yet wait from the side on which the price is now. */
export function arm(market: string, now: number): void {
  const waits = (line: PriceLine): boolean => line.alert && line.under === null && line.price !== now;
  const lines = ownLines.peek()[market] ?? [];
  if (lines.some(waits)) put(market, lines.map((line) => (waits(line) ? { ...line, under: now < line.price } : line)));
}

export function removeLine(market: string, id: string): void {
  put(market, (ownLines.peek()[market] ?? []).filter((line) => line.id !== id));
}

/** Which alerts the price has crossed since they began to wait. */
export function crossed(lines: readonly PriceLine[], now: number): PriceLine[] {
  return lines.filter((line) => line.alert && line.under !== null && (line.under ? now >= line.price : now <= line.price));
}
