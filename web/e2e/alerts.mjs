// Alerts that people act on: one row for each episode, watches that come true, receivers that are tested and made on the page, and a
// process that says what it cannot do before anything is filled in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, open, shot } from './browser.mjs';
import { priceNow, until } from './figures.mjs';
import { Server, external } from './server.mjs';
import { LIVE } from './views.mjs';

const ORDER = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'];
const rank = (word) => ORDER.indexOf(word.trim());

/** The newest price that a market was published with. */
async function priceOf(server, market) {
  const { price } = await server.get(`/api/v1/markets/${encodeURIComponent(market)}/context`);
  assert.ok(price > 0, `${market} has no price`);
  return price;
}

/** `of` gives what the tests share once it is there: `{ browser, server, receiver }`. */
export function alertTests(of) {
  test('an episode is one row with its numbers, the most severe first, and its records fold inside', async () => {
    const { browser, server } = of();
    const kind = 'LIQUIDATION_CASCADE';
    const known = async () => (await server.get(`/api/v1/events?order=desc&severity=LOW&limit=300&pattern=${kind}`)).items;
    await until(async () => (await known()).some((event) => event.revision > 1), 'no burst had two records', 240_000);
    const { page, said, close } = await open(browser, server.url, `/alerts?view=all&kind=${kind}&severity=LOW`);
    await page.locator('li.alert').first().waitFor();
    // New ones may come while it is read: what is on the page is known to the server, each once.
    await until(async () => {
      const ids = new Set((await known()).map((event) => event.alert_id));
      return (await page.locator('li.alert').count()) === ids.size || `${await page.locator('li.alert').count()} rows, ${ids.size} episodes`;
    }, 'rows and episodes differ');
    const badges = await page.locator('li.alert > details > summary > .badge').allInnerTexts();
    assert.deepEqual(badges.map(rank), badges.map(rank).sort((a, b) => a - b), `severities ${badges}`);
    const row = page.locator('li.alert').filter({ hasText: 'M0001/USDT' }).first();
    const text = await row.locator('summary').first().innerText();
    assert.match(text, /liquidations? [\d,.]+ in \d+ (s|min)/, 'how many and how fast');
    assert.match(text, /[\d.,]+[KMB]? USD/, 'how much');
    assert.match(text, /(longs|shorts|both sides) liquidated/, 'on which side');
    assert.match(text, /at [\d.,]+/, 'at which price');
    // The whole is read of one row: its records are behind it.
    const more = (await known()).find((event) => event.revision > 1);
    await page.getByRole('combobox', { name: 'market', exact: true }).selectOption(more.instrument);
    await until(async () => {
      const all = await page.locator('li.alert .alert-what').allInnerTexts();
      return (all.length > 0 && all.every((each) => each.includes(more.symbol))) || all.join(' | ');
    }, 'other markets are listed');
    assert.equal(new URL(page.url()).searchParams.get('market'), more.instrument);
    const first = page.locator('li.alert').first();
    await first.locator('summary').first().click();
    await first.getByText(/ records of this alert/).click();
    assert.ok((await first.locator('.records tbody tr').count()) > 1, 'its records are listed');
    assert.deepEqual(await axe(page), []);
    await shot(page, 'alerts-episode-dark');
    assert.deepEqual(said, []);
    await close();
  });

  test('a button beside what would turn a label makes a watch, and ends it', async () => {
    const { browser, server } = of();
    // Some axis has a number that would turn it.
    const path = `/api/v1/markets/${encodeURIComponent(LIVE)}/context`;
    await until(() => server.get(path).then(() => true, () => false), 'no minute of the market was published', 120_000);
    const snapshot = await server.get(path);
    const axis = ['volatility', 'risk', 'trend', 'heat'].find((name) => snapshot.regimes[name].nearest_exit !== null);
    assert.ok(axis !== undefined, 'no single number would turn any label');
    const { page, said, close } = await open(browser, server.url, `/m/${LIVE}?interval=1m&axis=${axis}`);
    const button = page.locator('.turns').getByRole('button', { name: 'Tell me when this turns' });
    await button.click();
    await page.locator('.turns').getByRole('button', { name: 'Watching. Stop' }).first().waitFor();
    const going = async () => (await server.get('/api/v1/watches')).items.filter(({ watch }) => watch.ended_at === null && watch.instrument === LIVE);
    assert.equal((await going()).length, 1);
    await shot(page, 'market-watching-dark');
    await page.locator('.turns').getByRole('button', { name: 'Watching. Stop' }).first().click();
    await button.waitFor();
    assert.deepEqual(await going(), []);
    assert.deepEqual(said, []);
    await close();
  });

  test('a watch comes true on a published minute, is shown on the page and delivered once', { skip: external !== undefined }, async () => {
    const { browser, server, receiver } = of();
    const { page, said, close } = await open(browser, server.url, '/alerts?view=watches');
    await page.getByLabel('Market').fill(LIVE);
    const at = await priceOf(server, LIVE);
    // What holds already is refused with the reason, and nothing is made.
    await page.getByLabel('When it').selectOption('below');
    await page.getByLabel('Level').fill(String(at * 10));
    await page.getByTestId('tried').getByText(/^(Not once|Once|\d+ times) in the last .+ here|^No reading of it/).waitFor();
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    await page.getByRole('alert').getByText(/there is nothing to wait for/).waitFor();
    await page.getByLabel('Level').fill('soon');
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    await page.getByRole('alert').getByText(/'soon' is no number/).waitFor();
    assert.deepEqual((await server.get('/api/v1/watches')).items.filter(({ watch }) => watch.when.startsWith('price')), []);
    // At its price now it is crossed within minutes of the venue's clock.
    await page.getByLabel('When it').selectOption('crosses');
    await page.getByLabel('Level').fill((await priceNow(server, LIVE)).toPrecision(5));
    await page.getByLabel('Note to yourself').fill('a test');
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    await page.getByText(/^Watching: price crosses/).waitFor();
    const notice = page.getByRole('complementary', { name: 'What you watch' });
    await notice.waitFor({ timeout: 240_000 });
    await notice.getByText(/price (rose above|fell below)/).first().waitFor();
    await shot(page, 'alerts-watches-dark');
    assert.deepEqual(await axe(page), []);
    const { watch } = (await server.get('/api/v1/watches')).items.find((view) => view.watch.when.startsWith('price crosses'));
    assert.ok(watch.ended_at !== null && watch.turns === 1, 'once, and over');
    assert.ok(Date.parse(watch.fired[0].ts) > Date.parse(watch.created_at), 'no minute before it was asked for');
    assert.match(watch.fired[0].text, /Your note: a test\. This watch has ended\.$/);
    const sent = () => receiver.taken.filter(({ body }) => body.watch?.id === watch.id);
    await until(() => sent().length > 0, 'nothing was delivered', 30_000);
    assert.equal(sent().length, 1);
    assert.equal(sent()[0].body.turn.text, watch.fired[0].text);
    await notice.getByRole('button', { name: 'Seen' }).click();
    await notice.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Came true' }).waitFor();
    assert.deepEqual(said.filter((line) => !/400 \(Bad Request\)/.test(line)), [], 'nothing but what was refused');
    await close();
  });

  test('a watch is there after the process was killed, and is the same one when it is asked for again', { skip: external !== undefined }, async () => {
    const { server } = of();
    const wanted = { market: LIVE, when: 'risk changes', repeat: true };
    const { watch } = await server.ask('/api/v1/watches', wanted);
    await server.kill();
    await server.start();
    const again = await server.ask('/api/v1/watches', wanted);
    assert.equal(again.watch.id, watch.id);
    const listed = server.run('alerts', 'watches', '--json').split('\n').map((line) => JSON.parse(line));
    assert.ok(listed.some((view) => view.watch.id === watch.id), 'the command line lists it');
  });

  test('a receiver is tested on the page, with what came back', { skip: external !== undefined }, async () => {
    const { browser, server, receiver } = of();
    const { page, said, close } = await open(browser, server.url, '/alerts?view=deliveries');
    const desk = page.locator('[data-receiver="desk"]');
    const before = receiver.taken.length;
    await desk.getByRole('button', { name: 'Send a test message to desk' }).click();
    await desk.getByText('It arrived').waitFor();
    await desk.getByText(/answered 200 in \d+ ms/).waitFor();
    assert.ok(receiver.taken.slice(before).some(({ body }) => /sample/i.test(body.title ?? '')), 'a sample arrived');
    receiver.status = 400;
    await desk.getByRole('button', { name: 'Send a test message to desk' }).click();
    await desk.getByText('It did not arrive').waitFor();
    await desk.getByText(/answered 400/).waitFor();
    receiver.status = 200;
    await shot(page, 'alerts-receiver-tested-dark');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(said, []);
    await close();
  });

  test('a receiver is made on the page, shows its budget, and is removed', { skip: external !== undefined }, async () => {
    const { browser, server } = of();
    const { page, close } = await open(browser, server.url, '/alerts?view=deliveries');
    await page.getByText('Add a receiver').click();
    await page.getByLabel('Name').fill('phone');
    await page.getByLabel('Address').fill('http://127.0.0.1:9/s3cret-topic');
    await page.getByLabel('At most').fill('3/day');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('alert').getByText(/use https, or set WEBHOOKS_ALLOW_HTTP=true/).waitFor();
    await page.getByLabel('Address').fill('https://receiver.invalid/s3cret-topic');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const phone = page.locator('[data-receiver="phone"]');
    await phone.getByText('0 of 3 in 24 h').waitFor();
    assert.ok(!(await page.content()).includes('s3cret-topic'), 'its address is not shown again');
    assert.ok(server.kept('receivers.json').includes('receiver.invalid'), 'it is kept for the next start');
    await phone.getByRole('button', { name: 'Send a test message to phone' }).click();
    await phone.getByText('It did not arrive').waitFor();
    // The others go on.
    await page.locator('[data-receiver="desk"]').getByRole('button', { name: 'Send a test message to desk' }).click();
    await page.locator('[data-receiver="desk"]').getByText('It arrived').waitFor();
    await shot(page, 'alerts-receiver-made-dark');
    await phone.getByRole('button', { name: 'Remove phone' }).click();
    // What was on its way to it, as an alert of these seconds, stays listed with its name.
    await phone.getByRole('button', { name: 'Remove phone' }).waitFor({ state: 'detached' });
    assert.deepEqual((await server.get('/api/v1/endpoints')).items.filter((e) => e.made_here), []);
    await close();
  });

  test('a process that only serves says so before anything is filled in', { skip: external !== undefined }, async () => {
    const { browser, server } = of();
    const reader = new Server({ command: 'serve', over: server });
    try {
      await reader.start();
      const { page, said, close } = await open(browser, reader.url, '/alerts?view=silences');
      for (const [view, button] of [
        ['silences', 'Silence'],
        ['deliveries', 'Add'],
        ['watches', 'Watch'],
      ]) {
        await page.goto(`${reader.url}/alerts?view=${view}`);
        await page.getByTestId('not-here').getByText(/barograph up/).waitFor();
        assert.equal(await page.getByRole('button', { name: button, exact: true }).count(), 0, view);
        assert.equal(await page.getByRole('button', { name: /^Send a test message/ }).count(), 0, view);
      }
      await shot(page, 'alerts-serve-dark');
      assert.deepEqual(said, []);
      await close();
    } finally {
      await reader.stop();
    }
  });
}
