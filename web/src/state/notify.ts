// Notifications of the browser, by choice: asked for by a click and kept in this browser. The browser has the last word.
import { signal } from '@preact/signals';
import { kept } from './kept';

const wanted = kept('notify-prices', (stored) => stored === true);

/** The browser knows notifications and has not refused them. */
export const mayNotify = signal(typeof Notification !== 'undefined' && Notification.permission !== 'denied');
export const notifies = wanted.value;

export async function askToNotify(on: boolean): Promise<void> {
  if (!on || typeof Notification === 'undefined') {
    wanted.set(false);
    return;
  }
  const answer = Notification.permission === 'default' ? await Notification.requestPermission() : Notification.permission;
  mayNotify.value = answer !== 'denied';
  wanted.set(answer === 'granted');
}

export function notify(title: string, text: string): void {
  if (!notifies.peek() || typeof Notification === 'undefined' || Notification.permission !== 'granted') return;
  try {
    new Notification(title, { body: text, tag: title });
  } catch {
    // Some phones want a service worker for it; the notice stands on the page.
  }
}
