// How this reader likes charts, kept in this browser: what is drawn, which panes stand under it, the interval that was chosen last.
import { choice } from '../../state/choice';
import { PANES } from '../../chart/panes';
import type { PaneName } from '../../chart/panes';

export const LAYERS = ['levels', 'zones', 'sessions', 'marks'] as const;
export type Layer = (typeof LAYERS)[number];
export const LAYER_WORDS: Record<Layer, string> = { levels: 'levels', zones: 'liquidation zones', sessions: 'sessions', marks: 'alert marks' };

export interface Prefs {
  layers: readonly Layer[];
  panes: readonly PaneName[];
  log: boolean;
  /** The chart over the whole width of the page. */
  wide: boolean;
  interval: string | null;
}

const FIRST: Prefs = { layers: LAYERS, panes: ['volume', 'liquidations', 'funding', 'oi'], log: false, wide: false, interval: null };

function some<T extends string>(all: readonly T[], stored: unknown, otherwise: readonly T[]): readonly T[] {
  return Array.isArray(stored) ? all.filter((word) => stored.includes(word)) : otherwise;
}

export function readPrefs(stored: unknown): Prefs {
  const at = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<Record<keyof Prefs, unknown>>;
  return {
    layers: some(LAYERS, at.layers, FIRST.layers),
    panes: some(PANES, at.panes, FIRST.panes),
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
