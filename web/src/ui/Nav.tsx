// The pages.
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { header } from '../board/store';
import { hrefTo, route } from '../state/place';

const PAGES = [
  ['weather', '/', 'Weather'],
  ['regimes', '/regimes', 'Regimes'],
  ['universe', '/universe', 'Universe'],
  ['cascades', '/cascades', 'Cascades'],
  ['volatility', '/volatility', 'Volatility'],
  ['positions', '/positions', 'Positions'],
  ['alerts', '/alerts', 'Alerts'],
  ['feeds', '/feeds', 'Feeds'],
  ['help', '/help', 'Help'],
] as const;

export function Nav(): JSX.Element {
  const at = route.value.page;
  const open = header.value?.open_alerts ?? 0;
  const list = useRef<HTMLUListElement>(null);
  // On a narrow screen the list scrolls sideways; where the reader is shall be in sight.
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && current) list.current.scrollLeft = current.offsetLeft - list.current.clientWidth / 2 + current.offsetWidth / 2;
  }, [at]);
  return (
    <nav aria-label="pages">
      <ul ref={list}>
        {PAGES.map(([page, path, text]) => (
          <li key={page}>
            <a href={hrefTo(path)} aria-current={page === at || (page === 'weather' && at === 'market') ? 'page' : undefined}>
              {text}
              {page === 'alerts' && open > 0 && (
                <span class="pill" aria-label={`${open} open`}>
                  {open}
                </span>
              )}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
