// How this reader likes charts, kept in this browser: what is drawn, which panes stand under it, the interval that was chosen last.
import { choice } from '../../state/choice';
import { PANES } from '../../chart/panes';
import { SIGNALS_MAX } from '../../chart/signals';
import type { PaneName } from '../../chart/panes';

export const LAYERS = ['levels', 'liquidations', 'zones', 'sessions', 'marks'] as const;
export type Layer = (typeof LAYERS)[number];
export const LAYER_WORDS: Record<Layer, string> = { levels: 'levels', liquidations: 'heat map of liquidations', zones: 'liquidation zones', sessions: 'sessions', marks: 'alert marks' };

export interface Prefs {
  layers: readonly Layer[];
  panes: readonly PaneName[];
  /** Names of signals with a pane of their own. */
  signals: readonly string[];
  log: boolean;
  /** The chart over the whole width of the page. */
  wide: boolean;
  interval: string | null;
}

const FIRST: Prefs = { layers: LAYERS, panes: ['volume', 'liquidations', 'funding', 'oi'], signals: [], log: false, wide: false, interval: null };

function some<T extends string>(all: readonly T[], stored: unknown, otherwise: readonly T[]): readonly T[] {
  return Array.isArray(stored) ? all.filter((word) => stored.includes(word)) : otherwise;
}

/** One that cannot be a name would have the others refused with it. */
function names(stored: unknown): readonly string[] {
  const fits = (word: unknown): word is string => typeof word === 'string' && /^[a-z]\w*(\.[a-z]\w*)+$/.test(word);
  return Array.isArray(stored) ? stored.filter(fits).slice(0, SIGNALS_MAX) : [];
}

export function readPrefs(stored: unknown): Prefs {
  const at = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<Record<keyof Prefs, unknown>>;
  return {
    layers: some(LAYERS, at.layers, FIRST.layers),
    panes: some(PANES, at.panes, FIRST.panes),
    signals: names(at.signals),
    log: at.log === true,
    wide: at.wide === true,
    interval: typeof at.interval === 'string' ? at.interval : null,
  };
}

const choices = choice('chart', readPrefs);
export const prefs = choices.value;

export function prefer(patch: Partial<Prefs>): void {
  choices.set({ ...prefs.peek(), ...patch });
}

export function toggled<T>(list: readonly T[], item: T): T[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}
