// The levels that are alive at the moment shown, all pages of them.
import { ask, withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { LevelPage, LevelView } from '../../api/types';
import { snapshot } from '../../board/live';
import { asOf } from '../../state/place';
import { asOfEvery } from '../../state/play';
import { DAY, HOUR, iso } from '../../format/time';
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

/** Zones that were open earlier are asked for so far back. */
export const ZONE_DAYS = 60;

/** Liquidation zones as they are known at the moment shown, those that were used up by then included: what was open over the last
 * weeks. They are looked at once an hour. `null` where they are not drawn. */
export function useStood(instrument: string, ready: boolean): readonly LevelView[] | null {
  const moment = asOf.value === null ? snapshot.value?.timestamp : asOfEvery(HOUR);
  const hour = moment === undefined || moment === null ? null : Math.floor(Date.parse(moment) / HOUR);
  const start = hour === null ? null : iso(Math.floor((hour * HOUR) / DAY - ZONE_DAYS) * DAY);
  const address = withQuery(marketAddress(instrument, 'levels'), { type: 'LIQUIDATION_ZONE', start, limit: LIMIT, as_of: asOfEvery(HOUR) });
  return useResource<LevelView[]>(ready && hour !== null ? address : null, { on: asOf.value === null ? hour : null, read: allLevels }).data;
}
