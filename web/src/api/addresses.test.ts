import { expect, test } from 'vitest';

const SOURCES: Record<string, string> = import.meta.glob(['../**/*.{ts,tsx}', '!./schema.d.ts'], { query: '?raw', import: 'default', eager: true });

test('the page asks version 1 of the API, never a path that is kept for the originals', () => {
  const asked = Object.entries(SOURCES).flatMap(([path, text]) => [...text.matchAll(/['"`}](\/api\/[\w/-]*)/g)].map((found) => `${path}: ${found[1]}`));
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((each) => !each.includes(': /api/v1/'))).toEqual([]);
});
