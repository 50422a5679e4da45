// The pages.
import type { JSX } from 'preact';
import { header } from '../board/store';
import { PAGES, pageSpec } from '../pages/list';
import { hrefTo, route } from '../state/place';

const LISTED = Object.entries(PAGES).flatMap(([page, spec]) => ('title' in spec ? [{ page, ...spec }] : []));

export function Nav(): JSX.Element {
  const shown = route.value.page;
  const at = pageSpec(shown)?.within ?? shown;
  // Experimental alerts are in the list; no count calls for them.
  const open = (header.value?.open_alerts ?? 0) - (header.value?.open_experimental ?? 0);
  return (
    <nav aria-label="pages">
      <ul>
        {LISTED.map(({ page, path, title }) => (
          <li key={page}>
            <a href={hrefTo(path)} aria-current={page === at ? 'page' : undefined}>
              {title}
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
