// Watches: what somebody wants to hear of once it turns. One list for the whole page, asked for again when the stream says that
// something happened; what came true since it was looked at last is shown as a notice, and by the browser where its reader wants that.
import { computed, signal } from '@preact/signals';
import { send } from '../api/client';
import type { Watch, WatchTurn, WatchView, Watches } from '../contract';
import { newestFirst } from '../format/time';
import { keep, kept } from './kept';

export const watches = signal<Watches | null>(null);

/** The watch of a market and condition that goes on; null where there is none. */
export function watchOf(list: Watches | null, instrument: string, when: string): Watch | null {
  return list?.items.find(({ watch }) => watch.ended_at === null && watch.instrument === instrument && same(watch.when, when))?.watch ?? null;
}

/** The server writes a number in its own way: 0.80 is 0.8. */
function same(one: string, other: string): boolean {
  const words = (text: string): string[] => text.trim().split(/\s+/);
  const [a, b] = [words(one), words(other)];
  return a.length === b.length && a.every((word, n) => word === b[n] || (word !== '' && Number(word) === Number(b[n])));
}

export async function reload(): Promise<void> {
  watches.value = await send<Watches>('GET', '/api/v1/watches');
}

export async function addWatch(instrument: string, when: string, repeat: boolean, note: string | null = null): Promise<Watch> {
  const { watch } = await send<WatchView>('POST', '/api/v1/watches', { market: instrument, when, repeat, note });
  await reload();
  return watch;
}

export async function removeWatch(id: string): Promise<void> {
  await send('DELETE', `/api/v1/watches/${encodeURIComponent(id)}`);
  await reload();
}

/** Up to when the reader has seen what came true; set to now on the first visit, so that nothing old is announced. */
const seen = kept<string | null>('watches-seen', null, text);
/** Up to when the browser has announced it. */
const announced = kept<string>('watches-announced', '', text);

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function fold(): void {
  const newest = turns(watches.value)[0]?.turn.known_at;
  if (newest === undefined) return;
  keep(seen, newest);
}

export interface Turned {
  watch: Watch;
  turn: WatchTurn;
}

/** Everything that came true, newest first. */
export function turns(list: Watches | null): Turned[] {
  const all = (list?.items ?? []).flatMap(({ watch }) => watch.fired.map((turn) => ({ watch, turn })));
  return all.sort((a, b) => newestFirst(a.turn.known_at, b.turn.known_at));
}

/** What came true and was not looked at yet. */
export const unseen = computed(() => turns(watches.value).filter(({ turn }) => turn.known_at > (seen.value ?? '')));

/** The first list a browser ever gets is no news; nor is anything where it has seen a later clock, as that of another data folder. */
export function begin(list: Watches): void {
  const moments = list.items.flatMap(({ watch, judged }) => [watch.created_at, judged ?? '', ...watch.fired.map((turn) => turn.known_at)]);
  if (seen.value !== null && moments.some((at) => at >= (seen.value ?? ''))) return;
  const newest = turns(list)[0]?.turn.known_at ?? '0';
  keep(seen, newest);
}

/** What was not announced yet by any tab of this browser, oldest first; it counts as announced from here on. */
export function toAnnounce(): Turned[] {
  const news = unseen.peek().filter(({ turn }) => turn.known_at > announced.peek());
  const newest = news[0]?.turn.known_at;
  if (newest !== undefined) keep(announced, newest);
  return news.reverse();
}
