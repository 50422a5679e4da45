// The steps of a recording: each book is one, and so is each moment with trades before the first book, or where there is none.
import type { BookStep, CaseRecording, TapeTrade } from '../../api/types';
import { decimalsOf } from '../../format/number';

export interface Step {
  at: string;
  /** The book that held then; null before the first one. */
  book: BookStep | null;
}

/** Trades beside a ladder. */
const TAPE_SHOWN = 20;

export function stepsOf(of: Pick<CaseRecording, 'books' | 'trades'>): Step[] {
  const moments = new Set<string>([...of.books.map((b) => b.at), ...of.trades.map((t) => t.at)]);
  const ordered = [...moments].sort((a, b) => Date.parse(a) - Date.parse(b) || (a < b ? -1 : 1));
  let next = 0;
  let book: BookStep | null = null;
  return ordered.map((at) => {
    for (let coming = of.books[next]; coming !== undefined && !later(coming.at, at); coming = of.books[next]) {
      book = coming;
      next += 1;
    }
    return { at, book };
  });
}

/** Where the reader begins: at the first step that is not before the moment, else at the last. */
export function firstStep(of: Pick<CaseRecording, 'books' | 'trades' | 'moment'>): number {
  const steps = stepsOf(of);
  const found = steps.findIndex((step) => !later(of.moment, step.at));
  return found === -1 ? Math.max(0, steps.length - 1) : found;
}

/** The newest trades up to a moment, the newest first. */
export function tapeAt(of: Pick<CaseRecording, 'trades'>, until: string): TapeTrade[] {
  return of.trades.filter((trade) => !later(trade.at, until)).slice(-TAPE_SHOWN).reverse();
}

/** Decimals of a recording's prices and quantities, the same in every step: two levels never read alike. */
export function decimalsIn(of: Pick<CaseRecording, 'books' | 'trades'>): { price: number; qty: number } {
  const all = [...of.books.flatMap((book) => [...book.bids, ...book.asks]), ...of.trades];
  return { price: decimalsOf(all.map((one) => one.price)), qty: decimalsOf(all.map((one) => one.qty)) };
}

/** The largest quantity of a book, by which its bars are drawn. */
export function widest(book: BookStep): number {
  return Math.max(Number.MIN_VALUE, ...book.bids.map((l) => l.qty), ...book.asks.map((l) => l.qty));
}

/** "+1.250 s", from the moment an episode began. */
export function offsetText(at: string, moment: string): string {
  const ms = Date.parse(at) - Date.parse(moment);
  return `${ms < 0 ? '−' : '+'}${(Math.abs(ms) / 1000).toFixed(3)} s`;
}

/** What a recording is cut to when it is kept. */
const KEPT = { books: 200, trades: 2000 };

/** What is not shown of a recording: what the JSON export has, and what was received and not kept; empty where that is nothing. */
export function leftOut(of: Pick<CaseRecording, 'books' | 'trades' | 'books_left_out' | 'trades_left_out'>): string {
  const kept = (shown: number, left: number, most: number): number => Math.min(Math.max(0, most - shown), left);
  const books = kept(of.books.length, of.books_left_out, KEPT.books);
  const trades = kept(of.trades.length, of.trades_left_out, KEPT.trades);
  const counted = (b: number, t: number): string =>
    [b > 0 ? `${b} more ${b === 1 ? 'book' : 'books'}` : '', t > 0 ? `${t} more ${t === 1 ? 'trade' : 'trades'}` : ''].filter(Boolean).join(' and ');
  const [more, gone] = [counted(books, trades), counted(of.books_left_out - books, of.trades_left_out - trades)];
  return [more && `In the JSON export: ${more}.`, gone && `Received and not kept: ${gone}.`].filter(Boolean).join(' ');
}

function later(a: string, b: string): boolean {
  const [x, y] = [Date.parse(a), Date.parse(b)];
  return x > y || (x === y && a.length === b.length && a > b);
}
