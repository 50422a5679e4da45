// The snapshot on show: of the moment of the past, or the newest, which the stream brings as it is published. A recording that has
// ended shows its last reading, as it was known then, under a headline that says where it ends.
import { useEffect } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { marketAddress, snapshotAddress } from '../../api/market';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { Snapshot } from '../../api/types';
import { snapshot } from '../../board/live';
import { MINUTE, iso } from '../../format/time';
import { asOf } from '../../state/place';

export function useSnapshot(instrument: string): Resource<Snapshot> {
  const answer = useResource<Snapshot>(snapshotAddress(instrument));
  const live = asOf.value === null && snapshot.value?.instrument === instrument ? snapshot.value : null;
  const newer = live !== null && (answer.data === null || Date.parse(live.timestamp) >= Date.parse(answer.data.timestamp));
  const present = newer ? { ...answer, data: live, error: null, loading: false, refreshing: false } : answer;
  useEffect(() => {
    if (live !== null && answer.error !== null) answer.reload();
  }, [live?.snapshot_id]);
  const until = asOf.value === null ? knownAt(present.data?.recorded_until ?? null) : null;
  const last = useResource<Snapshot>(until === null ? null : withQuery(marketAddress(instrument, 'context'), { as_of: until }), { forget: true });
  return until === null ? present : { ...last, data: asEnded(last.data, present.data) };
}

/** When the last minute of a recording was known: a moment after it. */
export function knownAt(until: string | null): string | null {
  return until === null ? null : iso(Date.parse(until) + MINUTE);
}

/** What is known of the end stays with the last reading. */
function asEnded(last: Snapshot | null, present: Snapshot | null): Snapshot | null {
  if (last === null || present === null) return last;
  return { ...last, recorded_until: present.recorded_until ?? null, headline: present.headline, headline_parts: present.headline_parts };
}
