// The tab of the browser: its title and its icon carry the worst state, so that a page in the background can be read at a glance. The
// icons differ in shape as well as in colour; they are files, as the content policy wants it.
import { effect } from '@preact/signals';
import amber from '../icons/amber.svg';
import none from '../icons/none.svg';
import purple from '../icons/purple.svg';
import red from '../icons/red.svg';
import calm from '../icon.svg';
import { isStale } from '../board/live';
import { favourites } from '../board/prefs';
import { pulse } from '../board/pulse';
import { rows } from '../board/store';
import type { Row } from '../board/store';
import { pageTitle } from '../pages/list';
import { asOf, route } from '../state/place';
import { marketTitle, titleOf, worstOf } from './worst';
import type { Known } from './worst';

const ICONS: Readonly<Record<string, string>> = { purple, red, orange: red, amber, none };

/** Of the past every reading holds for its moment. */
export function knownOf(row: Row, past: boolean): Known {
  const state = row.peekState();
  return { instrument: row.instrument, symbol: row.at.symbol, risk: row.peekWord('risk'), volatility: row.peekWord('volatility'), trusted: past || state === 'live' || state === 'warming' };
}

export function startTab(): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  effect(() => {
    void pulse.value;
    const at = route.value;
    const known = rows.value.map((row) => knownOf(row, asOf.value !== null));
    const own = at.page === 'market' ? (known.find((market) => market.instrument === at.instrument) ?? null) : null;
    const worst = worstOf(own === null ? known : [own], own === null ? new Set(favourites.value) : new Set());
    const silent = isStale.value;
    const place = at.page === 'market' ? marketTitle(own?.symbol ?? at.instrument, own?.risk ?? null) : at.page === 'weather' ? null : pageTitle(at.page);
    const title = titleOf(at.page === 'market' ? null : worst, place, silent);
    if (document.title !== title) document.title = title;
    const icon = silent ? none : worst === null ? calm : (ICONS[worst.tone] ?? calm);
    if (link !== null && link.getAttribute('href') !== icon) link.href = icon;
  });
}
