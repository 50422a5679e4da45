import '../../testing/page';
import { expect, test } from 'vitest';
import type { LevelPage } from '../../api/types';
import { allLevels } from './levels';

test('every page is read, and each goes on where the one before ended', async () => {
  const asked: string[] = [];
  const pages: Record<string, LevelPage> = {
    '/levels?limit=2': { items: [{ level_id: 'a' }, { level_id: 'b' }] as LevelPage['items'], next_cursor: 'x+y' },
    '/levels?limit=2&cursor=x%2By': { items: [{ level_id: 'c' }] as LevelPage['items'], next_cursor: null },
  };
  const all = await allLevels('/levels?limit=2', new AbortController().signal, (path) => {
    asked.push(path);
    return Promise.resolve(pages[path] as LevelPage);
  });
  expect(all.map((level) => level.level_id)).toEqual(['a', 'b', 'c']);
  expect(asked).toEqual(Object.keys(pages));
});
