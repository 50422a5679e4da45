// The columns of what followed an alert, and the words where something of it is not known.
import type { AlertOutcome } from '../../api/types';
import { compact, fixed, percent } from '../../format/number';

const WHY: Record<string, string> = {
  not_over: 'not over yet',
  gap: 'not recorded',
  too_coarse: 'prices are too far apart',
  not_offered: 'the venue does not publish it',
  not_stored: 'no minute of that time is stored',
};

export function outcomeReason(reason: string | null | undefined): string {
  return WHY[reason ?? ''] ?? 'not known';
}

/** What a row shows of an outcome: a text, or why there is none. */
export interface OutcomeColumn {
  name: string;
  text: (of: AlertOutcome) => string | null;
  reason: (of: AlertOutcome) => string;
}

function moved(horizon: string, name: string): OutcomeColumn {
  const span = (of: AlertOutcome): AlertOutcome['spans'][number] | undefined => of.spans.find((s) => s.horizon === horizon);
  return {
    name,
    text: (of) => {
      const { max_move: move, max_move_atr: atr } = span(of) ?? {};
      if (move === null || move === undefined) return null;
      return `${percent(move, 1, true)}${atr === null || atr === undefined ? '' : ` (${fixed(atr, 1)})`}`;
    },
    reason: (of) => outcomeReason(span(of)?.reason),
  };
}

const COLUMNS: readonly OutcomeColumn[] = [
  moved('5m', '5 min'),
  moved('1h', '1 h'),
  moved('4h', '4 h'),
  {
    name: 'liquidated in 1 h',
    text: ({ liquidated_usd_1h: usd }) => (usd === null || usd === undefined ? null : compact(usd)),
    reason: (of) => outcomeReason(of.liquidated_usd_1h_reason),
  },
];

/** The columns that any has a number for; of the others a sentence each, with the reason of the first. */
export function outcomeColumns(all: readonly AlertOutcome[]): { shown: OutcomeColumn[]; absent: string[] } {
  const [first] = all;
  const shown = COLUMNS.filter((column) => all.some((of) => column.text(of) !== null));
  const others = first === undefined ? [] : COLUMNS.filter((column) => !shown.includes(column));
  return { shown, absent: others.map((column) => `${column.name}: ${first === undefined ? '' : column.reason(first)}`) };
}
