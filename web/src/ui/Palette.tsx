// The palette (Ctrl-K): to a market, a page or a moment, or an action, without the mouse. A combobox over a list, in a dialog of the
// browser's own, which keeps the focus and gives it back.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { density, toggleDensity, toggleFavourite, isFavourite, favourites } from '../board/prefs';
import { rows } from '../board/store';
import { iso, local, utc, zone } from '../format/time';
import { noticesOpen } from '../notices/settings';
import { PAGES, TABS, pageTitle } from '../pages/list';
import { serverNow } from '../state/clock';
import { helpOpen, paletteOpen, takeTypedAhead } from '../state/keys';
import { asOf, go, hrefTo, route, setParams } from '../state/place';
import { isDark, toggleTheme } from '../state/theme';
import { marketPath } from '../state/url';
import { entriesFor } from './palette';
import type { Entry, Offered } from './palette';

export function PaletteDialog(): JSX.Element | null {
  return paletteOpen.value ? <Palette /> : null;
}

const TAB_PAGES = new Set<string>(TABS.map(({ page }) => page));

const PAGE_ENTRIES: readonly Offered[] = Object.entries(PAGES)
  .filter(([page]) => page !== 'market')
  .map(([page]) => ({ id: page, text: page === 'weather' ? 'Weather: all markets' : pageTitle(page), note: TAB_PAGES.has(page) ? 'view of the board' : 'page', words: page === 'weather' ? 'board home' : '' }));

function actions(): (Offered & { run: () => void })[] {
  const at = route.value;
  const market = at.page === 'market' ? at.instrument : null;
  return [
    ...(asOf.value === null ? [] : [{ id: 'now', text: 'Back to now', note: '', words: 'live present', run: () => setParams({ as_of: null }, false) }]),
    ...(market === null ? [] : [{ id: 'star', text: `${isFavourite(market) ? 'Remove from favourites' : 'Add to favourites'}: ${market}`, note: '', words: 'star', run: () => toggleFavourite(market) }]),
    ...(favourites.value.length === 0 ? [] : [{ id: 'favourites', text: 'Show favourites alone', note: `${favourites.value.length}`, words: 'star list', run: () => go(hrefTo('/', { list: 'favourites' })) }]),
    { id: 'moment', text: 'Go to a moment', note: 'type it: 2026-02-05 14:35, −2h, yesterday', words: 'time machine past date as of', run: () => undefined },
    { id: 'link', text: 'Copy the link to what is shown', note: '', words: 'share address url', run: () => void copyLink() },
    { id: 'theme', text: isDark() ? 'Use the light theme' : 'Use the dark theme', note: '', words: 'colours dark light', run: toggleTheme },
    { id: 'density', text: density.value === 'compact' ? 'Comfortable rows' : 'Compact rows', note: 'c', words: 'density', run: toggleDensity },
    { id: 'notices', text: 'Notifications and sound', note: '', words: 'alerts bell alarm', run: () => (noticesOpen.value = true) },
    { id: 'keys', text: 'Keys', note: '?', words: 'keyboard shortcuts help', run: () => (helpOpen.value = true) },
  ];
}

async function copyLink(): Promise<void> {
  await navigator.clipboard?.writeText(window.location.href).catch(() => undefined);
}

function Palette(): JSX.Element {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const able = actions();
  const fitting = (text: string): Entry[] => entriesFor(text, rows.value.map((row) => row.at), PAGE_ENTRIES, able, serverNow.peek());
  const entries = fitting(query);
  // What stands in the field by now: Enter may come before the list of its last key is drawn.
  const text = useRef('');
  const chosen = Math.min(at, Math.max(0, entries.length - 1));
  useEffect(() => {
    dialog.current?.showModal();
    const [ahead = '', ...entered] = takeTypedAhead().split('\n');
    text.current = ahead;
    setQuery(ahead);
    if (entered.length > 0) run(fitting(ahead)[0], false);
    return () => dialog.current?.close();
  }, []);
  useEffect(() => {
    dialog.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, query]);
  const close = (): void => {
    paletteOpen.value = false;
  };
  const run = (entry: Entry | undefined, beside: boolean): void => {
    if (entry === undefined) return;
    if (entry.kind === 'action' && entry.id === 'moment') {
      // It is typed here.
      text.current = '';
      setQuery('');
      dialog.current?.querySelector('input')?.focus();
      return;
    }
    close();
    const href = hrefOf(entry);
    if (href !== null && beside) window.open(href, '_blank', 'noopener');
    else if (href !== null) go(href);
    else if (entry.kind === 'moment') setParams({ as_of: iso(Number(entry.id)) }, false);
    // A dialog that opens next has to come after this one has closed.
    else window.setTimeout(() => able.find((action) => action.id === entry.id)?.run(), 0);
  };
  const onKey = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by !== 0) setAt((chosen + by + entries.length) % Math.max(1, entries.length));
    else if (event.key === 'Home' && query === '') setAt(0);
    else if (event.key === 'End' && query === '') setAt(entries.length - 1);
    else if (event.key === 'Enter') run(text.current === query ? entries[chosen] : fitting(text.current)[0], event.ctrlKey || event.metaKey);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="go to a market, a page or a moment, or do something" onClose={close} onKeyDown={onKey} onClick={(event) => event.target === dialog.current && close()}>
      <input
        type="text"
        role="combobox"
        aria-label="market, page, moment or action"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-autocomplete="list"
        aria-activedescendant={entries.length === 0 ? undefined : `palette-${chosen}`}
        placeholder="Market, page, moment or action"
        spellcheck={false}
        autocomplete="off"
        value={query}
        onInput={(event) => {
          text.current = event.currentTarget.value;
          setQuery(text.current);
          setAt(0);
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="what fits">
        {entries.map((entry, place) => (
          <li key={`${entry.kind}${entry.id}`} id={`palette-${place}`} role="option" aria-selected={place === chosen} onClick={(event) => run(entry, event.ctrlKey || event.metaKey)} onMouseMove={() => setAt(place)}>
            <span>{entry.kind === 'moment' ? <Moment ms={Number(entry.id)} /> : entry.text}</span>
            <span class="muted small">{entry.note}</span>
          </li>
        ))}
      </ul>
      <p class="muted small palette-foot" role="status">
        {entries.length === 0 ? 'No match. Try a coin, a venue, a page, a date.' : 'Arrow keys choose, Enter opens, Ctrl with Enter in a new tab, Esc closes.'}
      </p>
    </dialog>
  );
}

function Moment({ ms }: { ms: number }): JSX.Element {
  return (
    <>
      Go to <b>{local(ms / 1000, 0)}</b> {zone(ms)} <span class="muted">({utc(ms / 1000)})</span>
    </>
  );
}

function hrefOf(entry: Entry): string | null {
  if (entry.kind === 'market') return hrefTo(marketPath(entry.id));
  if (entry.kind === 'page') return hrefTo((PAGES as Record<string, { path: string }>)[entry.id]?.path ?? '/');
  return null;
}
