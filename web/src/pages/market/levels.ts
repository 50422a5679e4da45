// The levels that are alive at the moment shown, all pages of them.
import { ask, withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { LevelPage, LevelView } from '../../api/types';
import { snapshot } from '../../board/live';
import { asOfEvery } from '../../state/play';
import { marketAddress } from '../../api/market';

/** The most a page may hold. */
const LIMIT = 5_000;
/** More pages than any market has levels alive: a few hundred are common. */
const PAGES_MAX = 10;
/** Levels change with closed bars, of which the shortest are these. */
const BAR_MS = 900_000;

/** Every page: levels come by age, and the newest stand on the last one. */
export async function allLevels(path: string, stop: AbortSignal, read = ask<LevelPage>): Promise<LevelView[]> {
  const all: LevelView[] = [];
  let next: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const got: LevelPage = await read(next === null ? path : `${path}&cursor=${encodeURIComponent(next)}`, stop);
    all.push(...got.items);
    next = got.next_cursor;
    if (next === null) break;
  }
  return all;
}

/** `ready` false: something else comes first, and these are awaited. */
export function useLevels(instrument: string, ready: boolean): Resource<LevelView[]> {
  const bar = snapshot.value === null ? null : Math.floor(Date.parse(snapshot.value.timestamp) / BAR_MS);
  const address = withQuery(marketAddress(instrument, 'levels'), { active: true, limit: LIMIT, as_of: asOfEvery(BAR_MS) });
  const levels = useResource<LevelView[]>(ready ? address : null, { on: bar, read: allLevels });
  return ready ? levels : { ...levels, loading: true };
}
