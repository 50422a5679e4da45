// The levels that are alive at the moment shown, all pages of them.
import { useEffect } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { LevelPage, LevelView } from '../../api/types';
import { snapshot } from '../../board/live';
import { asOf } from '../../state/place';
import { marketAddress } from './snapshot';

/** Levels change with closed bars; a new snapshot whose hour differs is when to look again. */
export function useLevels(instrument: string): Resource<LevelView[]> {
  const answer = useResource<LevelPage>(withQuery(marketAddress(instrument, 'levels'), { active: true, limit: 1000, as_of: asOf.value }));
  const quarter = snapshot.value === null ? null : Math.floor(Date.parse(snapshot.value.timestamp) / 900_000);
  useEffect(() => {
    if (quarter !== null && answer.data !== null) answer.reload();
  }, [quarter]);
  return { ...answer, data: answer.data?.items ?? null };
}
