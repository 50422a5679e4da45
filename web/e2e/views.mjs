// Every view of the page with what must stand on it. The history of 2026-02-05 is part of the program, so its values are known;
// of the live markets the API says at the same moment what has to be seen.
import assert from 'node:assert/strict';
import { external } from './server.mjs';

/** The night of the history: SOL had turned HIGH_VOL at 02:01 and BTC was back to NORMAL since 14:02. */
export const NIGHT = '2026-02-05T14:35:00Z';
export const SOL = 'binance-usdm:SOLUSDT';
export const LIVE = 'binance-usdm:M0001USDT';

const past = `as_of=${NIGHT}`;

async function text(page, name) {
  return (await page.getByTestId(name).first().innerText()).trim();
}

async function row(page, market) {
  return (await page.getByRole('row').filter({ hasText: market }).first().innerText()).replace(/\s+/g, ' ');
}

export const VIEWS = [
  {
    name: 'weather-live',
    path: '/',
    ready: (page) => page.getByRole('row').filter({ hasText: 'M0001' }).waitFor(),
    check: async (page, server) => {
      const board = await server.get('/api/v1/board');
      assert.equal(await page.locator('tr.market-row').count(), board.rows.length);
      assert.match(await text(page, 'data-state'), /synthetic|live|recorded/);
      // Its first label comes with its first full minute.
      const risk = board.rows.find((each) => each.instrument === LIVE).cells[board.columns.indexOf('risk')];
      await page.getByRole('row').filter({ hasText: 'M0001' }).filter({ hasText: risk === null ? /warming|NORMAL|CHOP_RISK/ : board.labels.risk[risk] }).first().waitFor();
    },
  },
  {
    name: 'weather-past',
    path: `/?${past}`,
    ready: (page) => page.getByRole('row').filter({ hasText: 'SOL' }).waitFor(),
    check: async (page) => {
      const sol = await row(page, 'SOL');
      assert.match(sol, /88\.44/);
      assert.match(sol, /HIGH_VOL/);
      assert.match(sol, /STRONG_DOWNTREND/);
      assert.match(sol, /EXPLOSIVE/);
      assert.match(await row(page, 'BTC'), /69,656/);
      assert.match(await text(page, 'past-banner'), /2026-02-05 15:35/);
    },
  },
  {
    name: 'market-past',
    path: `/m/${SOL}?${past}`,
    ready: async (page) => {
      await page.getByTestId('reasoning').waitFor();
      await page.locator('.chart canvas').first().waitFor();
    },
    check: async (page, server) => {
      const snapshot = await server.get(`/api/v1/markets/${SOL}/context?${past}`);
      assert.equal(snapshot.regimes.risk.label, 'HIGH_VOL');
      assert.match(await text(page, 'now-risk'), /HIGH_VOL/);
      assert.match(await text(page, 'now-volatility'), /EXPLOSIVE/);
      assert.equal(await text(page, 'reasoning'), snapshot.explanation.reasoning);
      assert.equal(await text(page, 'price'), '88.44');
    },
  },
  {
    name: 'market-live',
    path: `/m/${LIVE}?interval=1m`,
    ready: async (page) => {
      await page.getByTestId('reasoning').waitFor();
      await page.locator('.chart canvas').first().waitFor();
    },
    check: async (page) => {
      assert.match(await text(page, 'now-risk'), /NORMAL|CHOP_RISK|SQUEEZE_RISK|HIGH_VOL|UNKNOWN/);
      assert.match(await text(page, 'price'), /^\d/);
    },
  },
  {
    name: 'regimes',
    path: `/regimes?${past}`,
    ready: (page) => page.getByRole('row').filter({ hasText: 'SOL' }).waitFor(),
    check: async (page) => {
      assert.match(await row(page, 'SOL'), /HIGH_VOL/);
      assert.match(await row(page, 'SOL'), /\d of \d agree/);
    },
  },
  {
    name: 'cascades',
    path: '/cascades',
    ready: (page) => page.getByRole('heading', { name: 'Top five' }).waitFor(),
    check: async (page, server) => {
      const cascades = await server.get('/api/cascades?hours=24');
      if (cascades.series.some((hour) => hour.long_usd !== null)) await page.getByRole('img', { name: 'liquidated longs and shorts by hour, in USD' }).waitFor();
      else await page.getByText('No hour of this stretch').waitFor();
    },
  },
  {
    name: 'volatility',
    path: `/volatility?${past}`,
    ready: (page) => page.getByRole('row').filter({ hasText: 'SOL' }).waitFor(),
    check: async (page) => {
      assert.match(await row(page, 'SOL'), /EXPLOSIVE.* \d+ % .*×1\.8/);
      assert.match(await row(page, 'BTC'), /HIGH_VOL.* \d+ % .*×1\.2/);
    },
  },
  {
    name: 'universe',
    path: `/universe?${past}`,
    ready: (page) => page.locator('table.matrix').waitFor(),
    check: async (page, server) => {
      const universe = await server.get(`/api/v1/universe?${past}`);
      const pair = universe.pairs[0].reading.corr_30d.value.toFixed(2);
      assert.ok((await page.locator('table.matrix').innerText()).includes(pair), `the matrix shows ${pair}`);
      await page.getByText('systemic').waitFor();
    },
  },
  {
    name: 'positions',
    path: '/positions',
    before: async (server) => {
      await server.register({ symbol: 'binance-usdm:BTCUSDT', side: 'short', entry: 71_000 });
    },
    ready: (page) => page.getByRole('article').first().waitFor(),
    // Its data is months old: that is a reason for caution, said in these words (R1.74).
    check: async (page) => {
      const card = await page.getByRole('article', { name: 'short binance-usdm:BTCUSDT' }).first().innerText();
      assert.match(card, /Market context: CONSERVATIVE \(high caution\)/);
      assert.match(card, /71,000/);
    },
  },
  {
    name: 'alerts',
    path: `/alerts?view=all&severity=HIGH&${past}`,
    ready: (page) => page.getByRole('heading', { name: 'All alerts' }).waitFor(),
    check: async (page) => {
      const alert = page.locator('.alert').filter({ hasText: 'Risk regime HIGH_VOL' }).filter({ hasText: 'SOL/USDT' }).first();
      await alert.locator('summary').click();
      await alert.getByText('fired').waitFor();
    },
  },
  {
    name: 'alerts-deliveries',
    path: '/alerts?view=deliveries',
    ready: (page) => page.getByRole('heading', { name: 'Deliveries' }).waitFor(),
    // A position in a market whose data is months old is told within seconds.
    before: (server) => server.register({ symbol: 'binance-usdm:BTCUSDT', side: 'short', entry: 71_000 }),
    check: async (page, server) => {
      if (!external) await page.getByRole('row', { name: /^desk json at 127\.0\.0\.1/ }).waitFor();
      const { items } = await server.get('/api/v1/deliveries');
      if (items.length === 0) await page.getByText('Nothing has been sent yet.').waitFor();
      else assert.ok((await page.locator('tbody tr').filter({ hasText: items[items.length - 1].title }).count()) > 0, items[items.length - 1].title);
    },
  },
  {
    name: 'alerts-silences',
    path: `/alerts?view=silences&event_type=REGIME_CHANGE&instrument=${SOL}`,
    ready: (page) => page.getByRole('heading', { name: 'Silence alerts' }).waitFor(),
    check: async (page) => {
      assert.deepEqual(await page.getByLabel('value').evaluateAll((all) => all.map((e) => e.value)), ['REGIME_CHANGE', SOL]);
    },
  },
  {
    name: 'feeds',
    path: '/feeds',
    ready: (page) => page.getByRole('heading', { name: 'Streams' }).waitFor(),
    check: async (page) => {
      assert.match(await row(page, 'mark price'), /LIVE/);
      await page.getByRole('img', { name: /^mark price: live/ }).waitFor();
    },
  },
  {
    name: 'help',
    path: '/help',
    ready: (page) => page.getByRole('heading', { name: 'Keys' }).waitFor(),
    check: async (page) => {
      await page.getByText('Drawn by TradingView Lightweight Charts').waitFor();
      await page.getByText('a liquidation cascade is possible').waitFor();
    },
  },
];
