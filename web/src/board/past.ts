// The board of a moment of the past: asked for once for each moment, shown in the place of the live one.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { withQuery } from '../api/client';
import type { RequestError } from '../api/client';
import { useResource } from '../api/resource';
import type { Board } from '../contract';
import { asOf } from '../state/place';
import { playing } from '../state/play';
import { clearBoard, showBoard } from './store';

/** The board of the moment could not be had; the page says why above its content. */
export const pastFailed = signal(false);
/** The board on show is of another moment; that of the one chosen is on its way. */
export const pastWaiting = signal(false);

export function usePastBoard(): { error: RequestError | null; reload: () => void } {
  const moment = asOf.value;
  const board = useResource<Board>(moment === null ? null : withQuery('/api/v1/board', { as_of: moment }));
  const waiting = moment !== null && (board.loading || board.refreshing);
  useEffect(() => {
    pastWaiting.value = waiting;
  }, [waiting]);
  useEffect(() => {
    // While it plays the board is that of a moment ago, as soon as it comes.
    if (board.data !== null && !board.refreshing && asOf.peek() === moment && moment !== null) showBoard(board.data);
  }, [board.data, board.refreshing, playing.peek() ? null : moment]);
  const failed = moment !== null && board.error !== null;
  useEffect(() => {
    pastFailed.value = failed;
    if (failed) clearBoard();
  }, [failed]);
  return { error: moment === null ? null : board.error, reload: board.reload };
}
