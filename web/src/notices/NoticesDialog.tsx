// Notifications and sound: whose, and how. Nothing is asked of the browser before the reader wants it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { favourites } from '../board/prefs';
import { keep } from '../state/kept';
import { Dialog } from '../ui/Dialog';
import { noticesOpen, popups, scope, sound } from './settings';
import type { Scope } from './settings';
import { playSound, wakeSound } from './sound';
import { show } from './start';

const SCOPES: readonly (readonly [Scope, string])[] = [
  ['off', 'Off'],
  ['favourites', 'Favourites'],
  ['positions', 'Markets with a position'],
  ['all', 'All markets'],
];

export function NoticesDialog(): JSX.Element | null {
  return noticesOpen.value ? <Settings /> : null;
}

function permission(): NotificationPermission | 'missing' {
  return typeof Notification === 'undefined' ? 'missing' : Notification.permission;
}

function Settings(): JSX.Element {
  const [allowed, setAllowed] = useState(permission());
  const [tried, setTried] = useState<string | null>(null);
  const ask = async (wanted: boolean): Promise<void> => {
    if (wanted && permission() === 'default') await Notification.requestPermission();
    setAllowed(permission());
    keep(popups, wanted && permission() === 'granted');
  };
  const tryIt = (): void => {
    wakeSound();
    // The context of sounds wakes a moment after it was asked to.
    window.setTimeout(() => {
      const said = [
        sound.peek() && (playSound() ? 'a sound was played' : 'the browser plays no sound'),
        popups.peek() && (show({ title: 'Notifications work', body: 'This is how a change will be shown.', instrument: null, tag: 'try' }) ? 'a notification was shown' : 'the browser shows no notification'),
      ].filter((each): each is string => typeof each === 'string');
      setTried(said.length === 0 ? 'Nothing is switched on.' : `Tried: ${said.join(', ')}.`);
    }, 150);
  };
  return (
    <Dialog title="Notifications and sound" close={() => (noticesOpen.value = false)}>
      <p class="muted">Notifies you when a risk label turns to squeeze risk or high volatility, when moves become explosive or extreme, and when an alert of high or critical severity opens, while this page is open in any tab.</p>
      <fieldset class="checks">
        <legend>Which markets</legend>
        {SCOPES.map(([value, text]) => (
          <label key={value}>
            <input type="radio" name="scope" checked={scope.value === value} onChange={() => keep(scope, value)} /> {text}
            {value === 'favourites' && <span class="muted">({favourites.value.length})</span>}
          </label>
        ))}
      </fieldset>
      <fieldset class="checks">
        <legend>How</legend>
        <label>
          <input type="checkbox" checked={popups.value} disabled={allowed === 'missing' || allowed === 'denied'} onChange={(event) => void ask(event.currentTarget.checked)} /> Notification of the browser
        </label>
        <label>
          <input
            type="checkbox"
            checked={sound.value}
            onChange={(event) => {
              keep(sound, event.currentTarget.checked);
              if (event.currentTarget.checked) wakeSound();
            }}
          />{' '}
          Sound
        </label>
      </fieldset>
      {allowed === 'denied' && <p class="muted">This browser blocks notifications of this page; its settings for the site can change that.</p>}
      {allowed === 'missing' && <p class="muted">This browser shows notifications only of pages it reached over https or on this machine.</p>}
      {scope.value !== 'off' && !popups.value && !sound.value && <p class="muted">Neither notifications nor sound are on: you will not be notified.</p>}
      <p>
        <button type="button" class="plain" onClick={tryIt}>
          Try it
        </button>{' '}
        <span class="muted" role="status">
          {tried}
        </span>
      </p>
    </Dialog>
  );
}
