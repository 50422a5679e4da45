// Where the reader is, as a signal, and the ways to go elsewhere. A place that leaves the past as it is keeps `as_of`.
import { computed, signal } from '@preact/signals';
import { formatPlace, momentOf, parsePlace, patched, routeOf } from './url';
import type { Patch, Place } from './url';

function here(): Place {
  return parsePlace(window.location.pathname, window.location.search);
}

export const place = signal<Place>(here());
export const route = computed(() => routeOf(place.value.path));
/** The moment the page is asked as of; `null`: now. */
export const asOf = computed(() => momentOf(place.value.params));

/** The address of another page, at the same moment of the past; a play goes on there. */
export function hrefTo(path: string, params: Patch = {}): string {
  return formatPlace({ path, params: patched({}, { as_of: asOf.value, play: asOf.value === null ? null : place.value.params['play'], ...params }) });
}

export function go(href: string): void {
  const url = new URL(href, window.location.href);
  window.history.pushState(null, '', url.pathname + url.search);
  place.value = here();
  window.scrollTo(0, 0);
}

/** The same place under its right name: the wrong one is not kept in the history. */
export function goInstead(path: string): void {
  window.history.replaceState(null, '', formatPlace({ path, params: place.value.params }));
  place.value = here();
}

/** Changes parameters of this place; `replace` leaves no entry in the history, as while a slider moves. */
export function setParams(patch: Patch, replace = true): void {
  const next = { path: place.value.path, params: patched(place.value.params, patch) };
  const href = formatPlace(next);
  if (replace) window.history.replaceState(null, '', href);
  else window.history.pushState(null, '', href);
  place.value = here();
}

/** A click on an address of this page that asks for nothing special is followed without loading anything anew. */
function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  const href = link?.getAttribute('href');
  // A link inside a picture has its address in another shape; the attribute is the same.
  if (!link || href === null || href === undefined || link.hasAttribute('target') || link.hasAttribute('download')) return;
  const url = new URL(href, window.location.href);
  if (url.origin !== window.location.origin || routeOf(url.pathname).page === 'unknown' || url.hash !== '') return;
  event.preventDefault();
  go(url.pathname + url.search);
}

export function startPlaces(): void {
  window.addEventListener('popstate', () => {
    place.value = here();
  });
  document.addEventListener('click', follow);
}
