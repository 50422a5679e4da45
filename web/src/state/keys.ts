// The keyboard: Ctrl-K palette, `/` search, `j k` rows, Enter open, `s` star, `c` compact rows, `t` time machine, `p` play, `?` help.
// Lists put their rows on offer by `data-row`.
import { signal } from '@preact/signals';

export const helpOpen = signal(false);
export const paletteOpen = signal(false);
/** What was typed between the key that opens the palette and its field, Enter as a line break: nothing of it is lost. */
let typedAhead = '';

export function takeTypedAhead(): string {
  const text = typedAhead;
  typedAhead = '';
  return text;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !isRange(target);
}

function isRange(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && (target.type === 'range' || target.type === 'checkbox');
}

function focusOn(selector: string): boolean {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) return false;
  found.focus();
  found.scrollIntoView({ block: 'nearest' });
  return true;
}

function pressed(selector: string): boolean {
  const found = document.querySelector<HTMLElement>(selector);
  found?.click();
  return found !== null;
}

function moveRow(by: 1 | -1): boolean {
  const all = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  if (all.length === 0) return false;
  const at = all.indexOf((document.activeElement as HTMLElement | null)?.closest<HTMLElement>('[data-row]') as HTMLElement);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return true;
}

function openRow(): boolean {
  const row = document.activeElement;
  if (!(row instanceof HTMLElement) || row.dataset['row'] === undefined || row instanceof HTMLAnchorElement) return false;
  const link = row.querySelector<HTMLElement>('a[href]') ?? row.querySelector<HTMLElement>('button');
  link?.click();
  return link !== null;
}

/** The star of the row that has the focus. */
function starRow(): boolean {
  const star = document.activeElement?.closest('[data-row]')?.querySelector<HTMLElement>('.star');
  star?.click();
  return star !== null && star !== undefined;
}

function press(key: string): boolean {
  const button = document.querySelector<HTMLElement>(`[data-key="${key}"]`);
  button?.click();
  return button !== null;
}

function act(key: string): boolean {
  switch (key) {
    case '/':
      return focusOn('[data-search]');
    case 't':
      return focusOn('[data-time-machine]');
    case 'p':
      return pressed('[data-play]');
    case 'j':
      return moveRow(1);
    case 'k':
      return moveRow(-1);
    case 'Enter':
      return openRow();
    case 's':
      return starRow();
    case 'c':
      return press(key);
    case '?':
      helpOpen.value = true;
      return true;
    default:
      return false;
  }
}

export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
      // Browsers search the web with it otherwise.
      event.preventDefault();
      if (document.querySelector('dialog[open]') === null || paletteOpen.peek()) paletteOpen.value = !paletteOpen.peek();
      return;
    }
    if (paletteOpen.peek() && !typing(event.target) && (event.key.length === 1 || event.key === 'Enter') && !event.ctrlKey && !event.metaKey) {
      typedAhead += event.key === 'Enter' ? '\n' : event.key;
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
    if (event.key === 'Escape' && typing(event.target)) {
      // The browser would empty a search field; leaving it keeps what was searched for.
      event.preventDefault();
      (event.target as HTMLElement).blur();
      return;
    }
    if (!typing(event.target) && act(event.key)) event.preventDefault();
  });
}
