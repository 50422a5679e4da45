// The snapshot on show: of the moment of the past, or the newest, which the stream brings as it is published.
import { useEffect } from 'preact/hooks';
import { snapshotAddress } from '../../api/market';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { Snapshot } from '../../api/types';
import { snapshot } from '../../board/live';
import { asOf } from '../../state/place';

export function useSnapshot(instrument: string): Resource<Snapshot> {
  const answer = useResource<Snapshot>(snapshotAddress(instrument));
  const live = asOf.value === null && snapshot.value?.instrument === instrument ? snapshot.value : null;
  const newer = live !== null && (answer.data === null || Date.parse(live.timestamp) >= Date.parse(answer.data.timestamp));
  useEffect(() => {
    if (live !== null && answer.error !== null) answer.reload();
  }, [live?.snapshot_id]);
  return newer ? { ...answer, data: live, error: null, loading: false, refreshing: false } : answer;
}
