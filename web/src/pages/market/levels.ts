// The levels that are alive at the moment shown.
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { LevelPage, LevelView } from '../../api/types';
import { snapshot } from '../../board/live';
import { asOf } from '../../state/place';
import { marketAddress } from './snapshot';

/** The most one answer may hold: the newest, so that a market with more would go without its oldest. */
const LIMIT = 5_000;
/** Levels change with closed bars, of which the shortest are these. */
const BAR_MS = 900_000;

export function useLevels(instrument: string): Resource<LevelView[]> {
  const bar = snapshot.value === null ? null : Math.floor(Date.parse(snapshot.value.timestamp) / BAR_MS);
  const address = withQuery(marketAddress(instrument, 'levels'), { active: true, order: 'desc', limit: LIMIT, as_of: asOf.value });
  const answer = useResource<LevelPage>(address, { on: bar });
  return { ...answer, data: answer.data?.items ?? null };
}
