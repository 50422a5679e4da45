// What the numbers of a study are called and how they are printed. A score that is not known here is shown under its own name.
import type { LabBacktest, LabInput, LabStudy, LabStudyView } from '../../api/types';
import { NONE, count, fixed, percent, plain } from '../../format/number';
import { SECOND, span } from '../../format/time';

type Print = (value: number) => string;

interface Named {
  name: string;
  title: string;
}

const three: Print = (x) => fixed(x, 3);
const four: Print = (x) => fixed(x, 4);
const whole: Print = (x) => plain(x, 12);
const signed: Print = (x) => fixed(x, 2, true);
const share: Print = (x) => percent(x, 2, true);
const bps: Print = (x) => `${fixed(x, 2, true)} bp`;

/** Name, meaning and print of each score (research §5, §6). */
const SCORES: Record<string, readonly [name: string, title: string, print: Print]> = {
  n_test: ['test rows', 'rows it was judged on', whole],
  n_folds: ['blocks', 'test blocks', whole],
  n_trials: ['fits so far', 'configurations fitted for this target, over all runs, up to and with this model', whole],
  auc: ['AUC', 'mean over blocks, with its 90 % band; 0.5 ranks like chance', three],
  auc_pooled: ['AUC pooled', 'of all test rows together', three],
  bss_clim: ['skill', 'Brier skill against the training frequency', share],
  brier: ['Brier', 'mean squared error of the probability', four],
  log_loss: ['log loss', 'nats', four],
  ece: ['ECE', 'expected calibration error', four],
  macro_f1: ['macro F1', 'mean F1 of the three classes', three],
  macro_f1_gain: ['over persistence', 'macro F1 above that of persistence, with its paired 90 % band', (x) => fixed(x, 3, true)],
  macro_f1_persistence: ['F1 of persistence', 'macro F1 of the last class repeated', three],
  f1_by_class_0: ['F1 low', 'F1 of the lowest class', three],
  f1_by_class_1: ['F1 middle', 'F1 of the middle class', three],
  f1_by_class_2: ['F1 high', 'F1 of the highest class', three],
  r2_oos: ['R²', 'against the training mean, on test rows', share],
  ic: ['IC', 'Spearman correlation of prediction and outcome', three],
  rmse: ['RMSE', 'root of the mean squared error, unit of the target', smallText],
  sharpe_net: ['Sharpe', 'annual, after costs', signed],
  sharpe_gross: ['Sharpe before costs', 'annual', signed],
  dsr: ['DSR', 'deflated Sharpe ratio with all trials', three],
  dsr_effective: ['DSR, effective trials', 'deflated Sharpe ratio with the effective number of trials', three],
  pbo: ['PBO', 'probability of back-test overfitting', three],
  net: ['net result', 'fraction of the capital, after costs', share],
  net_bps: ['a trade', 'net of all costs', bps],
  avg_cost_bps: ['costs a trade', 'spread, impact and fees', bps],
  break_even_cost_bps: ['break-even costs', 'what a round trip may cost until nothing is left', bps],
  turnover: ['turnover', 'quote traded a day in multiples of the capital', plain],
  max_drawdown: ['largest fall', 'of the equity curve, fraction of the capital', (x) => percent(x, 2)],
  exposure: ['exposure', 'share of the time with a position', (x) => percent(x, 1)],
  trades: ['round trips', 'trades opened and closed', whole],
  untraded: ['untraded', 'orders that found no book or not enough in it', whole],
  tried: ['thresholds tried', 'all folds together', whole],
  rows: ['decisions', 'rows decided at', whole],
  days: ['UTC days', 'days with decisions', whole],
  fee_bps: ['fee', 'taker fee a side', (x) => `${plain(x)} bp`],
  latency_ms: ['latency', 'from a decision until its order is at the venue', (x) => `${plain(x)} ms`],
  notional: ['a trade of', 'quote behind every trade', whole],
  fit_s: ['fitting', 'all blocks together', (x) => `${plain(x, 3)} s`],
  predict_us_row: ['predicting', 'a row', (x) => `${plain(x, 3)} µs`],
  size_kb: ['size', 'of the fitted model', (x) => `${plain(x, 3)} KiB`],
  control_half_width: ['control interval', 'half of the 99 % interval in which the AUC of the control has to lie', (x) => `±${fixed(x, 3)}`],
};

/** What a column is called, and what it means. */
export function nameOf(column: string): Named {
  const known = SCORES[column];
  return known === undefined ? { name: column.replaceAll('_', ' '), title: column } : { name: known[0], title: known[1] };
}

/** A number of this name. */
export function show(column: string, value: number): string {
  return (SCORES[column]?.[2] ?? ((x: number) => plain(x)))(value);
}

const ENDS = [
  ['_lo', '_hi'],
  ['_low', '_high'],
] as const;

/** The columns of a board without the ends of bands, which stand beside their middle. */
export function boardColumns(columns: readonly string[]): string[] {
  const there = new Set(columns);
  const isEnd = (column: string): boolean => ENDS.some((ends) => ends.some((end) => column.endsWith(end) && there.has(column.slice(0, -end.length))));
  return columns.filter((column) => !isEnd(column));
}

/** A score with its band, where it has one. */
export function cellText(column: string, scores: Readonly<Record<string, number>>): string {
  const value = scores[column];
  if (value === undefined) return NONE;
  for (const [low, high] of ENDS) {
    const [from, to] = [scores[column + low], scores[column + high]];
    if (from !== undefined && to !== undefined) return `${show(column, value)} (${show(column, from)} to ${show(column, to)})`;
  }
  return show(column, value);
}

export interface Control {
  word: string;
  tone: 'calm' | 'amber' | 'red';
  means: string;
}

/** What the control on permuted labels says of a study. */
export function controlOf(study: Pick<LabStudy, 'control'>): Control {
  switch (study.control) {
    case 'clean':
      return { word: 'Control clean', tone: 'calm', means: 'A model on permuted labels ranks rows like chance, as it has to.' };
    case 'suspected':
      return { word: 'Leak suspected', tone: 'red', means: 'A model on permuted labels ranks rows better or worse than chance: nothing on this board may be believed.' };
    default:
      return { word: 'No leak control', tone: 'amber', means: 'Too little data to say whether a model on permuted labels ranks rows like chance: nothing on this board is shown to be free of leaks.' };
  }
}

/** `5 s ahead`; nothing where that is not counted in time. */
export function targetText(study: Pick<LabStudy, 'horizon_s'>): string {
  return study.horizon_s === null ? '' : `${span(study.horizon_s * SECOND)} ahead`;
}

/** What stands behind market and target in the place of a study: one run of several. */
export function runOf(study: Pick<LabStudy, 'study' | 'target'>): string {
  const parts = study.study.split('/');
  const at = parts.indexOf(study.target);
  return at < 0 ? '' : parts.slice(at + 1).join('/');
}

/** The first of a board with its criterion. */
export function bestText(study: Pick<LabStudy, 'best' | 'best_value' | 'criterion'>): string {
  if (study.best === null) return NONE;
  return study.best_value === null ? study.best : `${study.best}, ${nameOf(study.criterion).name} ${show(study.criterion, study.best_value)}`;
}

const AGAINST: Record<string, string> = { bss_clim: 'the training frequency', r2_oos: 'the training mean' };

/** What a study amounts to. */
export function lead({ about, models }: Pick<LabStudyView, 'about' | 'models'>): string {
  if (about.best === null || about.best_value === null) return 'Nothing can be said of any model yet.';
  const rows = models.find((row) => row.model === about.best)?.scores['n_test'];
  const over = rows === undefined ? '' : ` over ${count(rows, 'test row')}`;
  const against = AGAINST[about.criterion];
  if (against !== undefined && about.best_value <= 0) return `No model beats ${against}${over}.`;
  return `${about.best} is first: ${nameOf(about.criterion).name} ${show(about.criterion, about.best_value)}${against === undefined ? '' : ` against ${against}`}${over}.`;
}

export function tradesLead(of: LabBacktest): string {
  const trades = of.figures['trades'] ?? 0;
  const net = of.figures['net_bps'];
  if (trades === 0 || net === undefined) return 'No trade was made.';
  const gross = of.figures['break_even_cost_bps'];
  const before = gross === undefined ? '' : `${bps(gross)} before costs, `;
  return `${count(trades, 'round trip')}: ${before}${bps(net)} after them.`;
}

/** `ofi`, or the first of a group and how many are like it. */
export function inputName(row: Pick<LabInput, 'columns'>): string {
  const [first = '', ...rest] = row.columns;
  return rest.length === 0 ? first : `${first} and ${rest.length} like it`;
}

/** Whether the band is above zero. */
export function stands(row: Pick<LabInput, 'band'>): boolean {
  return row.band !== null && (row.band[0] ?? 0) > 0;
}

/** A number far from one with two digits and its power of ten. */
export function smallText(x: number): string {
  if (x === 0 || Math.abs(x) >= 0.001) return plain(x, 3);
  const [digits = '', power = ''] = Math.abs(x).toExponential(1).split('e');
  return `${x < 0 ? '−' : ''}${digits}·10${[...power.replace('+', '')].map((sign) => SUPERSCRIPTS[sign] ?? '').join('')}`;
}

const SUPERSCRIPTS: Record<string, string> = { '-': '⁻', '0': '⁰', '1': '¹', '2': '²', '3': '³', '4': '⁴', '5': '⁵', '6': '⁶', '7': '⁷', '8': '⁸', '9': '⁹' };

export function bandText(row: Pick<LabInput, 'band'>): string {
  return row.band === null ? NONE : `${smallText(row.band[0] ?? 0)} to ${smallText(row.band[1] ?? 0)}`;
}

/** From where to where bars are drawn: all means and zero, and bands as far as twice the longest bar. */
export function reachOf(rows: readonly Pick<LabInput, 'increase' | 'band'>[]): readonly [number, number] {
  const most = Math.max(1e-12, ...rows.map((row) => Math.abs(row.increase)));
  const ends = rows.flatMap((row) => [row.increase, ...(row.band ?? [])]).map((end) => Math.min(2 * most, Math.max(-2 * most, end)));
  return [Math.min(0, ...ends), Math.max(most * 0.1, ...ends)];
}

/** Models that have columns of their own, and those that this program fits itself. */
export const WITH_INPUTS: readonly string[] = ['linear', 'gbm', 'lightgbm', 'mlp', 'ensemble'];
const OWN: readonly string[] = [...WITH_INPUTS, 'prior', 'persistence', 'har', 'regime_gbm'];

/** The option that names the first of these models on a board; nothing where it has none. */
export function ofModel({ models }: Pick<LabStudyView, 'models'>, known: readonly string[] = OWN): string {
  const first = models.find((row) => !row.is_control && known.includes(row.model));
  return first === undefined ? '' : ` --model ${first.model}`;
}

/** Classes of a target with three. */
export const CLASSES = ['low', 'middle', 'high'] as const;
