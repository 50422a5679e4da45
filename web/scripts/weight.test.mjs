// What is counted of a built page: the entry and the market's part, each other part by itself, and nothing twice or nowhere.
import { expect, test } from 'vitest';
import { weigh } from './weight.mjs';

const built = (files) => new Map(Object.entries(files).map(([name, [text, gz]]) => [name, { text, gz }]));

const PAGE = {
  'index.html': ['<script type="module" src="/assets/index-a.js"></script><link rel="stylesheet" href="/assets/index-a.css">', 1],
  'assets/index-a.css': ['', 10],
  'assets/index-a.js': [
    'const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["assets/CasesPage-c.js","assets/CasesPage-c.css"])))=>i.map(i=>d[i]);import{a}from"./base-b.js";' +
      'p(()=>import("./MarketPage-m.js"),[]);p(()=>import("./CasesPage-c.js"),__vite__mapDeps([0,1]))',
    100,
  ],
  'assets/base-b.js': ['', 1_000],
  'assets/MarketPage-m.js': ['import"./base-b.js";import{c}from"./chart-d.js"', 10_000],
  'assets/chart-d.js': ['', 100_000],
  'assets/CasesPage-c.js': ['import{a}from"./base-b.js"', 7],
  'assets/CasesPage-c.css': ['', 70],
};

test('a market page is the entry, its styles and the part of the market', () => {
  const { market, later, stray } = weigh(built(PAGE));
  expect(market).toBe(111_111);
  expect([...later]).toEqual([['CasesPage-c.js', 77]]);
  expect(stray).toEqual([]);
});

test('what nothing loads is named, and a page without its market is an error', () => {
  expect(weigh(built({ ...PAGE, 'assets/lost-x.js': ['', 5] })).stray).toEqual(['assets/lost-x.js']);
  const { 'assets/index-a.js': _, ...rest } = PAGE;
  expect(() => weigh(built({ ...rest, 'assets/index-a.js': ['', 5] }))).toThrow('market page');
});
