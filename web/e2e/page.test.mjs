// The page in a real browser against the real program.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { axe, launch, missing, open, shot } from './browser.mjs';
import { Receiver, Server, external } from './server.mjs';
import { LIVE, NIGHT, SOL, VIEWS } from './views.mjs';

if (missing !== null) {
  console.log(missing);
  process.exit(0);
}

const receiver = new Receiver();
const server = new Server({ settings: () => receiver.table() });
let browser;

before(async () => {
  await receiver.start();
  await server.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server.stop();
  receiver.stop();
});

const LOOKS = [
  { look: 'dark', theme: 'dark' },
  { look: 'light', theme: 'light' },
  { look: 'phone', theme: 'dark', width: 390, height: 844 },
];

describe('every view', () => {
  for (const view of VIEWS) {
    test(view.name, async () => {
      await view.before?.(server);
      for (const { look, ...options } of LOOKS) {
        const { page, said, close } = await open(browser, server.url, view.path, options);
        await view.ready(page);
        await view.check(page, server);
        await page.waitForLoadState('load');
        assert.deepEqual(await axe(page), [], `axe on ${view.name}, ${look}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(wide, 0, `${view.name}, ${look}: the page is ${wide} px wider than the screen`);
        await shot(page, `${view.name}-${look}`);
        assert.deepEqual(said, [], `console of ${view.name}, ${look}`);
        await close();
      }
    });
  }
});

describe('what the page does', () => {
  test('a change is on the page within a second of the event', async () => {
    const { page, said, close } = await open(browser, server.url, '/');
    const cell = page.getByRole('row').filter({ hasText: 'M0001' }).locator('.c-price span').first();
    await cell.waitFor();
    await cell.evaluate((element) => {
      window.seen = [];
      new MutationObserver(() => window.seen.push([Date.now(), element.textContent])).observe(element, { subtree: true, childList: true, characterData: true });
    });
    const told = await pricesTold(server, LIVE, 12_000);
    await page.waitForTimeout(1_000);
    const seen = await page.evaluate(() => window.seen);
    assert.ok(told.length > 0, 'the stream told no price of the market');
    for (const [at, price] of told) {
      const shown = seen.find(([when, text]) => when >= at - 1_000 && when <= at + 1_000 && near(Number(text.replaceAll(',', '')), price));
      assert.ok(shown, `${price} told at ${at} was not on the page within a second: ${JSON.stringify(seen.slice(-5))}`);
    }
    assert.deepEqual(said, []);
    await close();
  });

  test('the time machine shows what the API says with as_of, and the address carries it', async () => {
    const { page, said, close } = await open(browser, server.url, `/m/${SOL}?as_of=${NIGHT}`);
    await page.getByTestId('reasoning').waitFor();
    await page.getByRole('button', { name: '−1 h' }).click();
    await page.waitForURL(/as_of=2026-02-05T13:35:00Z/);
    const then = await server.get(`/api/v1/markets/${SOL}/context?as_of=2026-02-05T13:35:00Z`);
    await page.getByText(then.explanation.reasoning, { exact: true }).waitFor();
    assert.match(await page.getByTestId('now-risk').innerText(), new RegExp(then.regimes.risk.label));
    await page.keyboard.press('t');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/as_of=2026-02-05T13:36:00Z/);
    await page.goBack();
    await page.waitForURL(/as_of=2026-02-05T13:35:00Z/);
    await page.getByRole('button', { name: 'Back to now' }).click();
    await page.getByTestId('past-banner').waitFor({ state: 'detached' });
    assert.ok(!page.url().includes('as_of'));
    assert.deepEqual(said, []);
    await close();
  });

  test('keys search, move, open and explain', async () => {
    const { page, said, close } = await open(browser, server.url, `/?as_of=${NIGHT}`);
    await page.getByRole('row').filter({ hasText: 'SOL' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('sol');
    await page.waitForURL(/q=sol/);
    assert.equal(await page.locator('tr.market-row').count(), 1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('next row').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/m\/binance-usdm:SOLUSDT/);
    await page.getByTestId('reasoning').waitFor();
    assert.deepEqual(said, []);
    await close();
  });

  test('a trade in mind gets the answer of the API', async () => {
    const { page, said, close } = await open(browser, server.url, `/m/${SOL}?as_of=${NIGHT}`);
    await page.getByLabel('Entry').fill('88');
    await page.getByLabel('Stop').fill('86');
    await page.getByLabel('Equity').fill('10000');
    await page.getByRole('button', { name: 'What am I walking into?' }).click();
    const reply = await fetch(`${server.url}/api/v1/advice?as_of=${NIGHT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-barograph': '1' },
      body: JSON.stringify({ symbol: SOL, side: 'long', entry: 88, stop: 86, equity: 10_000 }),
    });
    const advice = await reply.json();
    await page.getByTestId('verdict').getByText(advice.verdict).waitFor();
    await page.getByText(advice.summary, { exact: true }).waitFor();
    assert.deepEqual(said, []);
    await close();
  });

  test('the theme is chosen and remembered', async () => {
    const { page, close } = await open(browser, server.url, '/help', { theme: 'light' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: 'use the dark theme' }).click();
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.reload();
    await page.getByRole('button', { name: 'use the light theme' }).waitFor();
    assert.equal(await ground(), dark);
    await close();
  });

  test('what a receiver refuses is dead on the page, and goes out when it is sent again', { skip: external !== undefined }, async () => {
    receiver.status = 400;
    const id = await server.register({ symbol: 'binance-usdm:ETHUSDT', side: 'long', entry: 2_100 });
    const { page, said, close } = await open(browser, server.url, '/alerts?view=deliveries&state=dead');
    // Nothing polls: what is told later comes with the next alert of the stream, or when the page is asked again.
    const line = page.getByRole('row').filter({ hasText: 'ETHUSDT' }).filter({ hasText: 'dead' });
    await until(async () => {
      await page.reload();
      await page.getByRole('heading', { name: 'Deliveries' }).waitFor();
      await page.waitForTimeout(500);
      return (await line.count()) > 0;
    }, `the message about position ${id} did not end as dead`);
    receiver.status = 200;
    const before = receiver.taken.length;
    await line.first().getByRole('button', { name: /^open/ }).click();
    await page.getByRole('heading', { name: 'Tries' }).waitFor();
    await page.getByText('400', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByRole('row').filter({ hasText: 'desk' }).getByText('delivered').first().waitFor();
    await shot(page, 'alerts-message-dark');
    assert.deepEqual(await axe(page), []);
    const message = new URL(page.url()).searchParams.get('message');
    const told = await server.get(`/api/v1/deliveries/${message}`);
    assert.deepEqual(told.deliveries.map((d) => [d.endpoint, d.state]), [['desk', 'delivered']]);
    const answers = told.attempts.map((a) => a.status);
    assert.equal(answers.at(-1), 200);
    assert.ok(answers.length > 1 && answers.slice(0, -1).every((status) => status === 400), `answers: ${answers}`);
    assert.ok(receiver.taken.length > before);
    assert.deepEqual(said, []);
    await close();
  });

  test('a silence is made, holds, and is ended on the page', async () => {
    const { page, said, close } = await open(browser, server.url, `/alerts?view=silences&event_type=REGIME_CHANGE&instrument=${SOL}`);
    await page.getByLabel('Who asks').fill('ann');
    await page.getByLabel('Why').fill('maintenance of the venue');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    const line = page.getByRole('row').filter({ hasText: 'maintenance of the venue' });
    await line.waitFor();
    const held = (await server.get('/api/v1/silences')).items.filter((s) => s.active);
    assert.deepEqual(held[0].silence.matchers, [{ label: 'event_type', op: '=', value: 'REGIME_CHANGE' }, { label: 'instrument', op: '=', value: SOL }]);
    assert.equal(held[0].silence.author, 'ann');
    assert.equal(Date.parse(held[0].silence.ends_at) - Date.parse(held[0].silence.starts_at), 3_600_000);
    await shot(page, 'alerts-silenced-dark');
    await line.getByRole('button', { name: 'End now' }).click();
    await line.getByText('over').waitFor();
    assert.ok((await server.get('/api/v1/silences')).items.every((s) => !s.active));
    assert.deepEqual(said, []);
    await close();
  });

  test('a server that wants tokens gets one from a form, and no script can read what it keeps', { skip: external !== undefined }, async () => {
    const guarded = new Server({ command: 'serve', over: server, settings: () => 'access = "tokens"\n' });
    try {
      const token = guarded.run('token', 'add', 'ann', '--role', 'operate');
      await guarded.start();
      assert.equal((await fetch(`${guarded.url}/api/v1/board`)).status, 401);
      const { page, close } = await open(browser, guarded.url, '/feeds');
      await page.getByLabel('Token').fill('not-a-token');
      assert.deepEqual(await axe(page), []);
      await shot(page, 'sign-in-dark');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Feeds' }).waitFor();
      const session = await page.evaluate(() => fetch('/api/v1/session').then((r) => r.json()));
      assert.deepEqual(session, { tokens: true, name: 'ann', role: 'operate' });
      assert.equal(await page.evaluate(() => document.cookie), '', 'no script can read the cookie');
      await page.reload();
      await page.getByRole('heading', { name: 'Feeds' }).waitFor();
      assert.equal(await page.getByLabel('Token').count(), 0);
      await page.goto(`${guarded.url}/help`);
      await page.getByText('Signed in as ann, who may operate.').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Token').waitFor();
      assert.equal(await page.evaluate(() => fetch('/api/v1/board').then((r) => r.status)), 401);
      await close();
    } finally {
      await guarded.stop();
    }
  });

  test('a killed server shows stale within five seconds, and the page heals without being loaded again', { skip: external !== undefined }, async () => {
    const { page, close } = await open(browser, server.url, '/');
    await page.getByRole('row').filter({ hasText: 'M0001' }).waitFor();
    await page.evaluate(() => (window.loadedOnce = true));
    await server.kill();
    await page.getByTestId('stale-banner').waitFor({ timeout: 5_000 });
    await shot(page, 'stale-dark');
    await server.start();
    await page.getByTestId('stale-banner').waitFor({ state: 'detached', timeout: 15_000 });
    assert.equal(await page.evaluate(() => window.loadedOnce), true);
    await close();
  });
});

async function until(holds, otherwise, withinMs = 30_000) {
  const end = Date.now() + withinMs;
  while (!(await holds())) if (Date.now() > end) assert.fail(otherwise);
}

function near(a, b) {
  return Math.abs(a - b) <= Math.abs(b) * 1e-3;
}

/** Prices of a market as the stream told them, with the moment each was heard here; only those that were not overtaken at once. */
async function pricesTold({ url }, market, forMs) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), forMs);
  const told = [];
  let number = null;
  try {
    const reply = await fetch(`${url}/api/v1/board/stream`, { signal: stop.signal });
    let rest = '';
    for await (const chunk of reply.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const event = /^event: (.*)$/m.exec(block)?.[1];
        const data = [...block.matchAll(/^data: (.*)$/gm)].map((m) => m[1]).join('\n');
        if (event === 'board') number = JSON.parse(data).rows.find((row) => row.instrument === market)?.i;
        if (event !== 'cells') continue;
        for (const [i, mask, first] of JSON.parse(data).c) if (i === number && mask & 1 && first !== null) told.push([Date.now(), first]);
      }
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  } finally {
    clearTimeout(timer);
  }
  // What a later batch replaced before the next frame need never have been seen.
  return told.filter(([at], place) => place + 1 >= told.length || told[place + 1][0] - at > 50);
}
