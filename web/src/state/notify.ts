// A notification of the browser about a price that was crossed, where the reader has chosen them. The browser has the last word.
import { signal } from '@preact/signals';
import { popups } from '../notices/settings';
import { keep } from './kept';

/** The browser knows notifications and has not refused them. */
export const mayNotify = signal(typeof Notification !== 'undefined' && Notification.permission !== 'denied');
/** One choice for the whole page. */
export const notifies = popups;

export async function askToNotify(on: boolean): Promise<void> {
  if (!on || typeof Notification === 'undefined') {
    keep(popups, false);
    return;
  }
  const answer = Notification.permission === 'default' ? await Notification.requestPermission() : Notification.permission;
  mayNotify.value = answer !== 'denied';
  keep(popups, answer === 'granted');
}

export function notify(title: string, text: string): void {
  if (!popups.peek() || typeof Notification === 'undefined' || Notification.permission !== 'granted') return;
  try {
    new Notification(title, { body: text, tag: title });
  } catch {
    // Some phones show notifications of installed pages only; the notice stands on the page.
  }
}
