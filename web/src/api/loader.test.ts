import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RequestError } from './client';
import { Loader } from './loader';

/** Questions that were asked, each to be answered by hand. */
let asked: { at: number; signal: AbortSignal; answer: (data: string) => void; refuse: (error: unknown) => void }[] = [];
let seen: string[] = [];
let begin = 0;

beforeEach(() => {
  vi.useFakeTimers();
  begin = performance.now();
  asked = [];
  seen = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function loader(): Loader<string> {
  return new Loader<string>(
    (signal) => new Promise((answer, refuse) => asked.push({ at: performance.now() - begin, signal, answer, refuse })),
    (data) => seen.push(data),
    (error) => seen.push(`failed: ${error.message}`),
  );
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

test('a storm of requests is one question a second, none is cut off, and the last request is answered', async () => {
  const one = loader();
  one.again();
  for (let ms = 0; ms < 3_000; ms += 50) {
    one.again();
    // The server needs 400 ms for each answer.
    for (const [place, question] of asked.entries()) if (performance.now() - begin - question.at === 400) question.answer(`answer ${place}`);
    await pass(50);
  }
  asked[3]?.answer('the last');
  await pass(10_000);
  expect(asked.map((q) => q.at)).toEqual([0, 1_000, 2_000, 3_000]);
  expect(asked.some((q) => q.signal.aborted)).toBe(false);
  expect(seen).toEqual(['answer 0', 'answer 1', 'answer 2', 'the last']);
});

test('one request is one question', async () => {
  const one = loader();
  one.again();
  asked[0]?.answer('there');
  await pass(60_000);
  expect(asked).toHaveLength(1);
  one.again();
  expect(asked).toHaveLength(2);
});

test('what may pass is asked again with growing pauses; what the server says about the question stays', async () => {
  const one = loader();
  one.again();
  const pauses: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const refused = performance.now() - begin;
    asked[round]?.refuse(new RequestError('busy', 503, null, false));
    await pass(20_000);
    pauses.push((asked[round + 1]?.at ?? 0) - refused);
  }
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
  asked[7]?.refuse(new RequestError('no such market', 404, null, false));
  await pass(120_000);
  expect(asked).toHaveLength(8);
  expect(seen.slice(-1)).toEqual(['failed: no such market']);
});

test('an answer that comes after the end is nobody’s', async () => {
  const one = loader();
  one.again();
  one.end();
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.answer('late');
  await pass(60_000);
  expect([seen, asked.length]).toEqual([[], 1]);
});
