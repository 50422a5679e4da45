import { expect, test } from 'vitest';
import { WITH_INPUTS, boardColumns, cellText, controlOf, inputName, lead, nameOf, ofModel, reachOf, runOf, smallText, stands, targetText, tradesLead } from './words';

test('a band stands beside its middle, and a score that is not known has its own name', () => {
  const columns = ['n_test', 'auc', 'auc_lo', 'auc_hi', 'macro_f1_gain', 'macro_f1_gain_low', 'macro_f1_gain_high', 'loose_lo', 'novel_score'];
  expect(boardColumns(columns)).toEqual(['n_test', 'auc', 'macro_f1_gain', 'loose_lo', 'novel_score']);
  expect(cellText('auc', { auc: 0.5512, auc_lo: 0.52, auc_hi: 0.58 })).toBe('0.551 (0.520 to 0.580)');
  expect(cellText('auc', { auc: 0.5512 })).toBe('0.551');
  expect(cellText('auc', {})).toBe('–');
  expect(cellText('bss_clim', { bss_clim: -0.0123 })).toBe('−1.23 %');
  expect(nameOf('novel_score')).toEqual({ name: 'novel score', title: 'novel_score' });
});

test('what a study amounts to is one sentence, and no skill is none', () => {
  const about = { best: 'gbm', best_value: 0.0123, criterion: 'bss_clim' } as Parameters<typeof lead>[0]['about'];
  const models = [{ model: 'gbm', is_control: false, scores: { n_test: 12_345 } }];
  expect(lead({ about, models })).toBe('gbm is first: skill +1.23 % against the training frequency over 12,345 test rows.');
  expect(lead({ about: { ...about, best_value: -0.001 }, models })).toBe('No model beats the training frequency over 12,345 test rows.');
  expect(lead({ about: { ...about, criterion: 'macro_f1', best_value: 0.6 }, models: [] })).toBe('gbm is first: macro F1 0.600.');
  expect(lead({ about: { ...about, best: null }, models: [] })).toBe('Nothing can be said of any model yet.');
});

test('the control decides what may be believed', () => {
  expect(['clean', 'suspected', 'untested', 'new word'].map((control) => controlOf({ control }).word)).toEqual(['Control clean', 'Leak suspected', 'No leak control', 'No leak control']);
});

test('runs and horizons are in the words of the list', () => {
  expect(runOf({ study: 'binance-usdm/BTCUSDT/dir_5s', target: 'dir_5s' })).toBe('');
  expect(runOf({ study: 'binance-usdm/BTCUSDT/dir_5s/runs/ab12', target: 'dir_5s' })).toBe('runs/ab12');
  expect(targetText({ horizon_s: 300 })).toBe('5 min ahead');
  expect(targetText({ horizon_s: null })).toBe('');
});

test('bars share one scale that holds zero, and a wide band does not flatten them', () => {
  const row = (increase: number, low: number, high: number) => ({ columns: ['a'], increase, band: [low, high] as [number, number] });
  const rows = [row(0.01, 0.005, 0.015), row(0.001, -1, 1)];
  const [from, to] = reachOf(rows);
  expect([from, to]).toEqual([-0.02, 0.02]);
  expect(rows.map(stands)).toEqual([true, false]);
  expect(stands({ band: null })).toBe(false);
  expect(inputName({ columns: ['ofi', 'ofi_5s', 'ofi_10s'] })).toBe('ofi and 2 like it');
});

test('small numbers keep their digits', () => {
  expect([0.0123, 0.00012, -3.4e-7, 0].map(smallText)).toEqual(['0.0123', '1.2·10⁻⁴', '−3.4·10⁻⁷', '0']);
});

test('a back-test without trades says so', () => {
  const of = { model: 'gbm', tier: null, no_sharpe: null, equity: [] };
  expect(tradesLead({ ...of, figures: { trades: 0 } })).toBe('No trade was made.');
  expect(tradesLead({ ...of, figures: { trades: 21, net_bps: -9.5, break_even_cost_bps: 1.2 } })).toBe('21 round trips: +1.20 bp before costs, −9.50 bp after them.');
});

test('a command names the first model that it can be of', () => {
  const models = ['mine', 'prior', 'shuffled', 'gbm', 'linear'].map((model) => ({ model, is_control: model === 'shuffled', scores: {} }));
  expect(ofModel({ models })).toBe(' --model prior');
  expect(ofModel({ models }, WITH_INPUTS)).toBe(' --model gbm');
  expect(ofModel({ models: [] })).toBe('');
});
