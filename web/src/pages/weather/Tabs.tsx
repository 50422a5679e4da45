// The views of the board, as tabs that are links: each has its address, and keeps what is searched for and which list is shown.
import type { JSX } from 'preact';
import { TABS } from '../list';
import { hrefTo, place, route } from '../../state/place';

export function Tabs(): JSX.Element {
  const at = route.value.page;
  const { q, list } = place.value.params;
  return (
    <nav class="tabs" aria-label="views of the board">
      <ul>
        {TABS.map(({ page, path, tab }) => (
          <li key={page}>
            <a href={hrefTo(path, { q, list })} aria-current={page === at ? 'page' : undefined}>
              {tab}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
