// Whether the browser calls when labels get worse, for which markets, and whether it makes a sound. Off until a reader chooses it; kept
// in this browser.
import { signal } from '@preact/signals';
import { kept, oneOf, yesOrNo } from '../state/kept';

export type Scope = 'off' | 'favourites' | 'positions' | 'all';

export const scope = kept<Scope>('notices', 'off', oneOf('off', 'favourites', 'positions', 'all'));
export const sound = kept('notices-sound', false, yesOrNo);

/** The dialog that sets them. */
export const noticesOpen = signal(false);
