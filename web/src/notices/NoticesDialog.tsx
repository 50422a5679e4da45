// Notifications and sound: whose, and how. Nothing is asked of the browser before the reader wants it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { favourites } from '../board/prefs';
import { keep } from '../state/kept';
import { askToNotify, permission, popups } from '../state/notify';
import { Dialog } from '../ui/Dialog';
import { noticesOpen, scope, sound } from './settings';
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

function Settings(): JSX.Element {
  const allowed = permission.value;
  const [tried, setTried] = useState<string | null>(null);
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
      <p class="muted">Notifies you when a risk label turns to squeeze risk or high volatility, when moves become explosive or extreme, and when an alert of high or critical severity opens, while this page is open; paused while you look at the past.</p>
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
          <input type="checkbox" checked={popups.value} disabled={allowed === 'missing' || allowed === 'denied'} onChange={(event) => void askToNotify(event.currentTarget.checked)} /> Notification of the browser
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
      {allowed === 'denied' && <p class="muted">Blocked by this browser: see its settings for this site.</p>}
      {allowed === 'missing' && <p class="muted">Browsers notify only over https or on this machine.</p>}
      {scope.value !== 'off' && !popups.value && !sound.value && <p class="muted">Switch on notifications or sound.</p>}
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
