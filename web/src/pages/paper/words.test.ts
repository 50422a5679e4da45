import { expect, test } from 'vitest';
import type { PaperGroup, PaperReview, PaperTrade } from '../../api/types';
import { filtered, gapText, groups, mixedText, notMadeText, readText, summary, takenText, weekDays, wonText } from './words';

const NOTHING: PaperGroup = { decisions: 0, open: 0, unresolved: 0, resolved: 0, won: 0, win_rate: null, win_rate_band: null, mean_r: null, mean_r_after_costs: null, plain_mean_r_after_costs: null };

function review(all: Partial<PaperGroup>, taken: Partial<PaperGroup>, gap: number | null = null): PaperReview {
  const confidence = { above_07: NOTHING, between: NOTHING, below_04: NOTHING, null: NOTHING, gap, gap_missing: gap === null ? 'too few' : null };
  return { week: '2026-W08', from: '', until: '', by_strategy: {}, all: { ...NOTHING, ...all }, taken: { ...NOTHING, ...taken }, skipped: NOTHING, by_verdict: { AVOID: NOTHING, CAUTION: NOTHING }, confidence, low_confidence: [], not_made: {}, best: [], worst: [] };
}

test('the first sentence says how many before it says a mean', () => {
  expect(summary(review({}, {}))).toBe('No decision in this week.');
  expect(summary(review({ decisions: 1 }, { decisions: 1 }))).toBe('1 decision, 1 taken; no outcome of these is known yet.');
  expect(summary(review({ decisions: 12 }, { decisions: 8, resolved: 7, mean_r_after_costs: 0.123, plain_mean_r_after_costs: -0.05 }))).toBe(
    '12 decisions, 8 taken. Of 7 taken trades with an outcome the mean is +0.12 R after costs; the plain pair of stop and target: −0.05 R.',
  );
});

test('a win rate stands with its interval, a gap only where both groups are large enough', () => {
  expect(wonText(NOTHING)).toBe('–');
  expect(wonText({ ...NOTHING, win_rate: 0.4567, win_rate_band: [0.25, 0.66] })).toBe('46 % (25 to 66)');
  expect(gapText(review({}, {}))).toMatch(/undefined/);
  expect(gapText(review({}, {}, 0.045))).toMatch(/\+4\.5 points/);
});

test('groups come in one order, verdicts that nobody gave are left out', () => {
  expect(groups(review({}, {})).map(([name]) => name)).toEqual(['all', 'taken', 'skipped', 'take care', 'this speaks against it', 'confidence above 0.7', '0.4 to 0.7', 'below 0.4', 'no confidence']);
});

test('entries without a decision are said with their reasons', () => {
  expect(notMadeText(review({}, {}))).toBeNull();
  expect(notMadeText({ ...review({}, {}), not_made: { late: 1, gap: 1_200, other_word: 2 } })).toBe('No decision on 1,203 entries: bars missing 1,200, other word 2, bar arrived too late 1.');
});

test('decisions by kind; without a confidence counts as low', () => {
  const trade = (taken: boolean, confidence: number | null, skipped: string | null = null): PaperTrade => ({ taken, confidence, skipped, reasons: confidence !== null && confidence < 0.4 ? ['low_confidence'] : ['x'] }) as PaperTrade;
  const all = [trade(true, 0.8), trade(false, 0.39, 'avoid'), trade(true, null), trade(false, 0.4, 'position_open')];
  expect(['all', 'taken', 'skipped', 'low'].map((filter) => filtered(all, filter).length)).toEqual([4, 2, 2, 2]);
  expect(all.map(takenText)).toEqual(['taken', 'skipped: advice against it', 'taken', 'skipped: one was open']);
});

test('an entry says who picked it and what was read; several strategies of a week are named', () => {
  const trade = (strategy: string, readings: Record<string, number>): PaperTrade => ({ strategy, readings }) as PaperTrade;
  expect(readText(trade('volume_vwap', { volume_ratio: 2.1, vwap: 99 }))).toBe('volume VWAP: volume ratio 2.1, vwap 99');
  expect(readText(trade('multi_tf', {}))).toBe('multi-timeframe trend');
  expect(mixedText(review({}, {}))).toBeNull();
  expect(mixedText({ ...review({}, {}), by_strategy: { multi_tf: 1, volume_vwap: 12 } })).toBe(
    'Decisions of several strategies: multi-timeframe trend 1, volume VWAP 12. The figures are of all of them together.',
  );
});

test('a week by its days', () => {
  expect(weekDays('2026-02-16T00:00:00Z')).toBe('16 to 22 Feb 2026');
  expect(weekDays('2026-02-23T00:00:00Z')).toBe('23 Feb to 1 Mar 2026');
  expect(weekDays('2025-12-29T00:00:00Z')).toBe('29 Dec 2025 to 4 Jan 2026');
});
