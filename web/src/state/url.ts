// The address is the state of the page: path and parameters, read and written here as plain data. No browser is needed, so that
// tests can ask what an address means.
import { PAGES } from '../pages/list';
import type { PageName } from '../pages/list';

export interface Place {
  path: string;
  params: Readonly<Record<string, string>>;
}

export type Patch = Record<string, string | null | undefined>;

export type Route = { page: Exclude<PageName, 'market'> | 'unknown' } | { page: 'market'; instrument: string };

/** What an address of each page looks like. */
const SHAPES = Object.entries(PAGES).map(([page, { path }]) => [page, new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>.+)')}$`)] as const);

export function parsePlace(path: string, search: string): Place {
  const params: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(search)) params[key] = value;
  return { path: path.replace(/(.)\/+$/, '$1'), params };
}

/** Colons and commas stay as they are: a reader shall be able to see the moment in a shared address. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%3A/gi, ':').replace(/%2C/gi, ',').replace(/%2F/gi, '/');
}

export function formatPlace(place: Place): string {
  const query = Object.keys(place.params)
    .sort()
    .map((key) => `${encode(key)}=${encode(place.params[key] ?? '')}`)
    .join('&');
  return query === '' ? place.path : `${place.path}?${query}`;
}

/** Parameters with some set and, where the value is empty or null, some taken out. */
export function patched(params: Readonly<Record<string, string>>, patch: Patch): Record<string, string> {
  const out = { ...params };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined || value === '') delete out[key];
    else out[key] = value;
  }
  return out;
}

export function routeOf(path: string): Route {
  for (const [page, shape] of SHAPES) {
    const found = shape.exec(path);
    if (!found) continue;
    const parts = Object.entries(found.groups ?? {}).map(([name, text]) => [name, decode(text)] as const);
    return { page, ...Object.fromEntries(parts) } as Route;
  }
  return { page: 'unknown' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function marketPath(instrument: string): string {
  return PAGES.market.path.replace('{instrument}', () => encode(instrument));
}

/** A moment of the past as the address carries it; anything that is no moment counts as none. */
export function momentOf(params: Readonly<Record<string, string>>): string | null {
  const text = params['as_of'];
  return text !== undefined && Number.isFinite(Date.parse(text)) ? text : null;
}

export function listOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(',').filter((word) => word !== '');
}
