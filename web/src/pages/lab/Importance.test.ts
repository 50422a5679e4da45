import { expect, test } from 'vitest';
import type { LabImportance } from '../../api/types';
import { views } from './Importance';

const input = { columns: ['ofi'], increase: 0.1, band: null, by_fold: [], shap: null };
const regime = (name: string) => ({ regime: name, rows: 9, columns: [input], groups: [] });

function check(of: Partial<LabImportance>, want: readonly string[]) {
  const whole: LabImportance = { model: 'gbm', rows: 9, columns: [input], groups: [], judged: 1, regimes: [], ...of };
  expect(views(whole).map(([, text]) => text)).toEqual(want);
}

test('every regime of volatility can be looked at beside columns and groups', () => {
  check({}, ['Columns']);
  check({ groups: [input] }, ['Columns', 'Groups']);
  check({ groups: [input], regimes: ['low', 'middle', 'high'].map(regime) }, ['Columns', 'Groups', 'low volatility', 'middle volatility', 'high volatility']);
  check({ regimes: [regime('high')] }, ['Columns', 'high volatility']);
});
