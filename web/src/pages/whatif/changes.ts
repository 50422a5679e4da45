// Changed thresholds as the address holds them, the steps back and forth between them, and what the server is asked. Plain data.
import type { Threshold } from '../../api/types';

/** New numbers by the names of their thresholds; `.exit` behind a name is its exit threshold. */
export type Changes = Readonly<Record<string, number>>;

const EXIT = '.exit';

/** `HIGH_VOL.realized_vol_1h:0.9,CHOP_RISK.efficiency_12h:0.3`, sorted, so that the same changes have one address. */
export function formatChanges(changes: Changes): string {
  return Object.keys(changes)
    .sort()
    .map((name) => `${name}:${changes[name]}`)
    .join(',');
}

/** What an address says that is none of it is left out. */
export function parseChanges(text: string | undefined): Changes {
  const pairs = (text ?? '').split(',').flatMap((each): [string, number][] => {
    const at = each.lastIndexOf(':');
    const value = Number(each.slice(at + 1));
    return at > 0 && each.slice(at + 1).trim() !== '' && Number.isFinite(value) ? [[each.slice(0, at), value]] : [];
  });
  return Object.fromEntries(pairs);
}

/** One number changed; back at the book's own, or `null`, it is no change. A threshold that goes back takes its exit along. */
export function turned(changes: Changes, name: string, value: number | null, own: number): Changes {
  const rest = Object.entries(changes).filter(([other]) => other !== name && (value !== null || other !== `${name}${EXIT}`));
  return Object.fromEntries(value === null || value === own ? rest : [...rest, [name, value]]);
}

/** As the server takes them: a threshold before its exit, which otherwise would go along with it. */
export function settings(changes: Changes): string[] {
  const names = Object.keys(changes).sort();
  const ordered = [...names.filter((name) => !name.endsWith(EXIT)), ...names.filter((name) => name.endsWith(EXIT))];
  return ordered.map((name) => `${name}=${changes[name]}`);
}

export function exitName(name: string): string {
  return name + EXIT;
}

/** Where the exit goes when nobody says otherwise: shares keep their distance, others their ratio (as the server does it). */
export function exitBeside(threshold: Threshold, value: number): number {
  const share = threshold.low === 0 && threshold.high === 1;
  const exit = share || threshold.value * value <= 0 ? value + (threshold.exit - threshold.value) : value * (threshold.exit / threshold.value);
  return Number(exit.toPrecision(12));
}

/** Where one came from, and where one may go forth again; texts of the address. */
export interface Steps {
  past: readonly string[];
  now: string;
  future: readonly string[];
}

const STEPS_MAX = 200;

/** A new state of the page, whoever made it. */
export function stepped(steps: Steps, text: string): Steps {
  if (text === steps.now) return steps;
  return { past: [...steps.past, steps.now].slice(-STEPS_MAX), now: text, future: [] };
}

export function undone(steps: Steps): Steps {
  const before = steps.past.at(-1);
  return before === undefined ? steps : { past: steps.past.slice(0, -1), now: before, future: [steps.now, ...steps.future] };
}

export function redone(steps: Steps): Steps {
  const [next, ...rest] = steps.future;
  return next === undefined ? steps : { past: [...steps.past, steps.now], now: next, future: rest };
}
