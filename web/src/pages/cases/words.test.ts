import { expect, test } from 'vitest';
import { entryText, shareText, stateText } from './words';

test('a closed case shows what came of it', () => {
  expect(stateText('open', null)).toBe('Open');
  expect(stateText('closed', 'false')).toBe('Closed as false');
});

test('an entry reads on from its author', () => {
  expect(entryText({ kind: 'closed', disposition: 'true' })).toBe('closed it as true');
  expect(entryText({ kind: 'note', disposition: null })).toBe('added a note');
});

test('a share has its interval, and without a case there is none', () => {
  expect(shareText({ value: 0.8, low: 0.4902, high: 0.9433 }, '–')).toBe('0.80 (0.49–0.94)');
  expect(shareText(null, 'none closed')).toBe('none closed');
});
