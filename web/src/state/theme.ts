// Dark, light or as the system says; remembered in this browser.
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'barograph.theme';

function remembered(): Theme {
  try {
    const word = window.localStorage.getItem(KEY);
    return word === 'light' || word === 'dark' ? word : 'system';
  } catch {
    return 'system';
  }
}

export const theme = signal<Theme>(remembered());
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
const system = signal(systemDark.matches);

/** What is shown, whoever decided it. Charts read colours again when this changes. */
export function isDark(): boolean {
  return theme.value === 'system' ? system.value : theme.value === 'dark';
}

export function startTheme(): void {
  systemDark.addEventListener('change', (e) => {
    system.value = e.matches;
  });
  apply(theme.value);
}

export function toggleTheme(): void {
  const next: Theme = isDark() ? 'light' : 'dark';
  apply(next);
  theme.value = next;
  try {
    window.localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing shows the system's theme next time.
  }
}

function apply(choice: Theme): void {
  if (choice === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = choice;
}
