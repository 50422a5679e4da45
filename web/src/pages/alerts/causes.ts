// Groups of one cause, which each receiver has of its own.
import type { Group } from '../../contract';

/** Of one cause the reader sees the newest, and how many receivers have it. */
export function causesOf(groups: readonly Group[]): [Group, number][] {
  const causes = new Map<string, [Group, number]>();
  for (const group of groups) {
    // group|receiver|cause|beginning
    const [, , ...cause] = group.notice.alert_id.split('|');
    const key = `${cause.join('|')} ${group.notice.phase}`;
    const known = causes.get(key);
    causes.set(key, known === undefined ? [group, 1] : [group.known_at > known[0].known_at ? group : known[0], known[1] + 1]);
  }
  return [...causes.values()];
}
