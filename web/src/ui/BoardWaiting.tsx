// What stands where the board will be: the shape of it, why there is none, or what to do when nothing is watched.
import type { JSX } from 'preact';
import { link } from '../board/live';
import { pastFailed } from '../board/past';
import { header } from '../board/store';
import { Empty, Skeleton } from './Answer';

export function BoardWaiting({ lines }: { lines: number }): JSX.Element | null {
  if (pastFailed.value) return null;
  if (header.value === null) {
    return link.value === 'stale' ? <Empty why="The server has not answered yet." todo="The page asks again by itself. Is barograph running?" /> : <Skeleton lines={lines} />;
  }
  return (
    <Empty
      why="No market is known at this moment."
      todo={
        <>
          Listen to one with <code>barograph up --symbols BTCUSDT</code>, or see everything with <code>barograph demo</code>.
        </>
      }
    />
  );
}
