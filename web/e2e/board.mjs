// The board as one uses it all day: rows that open, search, favourites, groups, columns, the palette, notifications, and that nothing is
// cut at any width.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { axe, open, shot } from './browser.mjs';
import { becomes, until } from './figures.mjs';
import { STUDY, labStudy } from './lab.mjs';
import { external } from './server.mjs';
import { NIGHT, SOL } from './views.mjs';
import { cutAt, paths } from './width.mjs';

const PAST = `as_of=${NIGHT}`;
/** Without a moment in their address. */
const TIMELESS = /^(whatif|help|lab|alerts-(watches|deliveries|silences))/;

/** What is behind a click or another word of the address: `before` makes it, `opens` is clicked where it is there. */
const WITHIN = [
  ['alerts-all', '/alerts?view=all&severity=LOW', { opens: 'li.alert > details > summary, li.alert .records > summary' }],
  ['alerts-watches', '/alerts?view=watches', { before: (server) => server.ask('/api/v1/watches', { market: 'binance-usdm:M0002USDT', when: 'risk changes', repeat: true }) }],
  ['alerts-deliveries', '/alerts?view=deliveries', { before: told, opens: '.receiver-form > summary, td button' }],
  ['alerts-silences', `/alerts?view=silences&event_type=REGIME_CHANGE&instrument=${SOL}`, {}],
  ['scorecard-event', '/scorecard?event=hv_1h', {}],
  ['lab-study', `/lab?study=${STUDY}`, { before: (server) => Object.entries(labStudy()).forEach(([file, content]) => server.put(file, [content])) }],
];

/** A position in a market whose data is months old is a message within seconds. */
async function told(server) {
  await server.register({ symbol: 'binance-usdm:BTCUSDT', side: 'short', entry: 71_000 });
  await until(async () => (await server.get('/api/v1/deliveries?limit=1')).items.length > 0, 'nothing was sent', 60_000);
}

const rowOf = (page, name) => page.locator('tr.market-row').filter({ has: page.locator('th b', { hasText: new RegExp(`^${name}$`) }) });
const names = async (page) => (await page.locator('tr.market-row th b').allInnerTexts()).join(' ');

async function board(browser, server, path = `/?${PAST}`, options = {}) {
  const opened = await open(browser, server.url, path, options);
  await rowOf(opened.page, 'SOL').waitFor();
  return opened;
}

/** Opens the first of each kind, the inner ones after those they are in. */
async function openAll(page, selectors) {
  for (const selector of selectors.split(', ')) {
    const first = page.locator(selector).first();
    if ((await first.count()) > 0) await first.click();
  }
  await page.waitForFunction(() => document.querySelector('.skeleton, .refreshing, .is-waiting') === null, undefined, { timeout: 60_000 });
}

/** `world` gives browser and server once they run. */
export function boardTests(world) {
  describe('the board', () => {
    test('a row opens its market wherever it is clicked, with Ctrl or the middle button beside it', async () => {
      const { browser, server } = world();
      const { page, said, close } = await board(browser, server);
      const cell = rowOf(page, 'SOL').locator('.c-trend .label');
      for (const press of [() => cell.click({ modifiers: ['Control'] }), () => cell.click({ button: 'middle' })]) {
        const [beside] = await Promise.all([page.context().waitForEvent('page'), press()]);
        await beside.waitForURL(/\/m\/binance-usdm:SOLUSDT\?as_of=/);
        await beside.close();
        assert.equal(new URL(page.url()).pathname, '/');
      }
      await rowOf(page, 'SOL').locator('.star').click();
      assert.equal(new URL(page.url()).pathname, '/', 'a star opens nothing');
      await cell.click();
      await page.waitForURL(/\/m\/binance-usdm:SOLUSDT\?as_of=/);
      await page.goBack();
      await rowOf(page, 'ETH').focus();
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/m\/binance-usdm:ETHUSDT/);
      assert.deepEqual(said, []);
      await close();
    });

    test('search finds what is written, and Enter opens the first', async () => {
      const { browser, server } = world();
      const { page, said, close } = await board(browser, server);
      const field = page.getByRole('searchbox', { name: 'search markets' });
      for (const [query, wanted] of [['BTC/USDT', 'BTC'], ['btc-usdt', 'BTC'], ['bitcoin', 'BTC'], ['ether', 'ETH'], ['solana', 'SOL']]) {
        await field.fill(query);
        await becomes(() => names(page), wanted);
      }
      await field.fill('binance');
      await until(async () => (await names(page)).split(' ').length >= 3, 'a venue finds its markets');
      await field.fill('nothing of the kind');
      await page.getByText('No market matches.').waitFor();
      await field.fill('ether');
      await field.press('Enter');
      await page.waitForURL(/\/m\/binance-usdm:ETHUSDT/);
      assert.deepEqual(said, []);
      await close();
    });

    test('any column sorts, the day’s move too, and what stands in the address is what is shown', async () => {
      const { browser, server } = world();
      const { page, said, close } = await board(browser, server);
      const table = await server.get(`/api/v1/board?${PAST}`);
      const at = table.columns.indexOf('change_24h');
      const wanted = [...table.rows].sort((a, b) => b.cells[at] - a.cells[at]).map((row) => row.symbol.split('/')[0]);
      await page.getByRole('columnheader', { name: '24 h', exact: true }).getByRole('button').click();
      await page.waitForURL(/sort=change_24h/);
      await becomes(() => names(page), wanted.join(' '));
      await page.goto(`${server.url}/?${PAST}&sort=change_24h&dir=asc`);
      await becomes(() => names(page), wanted.reverse().join(' '));
      assert.deepEqual(said, []);
      await close();
    });

    test('favourites, groups, columns and density are kept in the browser', async () => {
      const { browser, server } = world();
      const { page, said, close } = await board(browser, server, `/?sort=market&${PAST}`);
      await becomes(() => names(page), 'BTC ETH SOL');
      await rowOf(page, 'SOL').getByRole('button', { name: 'favourite SOL/USDT' }).click();
      await page.mouse.move(5, 5);
      await becomes(() => names(page), 'SOL BTC ETH');
      await page.getByRole('button', { name: /^Favourites/ }).click();
      await page.waitForURL(/list=favourites/);
      await becomes(() => names(page), 'SOL');
      await page.getByRole('button', { name: /^Favourites/ }).click();
      await page.getByRole('button', { name: 'Groups' }).click();
      const dialog = page.getByRole('dialog', { name: 'Groups' });
      await dialog.getByRole('button', { name: 'Make' }).click();
      await dialog.getByText('A group needs a name.').waitFor();
      await dialog.getByLabel('New group').fill('majors');
      await dialog.getByRole('button', { name: 'Make' }).click();
      for (const name of ['bitcoin', 'eth']) {
        await dialog.getByLabel('Add a market').fill(name);
        await dialog.getByLabel('Add a market').press('Enter');
      }
      await dialog.getByText('binance-usdm:ETHUSDT').waitFor();
      assert.deepEqual(await axe(page), []);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^majors/ }).click();
      await becomes(() => names(page), 'BTC ETH');
      await page.getByRole('button', { name: 'Compact' }).click();
      await page.getByRole('button', { name: 'Columns' }).click();
      const columns = page.getByRole('dialog', { name: 'Columns' });
      await columns.getByLabel('caution').check();
      await columns.getByLabel('trend', { exact: true }).uncheck();
      assert.deepEqual(await axe(page), []);
      await page.keyboard.press('Escape');
      const headings = async () => (await page.getByRole('columnheader').allInnerTexts()).map((text) => text.trim());
      await until(async () => (await headings()).includes('caution') && !(await headings()).includes('trend'), 'the columns are not those chosen');
      await page.reload();
      await rowOf(page, 'BTC').waitFor();
      await until(async () => (await headings()).includes('caution') && !(await headings()).includes('trend'), 'the columns were not kept');
      assert.equal(await page.getByRole('button', { name: 'Compact' }).getAttribute('aria-pressed'), 'true');
      await becomes(() => names(page), 'BTC ETH');
      // A link to a group that this browser has not says so and hides nothing.
      await page.goto(`${server.url}/?list=others&${PAST}`);
      await page.getByText('This browser has no group “others”; all markets are shown.').waitFor();
      await becomes(async () => (await names(page)).split(' ')[0], 'SOL');
      assert.deepEqual(said, []);
      await close();
    });

    test('the palette goes to markets, pages and moments without a mouse', async () => {
      const { browser, server } = world();
      const { page, said, close } = await board(browser, server);
      await page.keyboard.press('Control+k');
      const field = page.getByRole('combobox', { name: /^market, page/ });
      await field.waitFor();
      await becomes(() => field.evaluate((element) => element === document.activeElement), true);
      assert.ok((await page.getByRole('option').count()) > 10);
      assert.deepEqual(await axe(page), []);
      await shot(page, 'palette-dark');
      await field.fill('ether');
      const option = page.getByRole('option', { name: /ETH\/USDT/ });
      await option.waitFor();
      assert.equal(await field.getAttribute('aria-activedescendant'), await option.getAttribute('id'));
      assert.equal(await option.getAttribute('aria-selected'), 'true');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/m\/binance-usdm:ETHUSDT\?as_of=/);
      await page.keyboard.press('Control+k');
      await page.keyboard.type('cascades');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/cascades/);
      await page.keyboard.press('Control+k');
      await page.keyboard.type('2026-02-05T13:00:00Z');
      await page.getByRole('option', { name: /Go to 2026-02-05 14:00/ }).waitFor();
      await page.keyboard.press('Enter');
      await page.waitForURL(/as_of=2026-02-05T13:00:00Z/);
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const dark = await ground();
      await page.keyboard.press('Control+k');
      await page.keyboard.type('light theme');
      await page.keyboard.press('Enter');
      await until(async () => (await ground()) !== dark, 'the theme stays');
      await page.keyboard.press('Control+k');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Escape');
      await field.waitFor({ state: 'detached' });
      assert.deepEqual(said, []);
      await close();
    });

    test('the tab says the worst state in words, and its icon differs', async () => {
      const { browser, server } = world();
      const { page, said, close } = await board(browser, server);
      await becomes(() => page.title(), 'High volatility: BTC, ETH and 1 more · barograph');
      const icon = await page.locator('link[rel=icon]').getAttribute('href');
      assert.match(icon, /purple/);
      assert.equal((await fetch(new URL(icon, server.url))).status, 200);
      await page.goto(`${server.url}/m/${SOL}?${PAST}`);
      await becomes(() => page.title(), 'SOL/USDT, high volatility · barograph');
      assert.deepEqual(said, []);
      await close();
    });

    test('notifications are off, asked for by a click alone, and say what turned', async () => {
      const { browser, server } = world();
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, permissions: ['notifications'] });
      // Now, and not the recorded night, which a new tab is led to.
      await context.addInitScript(() => sessionStorage.setItem('barograph.story', '2026-02-05T00:00:00Z'));
      const page = await context.newPage();
      // The browser shows them outside of what a test can see.
      await page.addInitScript(() => {
        window.shown = [];
        window.asked = 0;
        window.Notification = class {
          static permission = 'default';
          static async requestPermission() {
            window.asked += 1;
            this.permission = 'granted';
            return 'granted';
          }
          constructor(title, options) {
            window.shown.push([title, options.body]);
          }
          close() {}
        };
        // The stream of the server, with a turn of our own put in.
        const Real = window.EventSource;
        window.EventSource = class extends Real {
          constructor(...args) {
            super(...args);
            window.turn = (changes) => this.dispatchEvent(new MessageEvent('changes', { data: JSON.stringify(changes) }));
          }
        };
      });
      await page.goto(server.url);
      await page.locator('tr.market-row').first().waitFor();
      const turn = (instrument) => page.evaluate((of) => window.turn([{ instrument: of, axis: 'risk', from: 'CHOP_RISK', to: 'HIGH_VOL', at: new Date().toISOString() }]), instrument);
      await turn(SOL);
      await page.waitForTimeout(1_500);
      assert.deepEqual(await page.evaluate(() => [window.asked, window.shown.length]), [0, 0], 'off until chosen');
      await page.getByRole('button', { name: 'notifications and sound, off' }).click();
      const dialog = page.getByRole('dialog', { name: 'Notifications and sound' });
      await dialog.getByLabel('Favourites').check();
      await dialog.getByLabel('Notification of the browser').check();
      await becomes(() => page.evaluate(() => window.asked), 1);
      assert.deepEqual(await axe(page), []);
      await page.keyboard.press('Escape');
      await rowOf(page, 'SOL').getByRole('button', { name: 'favourite SOL/USDT' }).click();
      await turn('binance-usdm:ETHUSDT');
      await turn(SOL);
      await until(async () => (await page.evaluate(() => window.shown.length)) > 0, 'no notification came');
      assert.deepEqual(await page.evaluate(() => window.shown.map(([title]) => title)), ['SOL turned to high volatility, from chop risk']);
      await context.close();
    });

    for (const [name, path, { before, opens } = {}] of [...paths(SOL), ...WITHIN]) {
      test(`nothing is cut at any width: ${name}`, { skip: external !== undefined && before !== undefined }, async () => {
        const { browser, server } = world();
        await before?.(server);
        const found = [];
        const past = `${path}${path.includes('?') ? '&' : '?'}${PAST}`;
        // A theme changes colours alone: each is looked at once.
        for (const [at, theme] of [[path, 'light'], ...(TIMELESS.test(name) ? [] : [[past, 'dark']])]) {
          found.push(
            ...(await cutAt(browser, server.url, name, at, theme, async (page) => {
              await page.locator('main h1, main .note').first().waitFor({ state: 'attached' });
              await page.waitForFunction(() => document.querySelector('.skeleton, .refreshing, .is-waiting') === null, undefined, { timeout: 60_000 });
              if (opens !== undefined) await openAll(page, opens);
            })),
          );
        }
        assert.deepEqual(found, []);
      });
    }
  });
}
