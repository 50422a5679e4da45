// The keys, as a list; in the dialog and on the help page.
import type { JSX } from 'preact';
import { helpOpen } from '../state/keys';
import { hrefTo } from '../state/place';
import { Dialog } from './Dialog';

const KEYS = [
  ['Ctrl K', 'go to a market, a page or a moment, or do something (⌘ K on a Mac)'],
  ['/', 'search markets; Enter opens the first'],
  ['j', 'next row'],
  ['k', 'previous row'],
  ['Enter', 'open the row; with Ctrl in a new tab'],
  ['s', 'favourite: keep the row on top, or no longer'],
  ['c', 'compact rows'],
  ['t', 'time machine; then the arrow keys move by a minute, on a chart by a bar'],
  ['p', 'play recorded time, pause'],
  ['← →', 'on the chart: bar by bar, with Shift ten at a time; Enter shows what was known at the bar, m measures from it, + and − zoom, End is the newest'],
  ['?', 'this list'],
  ['Esc', 'leave a field, close a dialog'],
] as const;

export function Keys(): JSX.Element {
  return (
    <table class="keys">
      <tbody>
        {KEYS.map(([key, text]) => (
          <tr key={key}>
            <th scope="row">
              <kbd>{key}</kbd>
            </th>
            <td>{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function KeysDialog(): JSX.Element | null {
  if (!helpOpen.value) return null;
  const close = (): void => {
    helpOpen.value = false;
  };
  return (
    <Dialog title="Keys" close={close}>
      <Keys />
      <p>
        <a href={hrefTo('/help')} onClick={close}>
          What the words and signs mean
        </a>
      </p>
    </Dialog>
  );
}
