// What the palette offers for what is typed: markets, pages, a moment, actions, in that order of fitting. Pure.
import { matcher } from '../board/find';
import type { Named } from '../board/find';
import { typedMoment } from '../state/typed';

export interface Entry {
  id: string;
  kind: 'market' | 'page' | 'moment' | 'action';
  text: string;
  /** What stands beside it, muted. */
  note: string;
}

export interface Offered {
  id: string;
  text: string;
  note: string;
  /** Further words it is found by. */
  words?: string;
}

const MARKETS_MAX = 8;
const ALL_MAX = 14;

/** Each word of the query begins a word of the text. */
export function wordsFit(query: string, text: string): boolean {
  const have = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => word === '' || have.some((each) => each.startsWith(word)));
}

export function entriesFor(query: string, markets: readonly Named[], pages: readonly Offered[], actions: readonly Offered[], now: number): Entry[] {
  const asked = query.trim();
  const fit = matcher(asked);
  const found = asked === '' ? [] : markets.flatMap((market) => ((at) => (at === null ? [] : [{ market, at }]))(fit(market)));
  found.sort((a, b) => a.at - b.at || (a.market.instrument < b.market.instrument ? -1 : 1));
  const marketEntries = found.slice(0, MARKETS_MAX).map(({ market }): Entry => ({ id: market.instrument, kind: 'market', text: market.symbol, note: market.venue }));
  const listed = (kind: 'page' | 'action', from: readonly Offered[]): Entry[] => from.filter((each) => wordsFit(asked, `${each.text} ${each.words ?? ''}`)).map(({ id, text, note }) => ({ id, kind, text, note }));
  const moment = typedMoment(asked, now);
  const moments: Entry[] = moment === null || moment > now ? [] : [{ id: String(moment), kind: 'moment', text: 'Go to', note: '' }];
  // A market named by itself comes before a page whose title happens to begin alike.
  const exact = marketEntries.length > 0 && (found[0]?.at ?? 9) <= 1;
  const pageEntries = listed('page', pages);
  return [...moments, ...(exact ? [...marketEntries, ...pageEntries] : [...pageEntries, ...marketEntries]), ...listed('action', actions)].slice(0, ALL_MAX);
}
