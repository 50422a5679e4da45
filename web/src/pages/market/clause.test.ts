import { expect, test } from 'vitest';
import { clauseBar } from './clause';

const above = { value: 1.17, threshold: 0.8, op: '>', abs: false };

test('the threshold stands left of a value beyond it', () => {
  const bar = clauseBar(above);
  expect(bar?.right).toBe(true);
  expect(bar?.value).toBeGreaterThan(bar?.threshold ?? 1);
  expect(bar?.zero).toBe(0);
});

test('an absolute condition is drawn by its size', () => {
  expect(clauseBar({ value: -2.3, threshold: 2, op: '>', abs: true })?.value).toBeGreaterThan(0.5);
});

test('values below zero leave room on the left', () => {
  const bar = clauseBar({ value: -0.3, threshold: 0.15, op: '>', abs: false });
  expect(bar?.zero).toBeGreaterThan(0);
  expect(bar?.value).toBeLessThan(bar?.zero ?? 0);
});

test('without a value the threshold still stands; words have no bar', () => {
  expect(clauseBar({ ...above, value: null })?.value).toBeNull();
  expect(clauseBar({ ...above, threshold: 'LONG_SQUEEZE' })).toBeNull();
});
