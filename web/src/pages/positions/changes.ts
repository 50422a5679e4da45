// Changing what is registered, and taking a change back: a position is registered again under its id, with everything that is known of it.
import { send } from '../../api/client';
import type { PositionCard } from '../../api/types';

export type Position = PositionCard['position'];

/** What registers this very position; `confirm`: these numbers have been here before, or are meant. */
export function registration(position: Position, confirm: boolean): Record<string, unknown> {
  const { id, instrument, side, entry, stop, size, strategy, opened_at } = position;
  return { id, symbol: instrument, side: side.toLowerCase(), entry, stop, size, strategy, opened_at, ...(confirm ? { confirm } : {}) };
}

export function put(position: Position, confirm: boolean): Promise<unknown> {
  return send('POST', '/api/v1/positions', registration(position, confirm));
}

export function remove(position: Position): Promise<unknown> {
  return send('DELETE', `/api/v1/positions/${encodeURIComponent(position.id)}`);
}

/** A change that can be taken back: what was there before it. */
export interface Change {
  what: 'removed' | 'changed';
  before: Position;
}
