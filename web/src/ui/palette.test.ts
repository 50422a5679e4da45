import { expect, test } from 'vitest';
import { entriesFor, wordsFit } from './palette';

const MARKETS = ['BTC/USDT', 'ETH/USDT', 'HELP/USDT', ...Array.from({ length: 30 }, (_, n) => `M${n}/USDT`)].map((symbol) => ({ symbol, venue: 'v', instrument: `v:${symbol.replace('/', '')}` }));
const PAGES = [
  { id: 'help', text: 'Help', note: 'page' },
  { id: 'scorecard', text: 'Was it right?', note: 'page' },
];
const ACTIONS = [{ id: 'theme', text: 'Use the light theme', note: '', words: 'dark colours' }];

function check(query: string, wanted: string): void {
  expect(
    entriesFor(query, MARKETS, PAGES, ACTIONS, Date.UTC(2026, 1, 5))
      .map((entry) => `${entry.kind}:${entry.text}`)
      .join(', '),
    query,
  ).toBe(wanted);
}

test('markets by name, pages and actions by words', () => {
  check('bitcoin', 'market:BTC/USDT');
  check('btc/usdt', 'market:BTC/USDT');
  check('right', 'page:Was it right?');
  check('dark', 'action:Use the light theme');
  check('the li', 'action:Use the light theme');
  check('nothing like it', '');
});

test('a market of that very name comes before a page', () => {
  check('help', 'market:HELP/USDT, page:Help');
  check('hel', 'page:Help, market:HELP/USDT');
});

test('a moment is offered first, and nothing typed offers pages and actions', () => {
  check('2026-02-05', 'moment:Go to');
  check('', 'page:Help, page:Was it right?, action:Use the light theme');
});

test('many markets do not crowd out the rest', () => {
  expect(entriesFor('m', MARKETS, PAGES, ACTIONS, 0).filter((entry) => entry.kind === 'market')).toHaveLength(8);
});

test('words fit by their beginnings', () => {
  expect([wordsFit('fund oi', 'Funding and OI'), wordsFit('ding', 'Funding and OI')]).toEqual([true, false]);
});
