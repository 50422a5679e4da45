// What the page costs a person: how soon a market with a year of minutes can be used, how smoothly it pans, how the board fares while
// a thousand live markets cross a threshold. Prints `figure <name> <number>` lines; BAROGRAPH_BIN is the program, PAGE_DATA a data
// folder with one market's year.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, missing } from './browser.mjs';

const MARKETS = 1_000;
const STORM_SECONDS = 20;
const PAN_SECONDS = 6;
/** Two hours with PLAY_SECONDS=7200; what leaks shows within minutes, at ten recorded minutes a second. */
const PLAY_SECONDS = Number(process.env.PLAY_SECONDS ?? 120);
const PLAY_WARM_SECONDS = 30;
const SETTLE_MS = 2_000;

if (missing !== null) {
  console.error(`skipped: ${missing}`);
  process.exit(1);
}
const { BAROGRAPH_BIN: bin, PAGE_DATA: year } = process.env;
if (!bin || !year) {
  console.error('BAROGRAPH_BIN and PAGE_DATA name the program and a data folder');
  process.exit(1);
}
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BAROGRAPH_')));
const folder = mkdtempSync(join(tmpdir(), 'barograph-page-'));
const children = [];

/** Starts the program; what `pick` finds in what it says. */
function start(args, pick) {
  const child = spawn(bin, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((done, fail) => {
    let said = '';
    const hear = (text) => {
      said += text;
      const found = pick.exec(said);
      if (found) done(found[1]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => fail(new Error(`${args[0]} ended with ${code}: ${said.slice(-500)}`)));
  });
}

const figure = (name, value) => console.log(`figure ${name} ${value.toFixed(3)}`);

/** Keeps the moments of all frames from now on. */
const watchFrames = (page) =>
  page.evaluate(() => {
    window.frames_seen = [];
    const frame = () => {
      window.frames_seen.push(Date.now());
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });

/**
 * Seconds from the navigation until all of these are on the page and what is asked of the main thread then is done, by the clock of
 * the page itself: what speaks with the browser from outside waits for the same two cores.
 */
async function ready(page, selectors, go) {
  await page.addInitScript((wanted) => {
    const watch = new MutationObserver(() => {
      if (wanted.some((selector) => document.querySelector(selector) === null)) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => (window.ready_ms = performance.now())));
    });
    watch.observe(document, { childList: true, subtree: true });
  }, selectors);
  await go();
  await page.waitForFunction(() => window.ready_ms !== undefined, undefined, { timeout: 90_000 });
  return (await page.evaluate(() => window.ready_ms)) / 1_000;
}

/** An empty tab of a browser that has nothing left to do: starting the tab's processes is no work of the page. */
async function tab(browser) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.waitForTimeout(SETTLE_MS);
  return page;
}

/** Frames a second between two moments. */
async function rate(page, from, to) {
  const seen = await page.evaluate(() => window.frames_seen);
  return seen.filter((at) => at >= from && at < to).length / ((to - from) / 1_000);
}

async function market(browser, url) {
  const { items } = await (await fetch(`${url}/api/v1/markets`)).json();
  const { instrument } = items[0];
  const page = await tab(browser);
  figure('market_usable_s', await ready(page, ['.chart canvas', '[data-testid=reasoning]'], () => page.goto(`${url}/m/${instrument}?interval=1m`)));
  const box = await page.locator('.chart').first().boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 3];
  await watchFrames(page);
  const from = Date.now();
  let far = 1;
  while (Date.now() - from < PAN_SECONDS * 1_000) {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + far * 250, y, { steps: 12 });
    await page.mouse.up();
    await page.mouse.wheel(0, far % 2 === 0 ? 240 : -120);
    far = far === 1 ? 2 : 1;
  }
  figure('market_pan_fps', await rate(page, from, Date.now()));
  await page.close();
}

/** Bytes that are reachable, in megabytes. */
async function heap(session) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}

/** Recorded time runs at 600 times its pace: frames a second, and what is kept after a while that was not kept before. */
async function played(browser, url) {
  const { items } = await (await fetch(`${url}/api/v1/markets`)).json();
  const { instrument, last_minute } = items[0];
  const begin = new Date(Date.parse(last_minute) - (PLAY_WARM_SECONDS + PLAY_SECONDS + 60) * 600_000).toISOString();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${url}/m/${instrument}?interval=1h&as_of=${begin}&play=600`);
  await page.locator('.chart canvas').first().waitFor();
  await watchFrames(page);
  const session = await page.context().newCDPSession(page);
  await page.waitForTimeout(PLAY_WARM_SECONDS * 1_000);
  const [before, from] = [await heap(session), Date.now()];
  await page.waitForTimeout(PLAY_SECONDS * 500);
  figure('play_fps', await rate(page, from, Date.now()));
  await page.waitForTimeout(PLAY_SECONDS * 500);
  if (!page.url().includes('play=600')) throw new Error(`it does not play any more: ${page.url()}`);
  figure('play_heap_growth_mb', Math.max(0, (await heap(session)) - before));
  await page.close();
}

async function paint(browser, url) {
  const page = await tab(browser);
  await page.goto(url);
  await page.locator('tr.market-row').first().waitFor();
  const first = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  figure('first_paint_s', first / 1_000);
  await page.close();
}

async function storm(browser) {
  const base = await start(['sim', '--port', '0', `--markets=${MARKETS}`, '--messages-per-s=2000'], /--endpoint (\S+)/);
  const shipped = readFileSync(new URL('../../crates/engine/books/default.toml', import.meta.url), 'utf8');
  const rule = '[[alert]]\nid = "heard"\nseverity = "HIGH"\ntext = "Funding is heard"\nall = [{ feature = "funding_rate_8h", op = ">", value = -1.0, scale = 0.1 }]\n';
  writeFileSync(join(folder, 'book.toml'), `${shipped}\n${rule}`);
  const args = ['up', '--all', '--min-volume-24h', '0', '--backfill', '0', '--books', 'off', '--book', 'book.toml', '--data', 'data', '--listen', '127.0.0.1:0', '--endpoint', base];
  const url = await start(args, /(http:\/\/127\.0\.0\.1:[1-9]\d*)/);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.locator('tr.market-row').first().waitFor({ timeout: 90_000 });
  figure('first_row_s', await ready(page, ['tr.market-row'], () => page.reload()));
  await watchFrames(page);
  await page.evaluate(() => {
    setInterval(() => window.scrollBy(0, 20), 16);
  });
  const alerts = async () => (await (await fetch(`${url}/api/v1/board`)).json()).header.open_alerts;
  const until = Date.now() + 240_000;
  while ((await alerts()) < MARKETS / 10) {
    if (Date.now() > until) throw new Error('no storm came');
    await new Promise((done) => setTimeout(done, 500));
  }
  const from = Date.now() - 1_000;
  await page.waitForTimeout(STORM_SECONDS * 1_000);
  const open = await alerts();
  if (open < MARKETS / 2) throw new Error(`only ${open} alerts came`);
  figure('storm_fps', await rate(page, from, from + STORM_SECONDS * 1_000));
  await page.close();
}

/** A case of books and trades, from its address until a step can be taken: a journal of some minutes stands behind it. */
async function filed(browser) {
  const url = await start(['demo', '--data', 'demo', '--listen', '127.0.0.1:0'], /(http:\/\/127\.0\.0\.1:[1-9]\d*)/);
  const list = `${url}/api/v1/events?order=desc&severity=LOW&limit=300`;
  const ofLive = async () => (await (await fetch(list)).json()).items.find((event) => event.instrument.includes(':M0') && event.change !== 'HAPPENED');
  const until = Date.now() + 300_000;
  let alert;
  while ((alert = await ofLive()) === undefined) {
    if (Date.now() > until) throw new Error('no market of the built-in venue has an alert');
    await new Promise((done) => setTimeout(done, 1_000));
  }
  const body = JSON.stringify({ alerts: [alert.alert_id], author: 'ann' });
  const reply = await fetch(`${url}/api/v1/cases`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!reply.ok) throw new Error(`the case is not filed: ${await reply.text()}`);
  const { case_id: id } = await reply.json();
  const opened = await tab(browser);
  figure('case_steppable_s', await ready(opened, ['[data-testid=step]'], () => opened.goto(`${url}/cases?case=${id}`)));
  await opened.close();
}

const browser = await launch();
try {
  const url = await start(['serve', '--data', year, '--listen', '127.0.0.1:0'], /(http:\/\/127\.0\.0\.1:[1-9]\d*)/);
  await paint(browser, url);
  await market(browser, url);
  await played(browser, url);
  await storm(browser);
  await filed(browser);
} finally {
  await browser.close();
  for (const child of children) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
