import { expect, test } from 'vitest';
import { byMoved, changedText, driftText, rollingText } from './drift';

test('says why there is no word', () => {
  expect(driftText({ word: 'changed', weeks: 104 })).toBe('changed');
  expect(driftText({ word: 'as_before', weeks: 26 })).toBe('as before');
  expect(driftText({ word: null, weeks: 1 })).toBe('not known: 1 week of 26');
});

test('counts words over readings', () => {
  expect(changedText([{ word: 'changed' }, { word: 'shifted' }, { word: 'as_before' }, { word: null }])).toBe('Of 4 readings 1 changed, 1 shifted, 1 as before, 1 not known.');
  expect(changedText([{ word: null }])).toBe('Too early to say: there are not yet 26 earlier weeks of any reading.');
});

test('what has moved stands before what has not or cannot be told', () => {
  const [changed, before, unknown] = [{ word: 'changed' }, { word: 'as_before' }, { word: null }] as const;
  expect(byMoved([before, changed, unknown])).toEqual([[changed], [before, unknown]]);
});

test('says a skill with its band', () => {
  expect(rollingText({ skill: 0.041, low: 0.012, high: 0.07, verdict: 'better_so_far' })).toBe('+4.1 % (1.2 to 7.0), better so far');
  expect(rollingText({ skill: 0.041, low: null, high: null, verdict: 'too_little_data' })).toBe('+4.1 %, no band');
});
