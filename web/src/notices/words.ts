// What a notification says. Pure: what was heard in, one or a few messages out. A burst is one message that says what it is made of.
import { baseOf } from '../board/decode';
import { isWorse, rankOf, turnSentence } from '../board/turns';
import type { EventView } from '../api/types';
import type { BoardChange } from '../contract';

export interface Message {
  title: string;
  body: string;
  /** The market to open; `null`: the board. */
  instrument: string | null;
  /** A later message with the same takes its place. */
  tag: string;
}

export interface Heard {
  changes: readonly BoardChange[];
  alerts: readonly EventView[];
}

/** More than these at once are one message. */
const SINGLE_MAX = 3;
const NAMED = 4;
/** A lock screen shows about this much of a title. */
const TITLE_MAX = 60;

/** `wanted` says whose; `headline` is what stands out about a market now. */
export function messagesOf(heard: Heard, wanted: (instrument: string) => boolean, headline: (instrument: string) => string): Message[] {
  const changes = heard.changes.filter((change) => isWorse(change) && wanted(change.instrument)).sort((a, b) => rankOf(b.axis, b.to) - rankOf(a.axis, a.to));
  // How often an experimental alert is right is not known: it is shown, and no more.
  const alerts = heard.alerts.filter((event) => !event.experimental && event.change === 'OPENED' && (event.severity === 'HIGH' || event.severity === 'CRITICAL') && wanted(event.instrument));
  const single = [
    ...changes.map((change): Message => ({ title: short(turnSentence(nameOf(change.instrument), change)), body: headline(change.instrument), instrument: change.instrument, tag: `${change.instrument} ${change.axis}` })),
    // A changed label has said itself already.
    ...alerts.filter((event) => event.event_type !== 'REGIME_CHANGE').map((event): Message => ({ title: short(`${nameOf(event.instrument)}: ${event.title.charAt(0).toLowerCase()}${event.title.slice(1)}, ${event.severity.toLowerCase()}`), body: event.description, instrument: event.instrument, tag: event.alert_id })),
  ];
  if (single.length <= SINGLE_MAX) return single;
  const markets = new Set(single.map((message) => message.instrument)).size;
  const body = single.slice(0, NAMED).map((message) => message.title);
  if (single.length > NAMED) body.push(`and ${single.length - NAMED} more`);
  return [{ title: `${single.length} changes on ${markets} ${markets === 1 ? 'market' : 'markets'}`, body: body.join('\n'), instrument: null, tag: 'burst' }];
}

function nameOf(instrument: string): string {
  return baseOf(instrument.split(':')[1] ?? instrument);
}

function short(title: string): string {
  return title.length <= TITLE_MAX ? title : `${title.slice(0, TITLE_MAX - 1)}…`;
}
