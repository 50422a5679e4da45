// The browser, and what every page owes: no word on the console, no refused content, nothing asked of another server, no finding
// of axe.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const OUT = new URL('../e2e-out', import.meta.url).pathname;

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why there is no browser to test with; null where there is one. */
export const missing = existsSync(CHROMIUM) ? null : `there is no browser at ${CHROMIUM}; install chromium or set CHROMIUM`;

/** Says that something is skipped, and why, to who looks and to the list of which `make test` makes its last line. */
export function skipped(what, why) {
  const line = `skipped: ${what}: ${why}`;
  console.log(line);
  if (process.env.SKIPPED_TESTS) appendFileSync(process.env.SKIPPED_TESTS, `${line}\n`);
}

export async function launch() {
  mkdirSync(OUT, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** A page that remembers what went wrong on it. A killed server makes the browser speak; `quiet` says when that is expected. */
export async function open(browser, url, path, { theme = 'dark', width = 1440, height = 900, story = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, timezoneId: 'Europe/Berlin', locale: 'en-GB' });
  // A tab that was led to the recorded night before is left where its address says.
  if (!story) await context.addInitScript(() => sessionStorage.setItem('barograph.story', '2026-02-05T00:00:00Z'));
  const page = await context.newPage();
  // A machine that others share may need it; a test that promises a time says so itself.
  page.setDefaultTimeout(90_000);
  const said = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') said.push(`${message.type()}: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => said.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url && !request.url().startsWith('data:')) said.push(`asked another server: ${request.url()}`);
  });
  await page.goto(url + path);
  return { page, said, close: () => context.close() };
}

/** Findings of axe, as lines. */
export async function axe(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0].html.slice(0, 160)} ${[...v.nodes[0].any, ...v.nodes[0].all, ...v.nodes[0].none].map((a) => a.message).join('; ')}`);
}

export async function shot(page, name) {
  await page.screenshot({ path: `${OUT}/${name}.png`, fullPage: true });
}
