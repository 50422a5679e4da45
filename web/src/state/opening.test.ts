// Who is led to the recorded stretch, and who is left where they are.
import { expect, test } from 'vitest';
import { beginning } from './opening';
import type { Clock } from './opening';

const STORY = { from: '2026-02-05T00:00:00Z', until: '2026-02-06T06:00:00Z', speed: 600 };
const demo: Clock = { now: '2026-11-27T08:00:00Z', rate: 20, simulated: true, story: STORY };
const plain: Clock = { now: '2026-11-27T08:00:00Z', rate: 1, simulated: false, story: null };
const PLAYED = { as_of: STORY.from, play: '600' };

test.each([
  ['a new tab at the first page', demo, 'weather', {}, null, PLAYED],
  ['a tab that was led there before', demo, 'weather', {}, STORY.from, null],
  ['another story than before', demo, 'weather', {}, '2025-10-10T00:00:00Z', PLAYED],
  ['an address that says what it wants', demo, 'weather', { as_of: '2026-01-01T00:00:00Z' }, null, null],
  ['an address that sorts', demo, 'weather', { sort: 'price' }, null, null],
  ['another page', demo, 'alerts', {}, null, null],
  ['a server without a story', plain, 'weather', {}, null, null],
] as const)('%s', (_, clock, page, params, led, found) => {
  expect(beginning(clock, page, params, led)).toEqual(found);
});
