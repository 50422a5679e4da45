// An element made once and kept for good holds the first tree that it stood in, and by its children every later one: a page that plays grew
// by 30 MB a minute. So elements are made where a component is called, and what is drawn once is kept as text.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;

/** Lines of a source on which an element is made outside of every function. */
function keptElements(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isJsxElement(node) || ts.isJsxSelfClosingElement(node) || ts.isJsxFragment(node)) {
      found.push(source.getLineAndCharacterOfPosition(node.getStart()).line + 1);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('no element outlives the render it was made in', () => {
  const files = readdirSync(SRC, { recursive: true }).filter((file) => file.endsWith('.tsx') && !file.endsWith('.test.tsx'));
  expect(files.length).toBeGreaterThan(80);
  // What mounts the page makes its one element there.
  const all = files.flatMap((file) => keptElements(file, readFileSync(join(SRC, file), 'utf8')).map((line) => `${file}:${line}`));
  expect(all.filter((place) => !place.startsWith('main.tsx'))).toEqual([]);
});

test('an element kept in a table or a constant is found', () => {
  expect(keptElements('a.tsx', 'const SIGNS = {\n  up: <path d="M1 1" />,\n};')).toEqual([2]);
  expect(keptElements('a.tsx', 'export const sign = () => <path />;\nfunction Two() { return <i>a</i>; }')).toEqual([]);
});
