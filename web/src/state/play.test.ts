import '../testing/page';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { noteReach } from '../board/store';
import { asOf, place, setParams } from './place';
import { clock, overWords, pause, play, playing, speed, startPlay, world } from './play';
import { parsePlace } from './url';

const NIGHT = '2026-02-05T14:35:00Z';
const entries: { kind: string; to: string }[] = [];
let frames: ((now: number) => void)[] = [];
let now = 0;
let end = (): void => undefined;

const go = (kind: string) => (_: unknown, __: string, to: string) => {
  entries.push({ kind, to });
  const url = new URL(to, 'http://x');
  Object.assign(window.location, { pathname: url.pathname, search: url.search });
};

/** The page is opened at this address. */
function open(search: string): void {
  Object.assign(window.location, { pathname: '/m/v:A', search });
  place.value = parsePlace('/m/v:A', search);
  end = startPlay();
}

beforeEach(() => {
  entries.length = 0;
  frames = [];
  now = 1_000;
  Object.assign(window, {
    history: { pushState: go('push'), replaceState: go('replace') },
    requestAnimationFrame: (act: (at: number) => void) => frames.push(act),
    cancelAnimationFrame: () => (frames = []),
  });
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  noteReach({ first_ts: '2026-02-01T00:00:00Z', last_ts: '2026-02-05T16:00:00Z' });
});
afterEach(() => {
  end();
  vi.restoreAllMocks();
});

/** So many frames of 20 ms. */
function draw(count: number): void {
  for (let n = 0; n < count; n += 1) {
    now += 20;
    const due = frames;
    frames = [];
    for (const act of due) act(now);
  }
}

test('a play is one entry; the clock moves with each frame, the moment by whole minutes once a second', () => {
  open(`?as_of=${NIGHT}`);
  expect(frames).toHaveLength(0);
  play(60);
  expect(entries).toEqual([{ kind: 'push', to: `/m/v:A?as_of=${NIGHT}&play=60` }]);
  draw(101);
  expect(clock.peek()).toBe(Date.parse(NIGHT) + 100 * 20 * 60);
  const written = entries.slice(1);
  expect(written.every((entry) => entry.kind === 'replace')).toBe(true);
  expect(written.length).toBeLessThanOrEqual(2);
  expect(asOf.peek()).toBe('2026-02-05T14:37:00Z');
  play(600);
  expect([speed.peek(), entries.at(-1)?.kind]).toEqual([600, 'replace']);
  pause();
  expect([speed.peek(), clock.peek(), asOf.peek()]).toEqual([0, null, '2026-02-05T14:37:00Z']);
  expect(frames).toHaveLength(0);
});

test('a slept frame is no leap, a moment written by somebody else is where it goes on, and at the end it is now', () => {
  open(`?as_of=${NIGHT}`);
  play(600);
  draw(1);
  now += 60_000;
  draw(1);
  expect(clock.peek()).toBe(Date.parse(NIGHT) + 250 * 600);
  setParams({ as_of: '2026-02-05T15:30:00Z' });
  draw(1);
  expect(clock.peek()).toBe(Date.parse('2026-02-05T15:30:00Z'));
  draw(200);
  expect([asOf.peek(), playing.peek(), clock.peek()]).toEqual([null, false, null]);
});

test('what began within the story pauses where it ends; a press goes on to the last moment, which is no way to another world', () => {
  world.value = { now: '2026-11-27T08:00:00Z', rate: 20, simulated: true, story: { from: '2026-02-05T00:00:00Z', until: '2026-02-05T15:00:00Z', speed: 600 } };
  open(`?as_of=${NIGHT}&play=600`);
  draw(200);
  expect([asOf.peek(), playing.peek(), overWords.peek()?.slice(0, 18)]).toEqual(['2026-02-05T15:00:00Z', false, 'End of the replay.']);
  play(600);
  expect(overWords.peek()).toBeNull();
  draw(400);
  expect([asOf.peek(), playing.peek(), overWords.peek()]).toEqual(['2026-02-05T16:00:00Z', false, 'The stored data ends here.']);
  setParams({ as_of: null });
  expect(overWords.peek()).toBeNull();
  end();
  // What began before the story runs through it.
  open('?as_of=2026-02-04T23:59:00Z&play=600');
  draw(4_600);
  expect(clock.peek()).toBeGreaterThan(Date.parse('2026-02-05T15:00:00Z'));
  world.value = null;
});

test('an address with play and no moment begins a day before the end, and nonsense does not play', () => {
  open('?play=60');
  draw(1);
  expect(clock.peek()).toBe(Date.parse('2026-02-04T16:00:00Z'));
  end();
  open('?play=fast');
  draw(2);
  expect(clock.peek()).toBeNull();
});
