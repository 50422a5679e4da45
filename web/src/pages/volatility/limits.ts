// Where one class of volatility ends and the next begins, by the rule book in use: read from the trace of a market's snapshot,
// which has every rule with its threshold. Nothing is assumed of a book.
import type { RuleTrace } from '../../api/types';
import { volatility } from '../../format/number';

const DAYS = 365;
/** Features of volatility, and what makes one of them an annualised fraction. */
const ANNUAL: Record<string, number> = { vol_daily: Math.sqrt(DAYS), vol_annual: 1 };

/** `STABLE` → `up to 19 %`, `EXTREME` → `above 191 %`; empty where the rules cannot be put that way. */
export function limitsOf(trace: readonly RuleTrace[]): Map<string, string> {
  const lower = trace.flatMap((rule): [string, number][] => {
    const clause = rule.clauses[0];
    const scale = clause === undefined ? undefined : ANNUAL[clause.feature];
    if (rule.axis !== 'volatility' || rule.clauses.length !== 1 || clause?.op !== '>' || scale === undefined) return [];
    return typeof clause.threshold === 'number' ? [[rule.label, clause.threshold * scale]] : [];
  });
  const out = new Map(lower.map(([label, limit]) => [label, `above ${volatility(limit)}`]));
  if (lower.length > 0) out.set('STABLE', `up to ${volatility(Math.min(...lower.map(([, limit]) => limit)))}`);
  return out;
}
