import { expect, test } from 'vitest';
import { PAGES, componentOf } from './list';

test('every page has its component, and every component its page', () => {
  const wanted = Object.keys(PAGES).map((page) => `./${page}/${componentOf(page)}.tsx`);
  expect(Object.keys(import.meta.glob('./*/*Page.tsx')).sort()).toEqual(wanted.sort());
});
