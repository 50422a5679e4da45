// What a reader made of the board, kept in this browser: favourites, named groups of markets, columns of each view, density.
import { computed } from '@preact/signals';
import { keep, kept, oneOf, texts, yesOrNo } from '../state/kept';

export type Density = 'comfortable' | 'compact';

export interface Group {
  name: string;
  markets: readonly string[];
}

/** A group's name fits a button. */
export const NAME_MAX = 24;

export const favourites = kept<readonly string[]>('favourites', [], texts);
export const favouritesFirst = kept('favourites-first', true, yesOrNo);
export const groups = kept<readonly Group[]>('groups', [], readGroups);
export const density = kept<Density>('density', 'comfortable', oneOf('comfortable', 'compact'));
/** Columns by view, in order; a view that is not in it shows what fits. */
export const chosenColumns = kept<Readonly<Record<string, readonly string[]>>>('columns', {}, readColumns);

const starred = computed(() => new Set(favourites.value));

export function isFavourite(instrument: string): boolean {
  return starred.value.has(instrument);
}

/** The same without a redraw when it changes. */
export function peekFavourites(): ReadonlySet<string> {
  return starred.peek();
}

export function toggleFavourite(instrument: string): void {
  keep(favourites, toggled(favourites.peek(), instrument));
}

export function toggleDensity(): void {
  keep(density, density.peek() === 'compact' ? 'comfortable' : 'compact');
}

export function chooseColumns(view: string, ids: readonly string[] | null): void {
  const { [view]: _, ...others } = chosenColumns.peek();
  keep(chosenColumns, ids === null ? others : { ...others, [view]: ids });
}

export function groupOf(name: string): Group | null {
  return groups.value.find((group) => group.name === name) ?? null;
}

/** What is wrong with a name for a new group, or `null`. */
export function nameFault(name: string, among: readonly Group[]): string | null {
  const text = name.trim();
  if (text === '') return 'A group needs a name.';
  if (text.length > NAME_MAX) return `A name has ${NAME_MAX} characters at most; this one has ${text.length}.`;
  if (text.includes(',')) return 'Names cannot contain commas.';
  return among.some((group) => group.name.toLowerCase() === text.toLowerCase()) ? `There is a group ${text} already.` : null;
}

export function addGroup(name: string, markets: readonly string[] = []): void {
  keep(groups, [...groups.peek(), { name: name.trim(), markets }]);
}

export function removeGroup(name: string): void {
  keep(
    groups,
    groups.peek().filter((group) => group.name !== name),
  );
}

export function toggleInGroup(name: string, instrument: string): void {
  keep(
    groups,
    groups.peek().map((group) => (group.name === name ? { name, markets: toggled(group.markets, instrument) } : group)),
  );
}

function toggled(list: readonly string[], item: string): string[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}

export function readGroups(value: unknown): Group[] | null {
  if (!Array.isArray(value)) return null;
  const out: Group[] = [];
  for (const each of value as { name?: unknown; markets?: unknown }[]) {
    const markets = texts(each?.markets);
    if (typeof each?.name === 'string' && markets !== null && nameFault(each.name, out) === null) out.push({ name: each.name, markets });
  }
  return out;
}

function readColumns(value: unknown): Record<string, string[]> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.fromEntries(Object.entries(value).flatMap(([view, ids]) => (texts(ids) === null ? [] : [[view, texts(ids) ?? []]])));
}
