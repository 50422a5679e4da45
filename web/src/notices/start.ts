// Calls the reader when labels get worse, as chosen: a notification of the browser, a sound, or both. Only of what comes live; what
// comes within a second is one call. Of several tabs of one browser one calls: the first that takes the lock of the message.
import { effect } from '@preact/signals';
import { send } from '../api/client';
import type { EventView, Positions } from '../api/types';
import { heardAlerts, noticeEdition } from '../board/live';
import { peekFavourites } from '../board/prefs';
import { heardChanges, rows } from '../board/store';
import type { BoardChange } from '../contract';
import { notify } from '../state/notify';
import { go } from '../state/place';
import { marketPath } from '../state/url';
import { scope, sound } from './settings';
import { playSound, wakeSound } from './sound';
import { messagesOf } from './words';
import type { Message } from './words';

const GATHER_MS = 1_000;

let held: ReadonlySet<string> = new Set();
let changes: BoardChange[] = [];
let alerts: EventView[] = [];
let gathering = 0;

export function startNotices(): void {
  document.addEventListener('pointerdown', () => sound.peek() && wakeSound());
  document.addEventListener('keydown', () => sound.peek() && wakeSound());
  effect(() => {
    changes.push(...heardChanges.value);
    gather();
  });
  effect(() => {
    alerts.push(...heardAlerts.value);
    gather();
  });
  effect(() => {
    void noticeEdition.value;
    if (scope.value === 'positions') void loadPositions();
  });
}

function gather(): void {
  if (scope.peek() === 'off') {
    changes = [];
    alerts = [];
  } else if (gathering === 0 && changes.length + alerts.length > 0) {
    gathering = window.setTimeout(call, GATHER_MS);
  }
}

function call(): void {
  gathering = 0;
  const heard = { changes, alerts };
  changes = [];
  alerts = [];
  const messages = messagesOf(heard, wanted, (instrument) => rows.peek().find((row) => row.instrument === instrument)?.headline.peek() ?? '');
  if (messages.length === 0) return;
  once(messages[0]?.tag ?? '', () => {
    if (sound.peek()) playSound();
    messages.forEach(show);
  });
}

function wanted(instrument: string): boolean {
  const whose = scope.peek();
  return whose === 'all' || (whose === 'favourites' ? peekFavourites() : held).has(instrument);
}

async function loadPositions(): Promise<void> {
  const list = await send<Positions>('GET', '/api/v1/positions').catch(() => null);
  if (list !== null) held = new Set(list.items.map((card) => card.position.instrument));
}

/** Tabs of one browser share its locks: who has it calls, the others find it taken and keep still. */
function once(tag: string, act: () => void): void {
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) {
    act();
    return;
  }
  void locks.request(`barograph ${tag}`, { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    act();
    await new Promise((done) => window.setTimeout(done, 2 * GATHER_MS));
  });
}

/** False where the browser shows none. */
export function show(message: Message): boolean {
  return notify({ ...message, open: () => go(message.instrument === null ? '/' : marketPath(message.instrument)) });
}
