import { expect, test } from 'vitest';
import { formatPlace, parsePlace } from '../../state/url';
import type { Threshold } from '../../api/types';
import { exitBeside, formatChanges, parseChanges, redone, settings, stepped, turned, undone } from './changes';
import type { Steps } from './changes';
import type { HitRates } from '../../api/types';
import { shown, shownText, typed } from './units';
import { skillText } from './words';

test('changes survive an address, and what is none of them is left out', () => {
  const changes = { 'HIGH_VOL.realized_vol_1h#2': 1.2, 'trend.DOWNTREND.slope_pct': -0.06, 'A.b': 1e-7 };
  const address = formatPlace({ path: '/whatif', params: { set: formatChanges(changes) } });
  const url = new URL(address, 'http://x');
  expect(parseChanges(parsePlace(url.pathname, url.search).params['set'])).toEqual(changes);
  expect(parseChanges('A.b:1,nonsense,C.d:,:3,E.f:x,G.h:-2')).toEqual({ 'A.b': 1, 'G.h': -2 });
  expect(parseChanges(undefined)).toEqual({});
  expect(formatChanges({ b: 2, a: 1 })).toBe('a:1,b:2');
});

test('a number back at the book’s own is no change, and its exit goes with it only when it is reset', () => {
  const changes = { 'A.b': 2, 'A.b.exit': 1 };
  expect(turned(changes, 'A.b', 3, 1.5)).toEqual({ 'A.b': 3, 'A.b.exit': 1 });
  expect(turned(changes, 'A.b', 1.5, 1.5)).toEqual({ 'A.b.exit': 1 });
  expect(turned(changes, 'A.b', null, 1.5)).toEqual({});
  expect(turned(changes, 'A.b.exit', null, 0.5)).toEqual({ 'A.b': 2 });
});

test('a threshold goes to the server before its exit', () => {
  expect(settings({ 'A.b.exit': 1, 'A.b': 2, 'A.a.exit': 0 })).toEqual(['A.b=2', 'A.a.exit=0', 'A.b.exit=1']);
});

test('an exit goes along: shares by their distance, others by their ratio', () => {
  const of = (value: number, exit: number, low: number, high: number): Threshold => ({ value, exit, low, high }) as Threshold;
  expect(exitBeside(of(0.8, 0.48, 0, 2.4), 1)).toBe(0.6);
  expect(exitBeside(of(0.9, 0.6, 0, 1), 0.95)).toBe(0.65);
  expect(exitBeside(of(0, 0, -0.15, 0.15), 0.02)).toBe(0.02);
});

test('steps go back and forth, and a new one ends what lay ahead', () => {
  let steps: Steps = { past: [], now: '', future: [] };
  steps = stepped(stepped(stepped(steps, 'a'), 'b'), 'b');
  expect(steps).toEqual({ past: ['', 'a'], now: 'b', future: [] });
  steps = undone(undone(steps));
  expect(steps).toEqual({ past: [], now: '', future: ['a', 'b'] });
  expect(undone(steps)).toBe(steps);
  steps = redone(steps);
  expect(steps.now).toBe('a');
  expect(stepped(steps, 'c')).toEqual({ past: ['', 'a'], now: 'c', future: [] });
});

test('numbers are typed as they are shown', () => {
  for (const [x, unit, text] of [
    [0.07, 'fraction', '7'],
    [0.8, 'annualised fraction', '80'],
    [2.5, 'σ', '2.5'],
    [-0.06, 'percent per bar', '-0.06'],
  ] as const) {
    expect(String(shown(x, unit))).toBe(text);
    expect(typed(text, unit)).toBe(x);
  }
  expect([typed('', 'σ'), typed('x', 'σ'), typed(' −2 ', 'σ')]).toEqual([null, null, -2]);
});

test('a skill stands with its band and what that amounts to', () => {
  const of = (value: number | null, low: number | null, high: number | null): HitRates => ({ skill: { value, low, high } }) as HitRates;
  expect(skillText(of(-0.066, -0.096, -0.033))).toBe('−6.6 % (−9.6 to −3.3), worse so far');
  expect(skillText(of(0.001, -0.003, 0.005))).toBe('+0.1 % (−0.3 to 0.5), no skill shown');
  expect(skillText(of(0.02, 0.01, 0.03))).toBe('+2.0 % (1.0 to 3.0), better so far');
  expect(skillText(of(null, null, null))).toBe('too little data');
  expect(shownText(-0.06, 'percent per bar')).toBe('−0.06');
});
