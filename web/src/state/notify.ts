// Notifications of the browser: whether they are wanted, whether it allows them, and one of them. One choice for the whole page; the
// browser has the last word.
import { signal } from '@preact/signals';
import { keep, kept, yesOrNo } from './kept';

/** The reader wants notifications of the browser. */
export const popups = kept('notices-popups', false, yesOrNo);

/** What the browser says; `missing` where it knows no notifications, as over http from another machine. */
export const permission = signal(permissionNow());

function permissionNow(): NotificationPermission | 'missing' {
  return typeof Notification === 'undefined' ? 'missing' : Notification.permission;
}

/** Asks the browser where it was not asked yet; false where they are wanted and not allowed. */
export async function askToNotify(wanted: boolean): Promise<boolean> {
  if (wanted && permissionNow() === 'default') await Notification.requestPermission();
  permission.value = permissionNow();
  keep(popups, wanted && permission.value === 'granted');
  return popups.value === wanted;
}

export interface Popup {
  title: string;
  body: string;
  /** Of several with one tag the last is shown. */
  tag: string;
  open?: () => void;
}

/** False where none is shown: not wanted, not allowed, or not by a page like this. */
export function notify({ title, body, tag, open }: Popup): boolean {
  if (!popups.peek() || permissionNow() !== 'granted') return false;
  try {
    const note = new Notification(title, { body, tag });
    if (open !== undefined) {
      note.onclick = () => {
        window.focus();
        open();
        note.close();
      };
    }
    return true;
  } catch {
    // Some phones show notifications of installed pages only.
    return false;
  }
}
