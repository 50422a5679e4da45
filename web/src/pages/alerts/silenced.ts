// Which alerts nobody is told of: the same comparison that the program makes before it tells (delivery §6.4). A missing label is an
// empty value, a pattern has to fit the whole value, all conditions of a silence must hold. Pure.
import type { EventView } from '../../api/types';
import type { Matcher, Silence } from '../../contract';

const AXES: Partial<Record<string, string>> = { risk: 'risk', trend: 'trend', volatility: 'volatility', heat: 'heat' };

function labelOf(event: EventView, label: string): string {
  const at = event.instrument.indexOf(':');
  switch (label) {
    case 'event_type':
      return event.event_type;
    case 'instrument':
      return event.instrument;
    case 'venue':
      return event.instrument.slice(0, Math.max(0, at));
    case 'symbol':
      return event.instrument.slice(at + 1);
    case 'severity':
      return event.severity;
    case 'axis':
      return AXES[event.trigger ?? ''] ?? (event.event_type === 'VOLATILITY_REGIME_CHANGE' ? 'volatility' : '');
    case 'rule':
      return event.rule ?? '';
    default:
      return '';
  }
}

function holds({ op, value }: Matcher, has: string): boolean {
  if (op === '=') return has === value;
  if (op === '!=') return has !== value;
  let fits: boolean;
  try {
    fits = new RegExp(`^(?:${value})$`).test(has);
  } catch {
    // The program's patterns know a few signs that the browser's do not: no mark is better than a wrong one.
    return false;
  }
  return op === '=~' ? fits : !fits;
}

/** The silence that keeps an alert quiet at a moment (epoch milliseconds); `null` where it is told. */
export function silenceOf(event: EventView, silences: readonly Silence[], at: number): Silence | null {
  return (
    silences.find(
      (silence) =>
        Date.parse(silence.starts_at) <= at && at < Date.parse(silence.ends_at) && silence.matchers.length > 0 && silence.matchers.every((m) => holds(m, labelOf(event, m.label))),
    ) ?? null
  );
}
