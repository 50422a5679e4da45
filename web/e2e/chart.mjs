// The chart in a real browser: the time machine docked under it, play, levels on hover, the reader's lines and alerts, my trade, positions,
// what is kept and what is taken along. Told by page.test.mjs where browser and server are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { open } from './browser.mjs';
import { becomes, priceNow, until } from './figures.mjs';
import { external } from './server.mjs';
import { LIVE, NIGHT } from './views.mjs';

const BTC = 'binance-usdm:BTCUSDT';
const HOUR_MS = 3_600_000;

const past = (rest = '') => `/m/${BTC}?as_of=${NIGHT}&interval=1h${rest}`;
const asOf = (page) => new URL(page.url()).searchParams.get('as_of');
const entries = (page) => page.evaluate(() => window.history.length);
/** What stood on the page after everything was asked for. */
async function charted(page) {
  await page.locator('.chart canvas').first().waitFor();
  await page.getByTestId('track').waitFor();
  await page.waitForFunction(() => document.querySelector('[data-testid=chart]')?.getAttribute('aria-busy') === 'false');
}

/** Share of the canvas that is painted. */
const painted = (canvas) =>
  canvas.evaluate((element) => {
    const { data } = element.getContext('2d').getImageData(0, 0, element.width, element.height);
    let n = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) n += 1;
    return n / (data.length / 4);
  });

/** Most requests of one kind that were under way together. */
function watchRequests(page) {
  const now = new Map();
  const most = new Map();
  const kind = (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (!/\/api\/v1\/(?!board\/stream|session)/.test(pathname)) return null;
    // Bars of later, and zones of earlier for the heat map, are other questions to the same address.
    return `${pathname}${searchParams.has('end') ? ' later' : ''} ${searchParams.get('type') ?? ''}`;
  };
  const change = (request, by) => {
    const of = kind(request);
    if (of === null) return;
    now.set(of, (now.get(of) ?? 0) + by);
    most.set(of, Math.max(most.get(of) ?? 0, now.get(of)));
  };
  page.on('request', (request) => change(request, 1));
  page.on('requestfinished', (request) => change(request, -1));
  page.on('requestfailed', (request) => change(request, -1));
  return most;
}

export function chartTests(of) {
  test('chart and time machine are seen together, and the ribbon is its track', async () => {
    const { browser, server } = of();
    for (const width of [1440, 2560]) {
      const { page, said, close } = await open(browser, server.url, past(), { width, height: 900 });
      await charted(page);
      for (const part of [page.locator('.chart').first(), page.getByTestId('track'), page.getByTestId('play')]) {
        const box = await part.boundingBox();
        assert.ok(box.y >= 0 && box.y + box.height <= 900, `${width}: a part ends at ${box.y + box.height}`);
      }
      assert.ok((await painted(page.getByTestId('track').locator('canvas'))) > 0.4, 'the track is painted');
      const chart = await page.locator('.chart').first().boundingBox();
      assert.ok(chart.width > width * 0.6, `the chart has ${chart.width} of ${width} px`);
      assert.deepEqual(said, []);
      await close();
    }
  });

  test('a click on a candle shows what was known then, and Back returns to where one was', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    const box = await page.locator('.chart').first().boundingBox();
    await page.mouse.click(box.x + box.width * 0.35, box.y + 120);
    await page.waitForURL((url) => url.searchParams.get('as_of') !== NIGHT);
    const then = Date.parse(asOf(page));
    assert.ok(then < Date.parse(NIGHT) && then % HOUR_MS === 0, 'the end of an hour before');
    // Away from the chart, whose bars moved under the pointer.
    await page.mouse.move(box.x, box.y - 60);
    const chart = await server.get(`/api/v1/markets/${BTC}/chart?interval=1h&bars=3&as_of=${asOf(page)}`);
    const close_ = chart.c[chart.c.length - 1].toLocaleString('en-US', { maximumFractionDigits: 0 });
    await page.locator('#reading').filter({ hasText: `C ${close_}` }).waitFor();
    await page.goBack();
    await becomes(async () => asOf(page), NIGHT);
    // The same with the keyboard: a bar back, Enter.
    await page.locator('.chart-keys').focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.get('as_of') !== NIGHT);
    assert.deepEqual(said, []);
    await close();
  });

  test('a drag on the track is one entry of the history, and so is a run of steps', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    const before = await entries(page);
    const box = await page.getByTestId('track').boundingBox();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 20);
    await page.mouse.down();
    for (let at = 0; at < 12; at += 1) {
      await page.mouse.move(box.x + box.width * (0.6 - at * 0.03), box.y + 20);
      await page.waitForTimeout(40);
    }
    await page.waitForTimeout(400);
    await page.mouse.move(box.x + box.width * 0.2, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await becomes(() => entries(page), before + 1);
    const dragged = asOf(page);
    assert.ok(Date.parse(dragged) < Date.parse(NIGHT));
    await page.getByTestId('track').focus();
    for (let at = 0; at < 4; at += 1) await page.keyboard.press('ArrowRight');
    await becomes(async () => Date.parse(asOf(page)) - Date.parse(dragged), 4 * HOUR_MS);
    assert.equal(await entries(page), before + 2);
    await page.getByRole('button', { name: 'one bar back' }).click();
    await becomes(async () => Date.parse(asOf(page)) - Date.parse(dragged), 3 * HOUR_MS);
    // A step that came late, as on a busy machine, is an entry of its own.
    await page.evaluate((n) => window.history.go(-n), (await entries(page)) - before - 1);
    await becomes(async () => asOf(page), dragged);
    await page.goBack();
    await becomes(async () => asOf(page), NIGHT);
    assert.deepEqual(said, []);
    await close();
  });

  test('recorded time plays from an address, with a clock that is labelled, and asks for one thing at a time', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    const before = await entries(page);
    const most = watchRequests(page);
    await page.getByRole('button', { name: '600×' }).click();
    await page.getByTestId('play').click();
    await page.waitForURL(/play=600/);
    await page.getByText('replay 600×').waitFor();
    const first = await page.getByTestId('machine-moment').innerText();
    await until(async () => (await page.getByTestId('machine-moment').innerText()) !== first, 'the clock stands still');
    await until(async () => Date.parse(asOf(page)) >= Date.parse(NIGHT) + HOUR_MS || asOf(page), 'the moment of the address does not follow');
    // The reading is never later than the clock.
    const read = await page.locator('#reading time').first().getAttribute('datetime');
    assert.ok(Date.parse(read) < Date.parse(asOf(page)) + HOUR_MS, `${read} is read at ${asOf(page)}`);
    assert.equal(await page.locator('.refreshing').count(), 0, 'nothing is pale while it plays');
    for (const [what, n] of most) assert.ok(n <= 1, `${n} requests for ${what} at once`);
    await page.getByTestId('play').click();
    await page.waitForURL((url) => !url.searchParams.has('play'));
    assert.equal(await entries(page), before + 1, 'a play is one entry');
    await page.goBack();
    await becomes(async () => asOf(page), NIGHT);
    await page.goto(`${server.url}${past('&play=600')}`);
    await until(async () => asOf(page) !== NIGHT || asOf(page), 'an address with play does not play');
    const track = page.locator('.track-hand canvas');
    await until(async () => (await painted(track)) > 0.5 || (await painted(track)), 'the ribbon is not drawn while it plays');
    // It goes on elsewhere.
    await page.getByRole('link', { name: 'Positions', exact: true }).click();
    await page.waitForURL(/\/positions\?.*play=600/);
    await page.getByText('replay 600×').waitFor();
    assert.deepEqual(said, []);
    await close();
  });

  test('who comes back from the past sees the newest bar; a moment after the last bar, or none that can be read, is no trouble', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    await page.getByTestId('past-banner').getByRole('button', { name: 'Back to now' }).click();
    await page.waitForURL((url) => !url.searchParams.has('as_of'));
    await charted(page);
    const last = () => page.locator('#reading time').first().getAttribute('datetime');
    const box = await page.locator('.chart').first().boundingBox();
    const newest = (await server.get(`/api/v1/markets/${BTC}/chart?interval=1h&bars=3`)).t.at(-1) * 1_000;
    await until(async () => {
      await page.mouse.move(box.x + box.width * 0.5 + Math.random(), box.y + 60);
      const at = Date.parse(await last());
      return newest - at < 200 * HOUR_MS || new Date(at).toISOString();
    }, 'the chart stays in the past');
    await page.goto(`${server.url}/m/${BTC}?as_of=2026-08-01T00:00:00Z`);
    await page.getByTestId('reasoning').waitFor();
    await page.waitForTimeout(1_000);
    await page.goto(`${server.url}/m/${BTC}?as_of=rubbish`);
    await page.getByTestId('unread-banner').waitFor();
    assert.deepEqual(said, []);
    await close();
  });

  test('a level says its name, price, strength and age under the pointer', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    const box = await page.locator('.chart').first().boundingBox();
    const card = page.getByTestId('hovered');
    for (let y = 40; y < box.height * 0.6 && !(await card.isVisible()); y += 4) await page.mouse.move(box.x + box.width * 0.8, box.y + y);
    assert.match(await card.innerText(), /(high|low|gap|block|node|zone)s? [\d,.]+ .*\n?.*strength [\d.]+ %.* known for \d/s);
    assert.deepEqual(said, []);
    await close();
  });

  test('liquidations and their zones are a heat map that names price, USD, side and age, and can be put away', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, '/');
    const key = page.getByTestId('heat-key');
    // What is recorded of that night has no liquidations, and they are not stated as none.
    await page.goto(server.url + past());
    await charted(page);
    await key.getByText('Liquidations were not recorded in these bars.').waitFor();
    // The answers get some, within two hundredths of the price.
    let prices = [0, 0];
    await page.route(/\/markets\/[^/]+\/chart\?/, async (route) => {
      const answer = await route.fetch();
      const chart = await answer.json();
      chart.liq_long = chart.t.map((_, at) => (at > chart.t.length - 20 ? 2_000_000 : null));
      chart.liq_short = chart.t.map((_, at) => (at > chart.t.length - 20 ? 0 : null));
      const last = chart.c[chart.c.length - 1] ?? 0;
      if (last > 0) prices = [last * 1.01, last * 1.02];
      await route.fulfill({ response: answer, json: chart });
    });
    await page.route(/levels\?.*LIQUIDATION_ZONE/, async (route) => {
      const when = new Date(Date.parse(NIGHT) - 60 * HOUR_MS).toISOString();
      const [bottom, top] = prices;
      const zone = { level_id: 'z', revision: 1, type: 'LIQUIDATION_ZONE', timeframe: '1h', side: 'SHORT', price: bottom, top, bottom, formed_at: when, confirmed_at: when, known_at: when, touched_at: null, swept_at: null, touches: 0, members: 1, volume: null, strength: 0.4, kind: 'sampled', last_event: 'MITIGATED' };
      await route.fulfill({ json: { items: [{ ...zone, mitigated_at: new Date(Date.parse(NIGHT) - 4 * HOUR_MS).toISOString() }], next_cursor: null } });
    });
    const card = page.getByTestId('hovered');
    await page.goto(server.url + past());
    await charted(page);
    await key.getByText('Reported liquidations, up to').waitFor();
    await key.getByText('at most one a second').waitFor();
    await key.getByText('half-life 24 h').waitFor();
    const box = await page.locator('.chart').first().boundingBox();
    const found = async (pattern) => {
      for (let x = 0.85; x > 0.3; x -= 0.04)
        for (let y = 20; y < box.height * 0.6; y += 5) {
          await page.mouse.move(box.x + box.width * x, box.y + y);
          if ((await card.count()) > 0 && pattern.test(await card.innerText())) return true;
        }
      return false;
    };
    const reported = /reported liquidations [\d,.]+ to [\d,.]+\s+▼ longs [\d,.]+[KM]? USD\s+\d.* from .* ago/;
    const zone = /liquidation zone [\d,.]+ to [\d,.]+[^]*known for \d[^]*used up[^]*shorts/;
    assert.ok(await found(reported), 'no cell names its price, USD, side and age');
    assert.ok(await found(zone), 'no zone names its price, side and age');
    await page.getByRole('button', { name: 'what the chart shows' }).click();
    await page.getByLabel('heat map of liquidations').uncheck();
    await page.getByLabel('liquidation zones').uncheck();
    await key.waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.reload();
    await charted(page);
    assert.equal(await key.count(), 0, 'what was put away stays away');
    assert.ok(!(await found(reported)), 'a cell is still there');
    assert.deepEqual(said, []);
    await close();
  });

  test('what the chart shows is chosen and kept', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    const panes = () => page.locator('.chart table tr').count();
    const at = await panes();
    await page.getByRole('button', { name: 'what the chart shows' }).click();
    await page.getByLabel('1h volatility'.replace('1h', '1 h')).check();
    await page.getByLabel('logarithmic').check();
    await page.getByLabel('sessions').uncheck();
    await until(async () => (await panes()) > at || (await panes()), 'no pane was added');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'the chart over the whole width' }).click();
    await page.locator('.market.wide').waitFor();
    await page.reload();
    await charted(page);
    await page.locator('.market.wide').waitFor();
    await page.getByRole('button', { name: 'what the chart shows' }).click();
    assert.ok(await page.getByLabel('logarithmic').isChecked());
    assert.ok(!(await page.getByLabel('sessions').isChecked()));
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'full screen' }).click();
    await page.locator('.chart-frame.full').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.chart-frame.full').waitFor({ state: 'detached' });
    assert.deepEqual(said, []);
    await close();
  });

  test('intervals are offered where there is data, the first one is chosen from it, and the last one is remembered', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, `/m/${BTC}?as_of=${NIGHT}`);
    await charted(page);
    const offered = page.getByRole('group', { name: 'interval' }).getByRole('button');
    await becomes(async () => (await offered.allInnerTexts()).join(' '), '1h 4h 1d');
    assert.equal(await page.getByRole('group', { name: 'interval' }).locator('[aria-pressed=true]').innerText(), '1h');
    await page.getByRole('button', { name: '4h' }).click();
    await page.waitForURL(/interval=4h/);
    await page.goto(`${server.url}/m/binance-usdm:ETHUSDT?as_of=${NIGHT}`);
    await charted(page);
    await becomes(() => page.getByRole('group', { name: 'interval' }).locator('[aria-pressed=true]').innerText(), '4h');
    await page.goto(`${server.url}/m/${BTC}?as_of=${NIGHT}&interval=15m`);
    await page.getByText('There are no bars of 15m').waitFor();
    await page.getByRole('button', { name: 'Show 1h' }).click();
    await charted(page);
    assert.deepEqual(said, []);
    await close();
  });

  test('another market is compared in percent, and a stretch is measured', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    await page.getByLabel('compare with').selectOption('binance-usdm:ETHUSDT');
    await page.waitForURL(/compare=binance-usdm:ETHUSDT/);
    await page.waitForResponse((reply) => /ETHUSDT\/chart/.test(reply.url()));
    const box = await page.locator('.chart').first().boundingBox();
    await page.keyboard.down('Shift');
    await page.mouse.move(box.x + 200, box.y + 160);
    await page.mouse.down();
    await page.mouse.move(box.x + 340, box.y + 100, { steps: 5 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    assert.match(await page.locator('.measured').innerText(), /^\+[\d,.]+ \(\+[\d.]+ %\) · \+\d+ bars, \d/);
    assert.equal(asOf(page), NIGHT, 'measuring is no click on a candle');
    assert.deepEqual(said, []);
    await close();
  });

  test('what is on show is taken along: a table and a picture', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    const take = async (name) => {
      await page.getByRole('button', { name: 'take it along' }).click();
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const csv = await take('Table (CSV)');
    assert.equal(csv.name, 'binance-usdm_BTCUSDT_1h_2026-02-05T1435.csv');
    const lines = csv.bytes.toString().trim().split('\n');
    assert.match(lines[0], /^open_time,open,high,low,close,volume,risk,/);
    const newest = lines[lines.length - 1].split(',');
    const chart = await server.get(`/api/v1/markets/${BTC}/chart?interval=1h&bars=3&as_of=${NIGHT}`);
    assert.equal(Number(newest[4]), chart.c[chart.c.length - 1], 'it ends with what was known');
    const png = await take('Picture (PNG)');
    assert.deepEqual([...png.bytes.subarray(1, 4)], [0x50, 0x4e, 0x47]);
    assert.deepEqual(said, []);
    await close();
  });

  test('a trade takes pasted numbers, stands on the chart as lines that are dragged, and is in the address', async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, past());
    await charted(page);
    await page.getByLabel('Entry').fill('69,366');
    await page.getByLabel('Stop', { exact: true }).fill('68 500');
    await page.getByLabel('Target').fill('72,000');
    await page.getByLabel('Equity').fill('10,000');
    await page.getByRole('button', { name: 'What am I walking into?' }).click();
    await page.waitForURL(/entry=69366.*stop=68500/);
    await page.getByTestId('size').waitFor();
    assert.match(await page.getByTestId('size').innerText(), /^Size 0\.\d+ worth /);
    const panel = page.locator('.advice');
    const text = await panel.innerText();
    assert.ok(text.indexOf('Size') < text.indexOf('against'), 'the size comes first');
    assert.doesNotMatch(text, /\b(AVOID|ALLOW|CAUTION)\b|\[[a-z_]+\]|W_[A-Z]/, 'no words of the interface');
    // The stop is taken by hand and moved down. Where it stands: its plate is the only thing with a hand over it.
    await page.evaluate(() => window.scrollTo(0, 0));
    const box = await page.locator('.chart').first().boundingBox();
    const { height } = box;
    let found = null;
    for (let y = 30; y < height && found === null; y += 3) {
      await page.mouse.move(box.x + 400, box.y + y);
      const cursor = await page.evaluate(([x, at]) => getComputedStyle(document.elementFromPoint(x, at)).cursor, [box.x + 400, box.y + y]);
      if (cursor === 'ns-resize') found = y;
    }
    assert.notEqual(found, null, 'no line can be taken');
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + found - 12, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL((url) => Number(url.searchParams.get('target')) > 72_000);
    assert.equal(asOf(page), NIGHT, 'dragging a line is no click on a candle');
    await page.getByLabel('Entry').fill('69,36,6');
    await page.getByRole('button', { name: 'What am I walking into?' }).click();
    await page.getByText('Entry: write a number such as 69,366.').waitFor();
    assert.deepEqual(said, []);
    await close();
  });

  test('a trade is watched as a position, with what it is worth; it is changed, taken out, and both taken back', { skip: external !== undefined }, async () => {
    const { browser, server } = of();
    const { price } = await server.get(`/api/v1/markets/${LIVE}/context`);
    const [entry, stop] = [price * 0.99, price * 0.97].map((x) => Number(x.toPrecision(5)));
    const { page, said, close } = await open(browser, server.url, `/m/${LIVE}?entry=${entry}&stop=${stop}&equity=10000`);
    await page.getByRole('button', { name: 'Watch it' }).click();
    await page.getByText('Added to positions').waitFor();
    await page.getByText('Added to positions').getByRole('link').click();
    const card = page.getByRole('article').filter({ has: page.getByTestId('worth').filter({ hasText: ' R' }) }).first();
    await card.waitFor();
    assert.match(await card.innerText(), /[+−]?[\d.]+ % .*[+−][\d.]+ R/s);
    assert.match(await card.innerText(), /[\d.]+ % away/);
    await card.getByRole('button', { name: 'Edit' }).click();
    const moved = Number((price * 0.96).toPrecision(5));
    await card.getByLabel('Stop').fill(String(moved));
    await card.getByRole('button', { name: 'Save' }).click();
    const own = async () => (await server.get('/api/v1/positions')).items.map((c) => c.position).find((p) => p.instrument === LIVE && p.entry === entry);
    await becomes(async () => (await own())?.stop, moved);
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    await becomes(async () => (await own())?.stop, stop);
    // What is taken back is what the card shows.
    await card.getByText(stop.toFixed(2)).first().waitFor();
    await card.getByRole('button', { name: 'Stop watching' }).click();
    await becomes(async () => (await own()) === undefined, true);
    await page.getByTestId('undo').getByRole('button', { name: 'Undo' }).click();
    await becomes(async () => (await own())?.stop, stop);
    assert.deepEqual(said, []);
    await close();
  });

  test('a price alert is kept, and said once when the price crosses it', { skip: external !== undefined }, async () => {
    const { browser, server } = of();
    const { page, said, close } = await open(browser, server.url, `/m/${LIVE}`);
    await page.locator('.own-lines summary').click();
    const price = await priceNow(server, LIVE);
    // Lines so close on both sides are crossed within seconds.
    for (const by of [0.9995, 1.0005, 0.999, 1.001]) {
      await page.getByLabel('Alert at').fill(String(Number((price * by).toPrecision(6))));
      await page.locator('.line-form').getByRole('button', { name: 'Add' }).click();
    }
    assert.equal(await page.locator('.line-list li').count(), 4);
    await page.getByRole('link', { name: 'Weather', exact: true }).click();
    await page.getByTestId('price-notice').first().waitFor({ timeout: 120_000 });
    assert.match(await page.getByTestId('price-notice').first().innerText(), /(rose|fell) to your line at/);
    assert.deepEqual(said, []);
    await close();
  });
}
