// The keyboard: `/` search, `j k` rows, Enter open, `t` time machine, `p` play, `?` help. Lists put their rows on offer by `data-row`.
import { signal } from '@preact/signals';

export const helpOpen = signal(false);

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
  const link = row.querySelector<HTMLElement>('a[href], button');
  link?.click();
  return link !== null;
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
    case '?':
      helpOpen.value = true;
      return true;
    default:
      return false;
  }
}

export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || helpOpen.value) return;
    if (event.key === 'Escape' && typing(event.target)) {
      // The browser would empty a search field; leaving it keeps what was searched for.
      event.preventDefault();
      (event.target as HTMLElement).blur();
      return;
    }
    if (!typing(event.target) && act(event.key)) event.preventDefault();
  });
}
