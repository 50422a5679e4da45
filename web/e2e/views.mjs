// Every view of the page with what must stand on it. The history of 2026-02-05 is part of the program, so its values are known;
// of the live markets the API says at the same moment what has to be seen.
import assert from 'node:assert/strict';
import { amount, cellsOf, percent, until } from './figures.mjs';
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

async function figure(page, name) {
  return Number(await text(page, name));
}

/** The header's line as the API says it at the same moment; both move, so that they have to agree within seconds. */
async function header(page, server, query = '') {
  await until(async () => {
    const { header: told } = await server.get(`/api/v1/board${query}`);
    const shown = [Number((await page.locator('.counts li b').first().innerText()).trim()), await figure(page, 'cascades-24h'), await figure(page, 'volatility-24h')];
    const wanted = [told.markets, told.cascades_24h, told.volatility_events_24h];
    return shown.join() === wanted.join() || { shown, wanted };
  }, 'the header does not say what the board says');
}

/** A market's line of the regimes page against the cells of its board. */
export async function regime(page, cells, symbol) {
  const shown = await row(page, symbol);
  const codes = [...cells.tf_trend].filter((c) => c !== '.');
  const most = Math.max(...codes.map((c) => codes.filter((other) => other === c).length));
  const wanted = [cells.risk, cells.heat, `${most} of ${codes.length} agree`, percent(cells.confidence, 0), `×${cells.risk_multiplier.toFixed(1)}`];
  for (const words of wanted) assert.ok(shown.includes(words), `${symbol}: "${words}" is not in "${shown}"`);
}

/** Each line of the board says its market's headline, as the board of the API has it. */
export async function headlines(page, board) {
  for (const { symbol, headline } of board.rows) {
    assert.notEqual(headline, '', symbol);
    const line = page.locator('tr.market-row').filter({ hasText: symbol.split('/')[0] });
    assert.equal((await line.locator('.headline').innerText()).trim(), headline, symbol);
  }
}

/** The hours that are known add up, and the heaviest cascades are those of the API. */
export async function cascades(page, server) {
  const { series } = await server.get('/api/cascades?hours=24');
  const known = series.filter((hour) => hour.long_usd !== null);
  if (known.length === 0) await page.getByText('No hour of this stretch').waitFor();
  else {
    const sum = (side) => known.reduce((all, hour) => all + hour[side], 0);
    await page.getByRole('img', { name: 'liquidated longs and shorts by hour, in USD' }).waitFor();
    assert.match((await text(page, 'liquidated')).replace(/\s+/g, ' '), new RegExp(`^▼ Longs ${amount(sum('long_usd'))} USD, ▲ shorts ${amount(sum('short_usd'))} USD`));
  }
  const { items } = await server.get('/api/v1/events?pattern=LIQUIDATION_CASCADE&limit=1000');
  const episodes = new Set(items.map((event) => event.alert_id));
  const table = page.locator('section').filter({ hasText: 'Top five' });
  if (episodes.size === 0) await table.getByText('No cascade in this stretch.').waitFor();
  else await until(async () => (await table.locator('tbody tr').count()) === Math.min(5, episodes.size), 'the cascades of the API are not all on the page');
}

export const VIEWS = [
  {
    name: 'weather-live',
    path: '/',
    ready: (page) => page.getByRole('row').filter({ hasText: 'M0001' }).waitFor(),
    check: async (page, server) => {
      const board = await server.get('/api/v1/board');
      assert.equal(await page.locator('tr.market-row').count(), board.rows.length);
      await header(page, server);
      // Three of the six are a history that ended months ago: they are stale, and the page says so.
      if (!external) {
        await until(async () => {
          const shown = await text(page, 'data-state');
          return shown.startsWith('3 of 6 live') || { shown };
        }, 'the live half has not all arrived', 30_000);
        assert.match(await row(page, 'BTC'), /stale \d+ d/);
        assert.match(await page.locator('tr.market-row').filter({ hasText: 'BTC' }).getAttribute('class'), /untrusted|stale/);
        assert.doesNotMatch(await page.locator('tr.market-row').filter({ hasText: 'M0001' }).getAttribute('class'), /untrusted|stale/);
      }
      // Its first label comes with its first full minute.
      await until(async () => {
        const { risk } = cellsOf(await server.get('/api/v1/board'), LIVE);
        const shown = await row(page, 'M0001');
        return shown.includes(risk ?? 'no reading') || { shown, risk };
      }, 'the row does not say the label of the board');
    },
  },
  {
    name: 'weather-past',
    path: `/?${past}`,
    ready: (page) => page.getByRole('row').filter({ hasText: 'SOL' }).waitFor(),
    check: async (page, server) => {
      await header(page, server, `?${past}`);
      assert.deepEqual([await figure(page, 'cascades-24h'), await figure(page, 'volatility-24h')], [0, 3]);
      const sol = await row(page, 'SOL');
      assert.match(sol, /88\.44/);
      assert.match(sol, /HIGH_VOL/);
      assert.match(sol, /STRONG_DOWNTREND/);
      assert.match(sol, /EXPLOSIVE/);
      assert.match(await row(page, 'BTC'), /69,656/);
      await headlines(page, await server.get(`/api/v1/board?${past}`));
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
      // HIGH_VOL is at the top of its axis: nothing is told before it.
      assert.match(snapshot.headline, /^(Extreme volatility|Volatility (still close to|back below) extreme) /);
      assert.equal(await text(page, 'headline'), snapshot.headline);
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
    check: async (page, server) => {
      await until(async () => {
        const { regimes } = await server.get(`/api/v1/markets/${LIVE}/context`);
        const shown = await Promise.all(['risk', 'trend', 'volatility', 'heat'].map((axis) => text(page, `now-${axis}`)));
        const wanted = ['risk', 'trend', 'volatility', 'heat'].map((axis) => regimes[axis].label ?? 'UNKNOWN');
        return wanted.every((label, at) => shown[at].includes(label)) || { shown, wanted };
      }, 'the tiles do not say the labels of the context');
      await until(async () => {
        const { headline } = await server.get(`/api/v1/markets/${LIVE}/context`);
        const shown = await text(page, 'headline');
        return (headline !== '' && shown === headline) || { shown, headline };
      }, 'the headline is not that of the context');
      await until(async () => {
        const shown = Number((await text(page, 'price')).replaceAll(',', ''));
        const wanted = cellsOf(await server.get('/api/v1/board'), LIVE).price;
        return Math.abs(shown / wanted - 1) < 0.005 || { shown, wanted };
      }, 'the price is not that of the board');
    },
  },
  {
    name: 'regimes',
    path: `/regimes?${past}`,
    ready: (page) => page.getByRole('row').filter({ hasText: 'SOL' }).waitFor(),
    check: async (page, server) => {
      const board = await server.get(`/api/v1/board?${past}`);
      for (const { instrument, symbol } of board.rows) await regime(page, cellsOf(board, instrument), symbol);
    },
  },
  {
    name: 'cascades',
    path: '/cascades',
    ready: (page) => page.getByRole('heading', { name: 'Top five' }).waitFor(),
    check: cascades,
  },
  {
    name: 'volatility',
    path: `/volatility?${past}`,
    ready: (page) => page.getByRole('row').filter({ hasText: 'SOL' }).waitFor(),
    check: async (page, server) => {
      assert.match(await row(page, 'SOL'), /EXPLOSIVE.* 105 % .*×1\.8/);
      assert.match(await row(page, 'BTC'), /HIGH_VOL.* 70 % .*×1\.2/);
      const { symbols } = await server.get(`/api/volatility?${past}`);
      for (const told of symbols) assert.ok((await row(page, told.symbol)).includes(percent(told.volatility_annual, 0)), told.symbol);
      // The greatest first, and the limits of the rule book in use.
      const order = await page.locator('tbody tr[data-row] th a').allInnerTexts();
      assert.deepEqual(order, [...symbols].sort((a, b) => b.volatility_annual - a.volatility_annual).map((s) => s.symbol));
      await page.getByTestId('volatility-limits').getByText('above 191 %').waitFor();
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
      // What it means and what clears it (UX §5).
      await alert.getByText(/^Smaller size, wider stop or wait/).waitFor();
      await alert.getByText(/^Review, reduce or trail stop/).waitFor();
      await alert.getByText(/^It would clear to /).waitFor();
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
      // The newest message comes to the page by itself.
      await until(async () => {
        const { items } = await server.get('/api/v1/deliveries?limit=200');
        const newest = items.reduce((a, b) => (a.known_at > b.known_at ? a : b), { known_at: '', title: 'Nothing has been sent yet.' });
        return (await page.getByText(newest.title).count()) > 0 || newest.title;
      }, 'the newest message is not on the page');
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
    check: async (page, server) => {
      assert.match(await row(page, 'mark price'), /LIVE/);
      await page.getByRole('img', { name: /^mark price: live/ }).waitFor();
      if (external) return;
      const { counts } = await server.get('/api/v1/feeds?limit=1');
      await page.getByTestId('feed-counts').getByText(`${counts.live} live`).waitFor();
      await page.getByTestId('database-bytes').waitFor();
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
