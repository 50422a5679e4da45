// The trade in mind, as the address carries it: side, entry, stop, target, equity. Lines on the chart and fields beside it write the same.
import { place, setParams } from '../../state/place';
import type { OwnLine } from '../../chart/lines';
import { price as priceText } from '../../format/number';

export interface Trade {
  side: 'long' | 'short';
  entry: number | null;
  stop: number | null;
  target: number | null;
  equity: number | null;
}

export const NUMBERS = ['entry', 'stop', 'target', 'equity'] as const;
export type TradeNumber = (typeof NUMBERS)[number];

function positive(text: string | undefined): number | null {
  const value = Number(text);
  return text !== undefined && text !== '' && Number.isFinite(value) && value > 0 ? value : null;
}

export function tradeOf(params: Readonly<Record<string, string>>): Trade {
  const of = (name: TradeNumber): number | null => positive(params[name]);
  return { side: params['side'] === 'short' ? 'short' : 'long', entry: of('entry'), stop: of('stop'), target: of('target'), equity: of('equity') };
}

export function tradeNow(): Trade {
  return tradeOf(place.value.params);
}

/** A price that was dragged has no more digits than the page shows. */
export function rounded(price: number): number {
  return Number(priceText(price).replaceAll(',', '').replace('−', '-'));
}

export function setTrade(patch: Partial<Record<TradeNumber, number | null>> & { side?: 'long' | 'short' }): void {
  const text = Object.fromEntries(Object.entries(patch).map(([name, value]) => [name, value === null || value === undefined || value === 'long' ? null : String(value)]));
  setParams(text);
}

/** Reward over risk; `null` where a number is missing or on the wrong side. */
export function ratioOf({ side, entry, stop, target }: Trade): number | null {
  if (entry === null || stop === null || target === null) return null;
  const sign = side === 'long' ? 1 : -1;
  const [risk, reward] = [(entry - stop) * sign, (target - entry) * sign];
  return risk > 0 && reward > 0 ? reward / risk : null;
}

/** What does not fit together, in words; `null`: nothing. */
export function wrongSide({ side, entry, stop, target }: Trade): string | null {
  if (entry === null) return null;
  const sign = side === 'long' ? 1 : -1;
  if (stop !== null && (entry - stop) * sign <= 0) return `The stop of a ${side} lies ${side === 'long' ? 'below' : 'above'} the entry.`;
  if (target !== null && (target - entry) * sign <= 0) return `The target of a ${side} lies ${side === 'long' ? 'above' : 'below'} the entry.`;
  return null;
}

export function tradeLines(trade: Trade): OwnLine[] {
  const of = (kind: 'entry' | 'stop' | 'target'): OwnLine[] => {
    const price = trade[kind];
    return price === null ? [] : [{ id: kind, kind, price, text: kind === 'entry' ? trade.side : kind, moves: true }];
  };
  return trade.entry === null ? [] : [...of('stop'), ...of('target'), ...of('entry')];
}
