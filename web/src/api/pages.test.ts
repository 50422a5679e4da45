import { expect, test } from 'vitest';
import { readPages } from './pages';

const stop = new AbortController().signal;

/** A list of so many pages with one item each, and the addresses that were asked for. */
function list(pages: number): { asked: string[]; read: (path: string) => Promise<{ items: number[]; next_cursor: string | null }> } {
  const asked: string[] = [];
  const read = (path: string) => {
    asked.push(path);
    return Promise.resolve({ items: [asked.length], next_cursor: asked.length < pages ? `c+${asked.length}` : null });
  };
  return { asked, read };
}

test('a list is read to its end, with all other parameters as they were', async () => {
  const { asked, read } = list(3);
  expect(await readPages('/api/v1/events?limit=1', stop, read)).toEqual({ items: [1, 2, 3], whole: true });
  expect(asked).toEqual(['/api/v1/events?limit=1', '/api/v1/events?limit=1&cursor=c%2B1', '/api/v1/events?limit=1&cursor=c%2B2']);
});

test('a list without end is left, and says so', async () => {
  const { asked, read } = list(1_000);
  const { items, whole } = await readPages('/all', stop, read);
  expect(whole).toBe(false);
  expect(items).toHaveLength(20);
  expect(asked[1]).toBe('/all?cursor=c%2B1');
});
