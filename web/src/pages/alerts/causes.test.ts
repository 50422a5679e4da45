import { expect, test } from 'vitest';
import type { Group } from '../../contract';
import { causesOf } from './causes';

function group(receiver: string, cause: string, known_at: string, phase = 'firing'): Group {
  return { message: `${receiver} ${known_at}`, known_at, notice: { alert_id: `group|${receiver}|${cause}|7`, phase } } as unknown as Group;
}

test('groups of one cause are one, the newest, with the number of receivers', () => {
  const all = causesOf([group('a', 'rule|hot', '2026-02-05T14:00:00Z'), group('b', 'rule|hot', '2026-02-05T14:01:00Z'), group('a', 'family|Funding', '2026-02-05T14:02:00Z')]);
  expect(all.map(([each, receivers]) => [each.message, receivers])).toEqual([
    ['b 2026-02-05T14:01:00Z', 2],
    ['a 2026-02-05T14:02:00Z', 1],
  ]);
});
