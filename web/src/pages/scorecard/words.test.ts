import { expect, test } from 'vitest';
import type { AlertScore, ScoreRow, Scorecard } from '../../api/types';
import { alertsOf, axisOf, barOf, decision, denominators, headline, leadText, rightText, rowsOf, says, scaleOf, skillText, summary, toneOf } from './words';

const SOME = { asked: 1_000, issued: 990, not_issued: { stale: 10 }, waiting: 5, void: 1, unresolvable: 2, resolved: 982, abstained: { too_few_cases: 82 }, scored: 900, revised: 0 };

function row(verdict: string, band: [number, number, number] | null, more: object = {}): ScoreRow {
  const [value, low, high] = band ?? [null, null, null];
  const skill = { value, low, high, n: 900, brier: 0.1, reference_brier: 0.11 };
  const base = { event: 'hv_1h', forecaster: 'rules', scope: 'all', window: 'all', denominators: SOME, n_eff: 412, persistence: skill, climatology: skill, verdict, curve: [], reliability: [], sequence: null };
  return { ...base, ...more } as unknown as ScoreRow;
}

const DECIDED = { n: 75, mean: 0.01, low: 0.001, high: 0.04, activated_at: '2026-02-05T10:00:00Z' };

test('what is not decided has no colour', () => {
  expect(['skill', 'better_so_far', 'no_skill_shown', 'worse_so_far', 'worse_than_persistence'].map((verdict) => toneOf(row(verdict, [0.1, 0.1, 0.1])))).toEqual(['calm', 'none', 'none', 'none', 'red']);
  expect(says(row('better_so_far', [0.1, 0.1, 0.1]))).toBe('better so far');
  expect(says(row('skill', [0.1, 0.1, 0.1], { sequence: DECIDED }))).toBe('better than persistence, decided 2026-02-05');
});

test('a skill is said with its band and its windows, or not at all', () => {
  const cases: [ScoreRow, string][] = [
    [row('skill', [0.041, 0.012, 0.07]), 'Better than persistence by 4.1 % (90 % band 1.2 to 7.0, 412 separate windows)'],
    [row('worse_than_persistence', [-0.05, -0.09, -0.001]), 'Worse than persistence by 5.0 % (90 % band −9.0 to −0.1, 412 separate windows)'],
    [row('better_so_far', [0.041, 0.012, 0.07]), 'Better so far by 4.1 %, not decided (90 % band 1.2 to 7.0, 412 separate windows)'],
    [row('worse_so_far', [-0.05, -0.09, -0.001]), 'Worse so far by 5.0 %, not decided (90 % band −9.0 to −0.1, 412 separate windows)'],
    [row('skill', [0.041, 0.012, 0.07], { sequence: DECIDED }), 'Better than persistence by 4.1 % (90 % band 1.2 to 7.0, 412 separate windows), decided 2026-02-05'],
    [row('no_skill_shown', [0.02, -0.01, 0.05], { n_eff: 1 }), 'No skill shown: the band includes zero (90 % band −1.0 to 5.0, 1 separate window)'],
    [row('too_little_data', null, { n_eff: 7 }), 'Too little data: 7 separate windows, too few for a band'],
    [row('too_little_data', null, { denominators: { ...SOME, scored: 0 } }), 'Too little data: nothing is scored yet'],
    [row('too_little_data', null, { persistence: { value: null, low: null, high: null, n: 0 } }), 'Not judged: persistence has no reference yet: it needs 100 cases of a known state before the window; 412 separate windows'],
    // On which side of zero a band ends is said where rounding would hide it.
    [row('worse_than_persistence', [-0.02, -0.04, -0.0002]), 'Worse than persistence by 2.0 % (90 % band −4.0 to just below 0, 412 separate windows)'],
    // A verdict without a band is no number.
    [row('skill', null), 'Too little data: 412 separate windows, too few for a band'],
  ];
  for (const [of, want] of cases) expect(headline(of)).toBe(want);
  expect(skillText(row('skill', null).persistence)).toBe('–');
  expect(skillText(row('skill', [0.041, 0.012, 0.07]).persistence)).toBe('+4.1 % (1.2 to 7.0)');
});

test('the summary counts verdicts, and what is too little apart', () => {
  expect(summary([row('skill', [0.1, 0.1, 0.1]), row('no_skill_shown', [0, -1, 1]), row('too_little_data', null)])).toBe(
    'Of 2 events with enough data: 1 better than persistence, 1 with no skill shown. 1 event is not judged: too little data, or no persistence to compare with.',
  );
  expect(summary([row('worse_than_persistence', [-0.1, -0.2, -0.1])])).toBe('Of 1 event with enough data: 0 better than persistence, 0 with no skill shown, 1 worse than persistence.');
  expect(summary([row('better_so_far', [0.1, 0.1, 0.1]), row('worse_so_far', [-0.1, -0.2, -0.1])])).toBe('Of 2 events with enough data: 0 better than persistence, 1 better so far, 0 with no skill shown, 1 worse so far.');
  expect(summary([row('too_little_data', null)])).toMatch(/^Too little data/);
});

test('denominators say each step, and void first where it is much', () => {
  expect(denominators(row('skill', null))).toEqual([
    'Asked 1,000 times, 990 forecasts registered; 10 not: stale 10.',
    'Of these 982 resolved, 5 wait for the end of their window, 2 could not be resolved for lack of data, 1 void.',
    'Of the resolved 900 scored; 82 stated no probability: too few cases 82.',
  ]);
  const revised = row('skill', null, { denominators: { ...SOME, revised: 2 } });
  expect(denominators(revised)[3]).toBe('The minutes that 2 outcomes rest on were corrected a day later or more and would now give another outcome; the outcome of then is kept.');
  const much = row('skill', [0.1, 0.1, 0.1], { denominators: { ...SOME, void: 20 } });
  expect(denominators(much)[0]).toBe('20 of 990 are void: read the rest with care.');
  expect(says(much)).toBe('20 void of 990');
  expect(says(row('skill', [0.1, 0.1, 0.1], { denominators: { ...SOME, void: 19 } }))).toBe('better than persistence');
  expect(says(row('no_skill_shown', [0, -1, 1]))).toBe('no skill shown');
});

test('the decision is the confidence sequence, not the band', () => {
  const s = { n: 75, mean: 0.01, low: -0.02, high: 0.04, activated_at: null };
  expect(decision(row('skill', null))).toBeNull();
  expect(decision(undefined)).toBeNull();
  expect(decision(row('worse_than_persistence', null, { sequence: { ...s, high: -0.01 } }))).toMatch(/^Decided: worse than persistence;/);
  expect(decision(row('skill', null, { sequence: s }))).toMatch(/^Not decided: .* −0\.020 to 0\.040 after 75 separate windows/);
  expect(decision(row('skill', null, { sequence: { ...s, activated_at: '2026-02-05T10:00:00Z' } }))).toMatch(/since 2026-02-05;/);
});

test('bars share a scale, with zero in the middle', () => {
  const rows = [row('skill', [0.041, 0.012, 0.07]), row('no_skill_shown', [0, -0.15, 0.1]), row('too_little_data', null)];
  expect(scaleOf(rows)).toBe(0.15);
  expect(scaleOf([])).toBe(0.05);
  expect(scaleOf([row('worse_than_persistence', [-3, -4, -2])])).toBe(1);
  expect(barOf(row('skill', [0.1, 0, 0.4]).persistence, 0.2)).toEqual({ low: 50, high: 100, value: 75 });
  expect(barOf(row('skill', null).persistence, 0.2)).toBeNull();
});

test('rare events have an axis that shows them', () => {
  expect(axisOf(row('skill', null, { curve: [{ from: 0, upto: 0.08, calibrated: 0.12, n: 5 }] }))).toBe(0.2);
  expect(axisOf(row('skill', null, { reliability: [{ stated: 0.7, observed: 0.4 }] }))).toBe(1);
});

test('rows and alerts are those of the scope', () => {
  const alert = { alert: 'HIGH_VOL', event: 'hv_1h', scope: 'all', window: 'all', n: 20, hits: 9, precision: 0.45, precision_band: [0.3, 0.6], lead_min: [25, 5, 90] } as unknown as AlertScore;
  const never = row('skill', null, { denominators: { ...SOME, asked: 0 } });
  const card = { rows: [row('skill', null), row('skill', null, { window: '90d' }), never], alerts: [alert, { ...alert, n: 0 }, { ...alert, scope: 'btc' }, { ...alert, window: '90d' }] } as unknown as Scorecard;
  expect(rowsOf(card, 'all', 'all').length).toBe(1);
  expect(alertsOf(card, 'all', 'all', null)).toEqual([alert]);
  expect(alertsOf(card, 'all', '90d', null)).toEqual([{ ...alert, window: '90d' }]);
  expect(alertsOf(card, 'all', 'all', 'calm_4h')).toEqual([]);
  expect(rightText(alert)).toBe('9 of 20 (45.0 %, band 30.0 to 60.0)');
  expect(leadText(alert)).toBe('25 min (5 min to 1 h 30 min)');
  expect(leadText({ ...alert, lead_min: [0, 0, 0] })).toBe('0 min');
});
