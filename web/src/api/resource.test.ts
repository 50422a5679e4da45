import { DRAWN_MS, answeredByHand, mounted } from '../testing/page';
import type { Question } from '../testing/page';
import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { healed } from '../board/live';
import { useResource } from './resource';
import type { Asking, Resource } from './resource';

/** What a component asks for, and what it saw last. */
const path = signal<string | null>('/a');
const options = signal<Asking>({});
let seen: Resource<string> | null = null;
let asked: Question[] = [];
let end = (): void => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  asked = answeredByHand();
  path.value = '/a';
  options.value = {};
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

async function pass(ms = DRAWN_MS): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

async function begin(): Promise<void> {
  end = await mounted(() => {
    seen = useResource<string>(path.value, options.value);
  });
}

function shown(): unknown {
  return seen && [seen.data, seen.loading, seen.refreshing, seen.error?.status ?? null];
}

test('what appears after alerts came asks once, and once more when one comes', async () => {
  options.value = { on: 7 };
  await begin();
  expect([asked.map((q) => q.what), shown()]).toEqual([['GET /a'], [null, true, false, null]]);
  asked[0]?.answer('first');
  await pass(10_000);
  expect([asked.length, shown()]).toEqual([1, ['first', false, false, null]]);
  options.value = { on: 8 };
  await pass();
  expect([asked.length, shown()]).toEqual([2, ['first', false, false, null]]);
  healed.value += 1;
  seen?.reload();
  await pass(5_000);
  // One is under way: the two wishes wait for its end.
  expect(asked).toHaveLength(2);
  asked[1]?.answer('second');
  await pass(5_000);
  expect([asked.length, shown()]).toEqual([3, ['second', false, false, null]]);
});

test('the answer of another question stays, and says that it is of another', async () => {
  await begin();
  asked[0]?.answer('of a');
  await pass();
  path.value = '/b';
  await pass();
  expect(shown()).toEqual(['of a', false, true, null]);
  path.value = '/c';
  await pass();
  asked[1]?.answer('of b, too late');
  asked[2]?.answer('of c');
  await pass();
  expect(asked[1]?.stop?.aborted).toBe(true);
  expect([asked.length, shown()]).toEqual([3, ['of c', false, false, null]]);
});

test('an answer that failed leaves nothing of another question on show', async () => {
  await begin();
  asked[0]?.answer('of a');
  await pass();
  path.value = '/b';
  await pass();
  asked[1]?.answer({ type: 'urn:barograph:problem:unknown-symbol', detail: 'no such market' }, 404);
  await pass();
  expect([shown(), seen?.error?.kind]).toEqual([[null, false, false, 404], 'unknown-symbol']);
  await pass(60_000);
  expect(asked).toHaveLength(2);
});

test('a failure that may pass is asked again, and what was known stays beside it', async () => {
  await begin();
  asked[0]?.answer('of a');
  await pass(2_000);
  seen?.reload();
  await pass();
  asked[1]?.answer({ detail: 'busy' }, 503);
  await pass(500);
  expect(shown()).toEqual(['of a', false, false, 503]);
  await pass(2_000);
  asked[2]?.answer('of a, newer');
  await pass();
  expect(shown()).toEqual(['of a, newer', false, false, null]);
});

test('a question with a body is another one when the body is, and may forget the answer before', async () => {
  options.value = { body: { side: 'long' }, forget: true };
  await begin();
  expect(asked[0]?.what).toBe('POST /a {"side":"long"}');
  asked[0]?.answer('of long');
  await pass();
  // The same body, made anew, is the same question.
  options.value = { body: { side: 'long' }, forget: true };
  await pass();
  expect([asked.length, shown()]).toEqual([1, ['of long', false, false, null]]);
  options.value = { body: { side: 'short' }, forget: true };
  await pass();
  expect([asked[1]?.what, shown()]).toEqual(['POST /a {"side":"short"}', [null, true, false, null]]);
  path.value = null;
  await pass();
  expect(shown()).toEqual([null, false, false, null]);
});
