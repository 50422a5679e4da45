// What is seen stays where it is while a page fills: the layout shifts of each page, counted as browsers count them (the worst window of
// shifts less than a second apart and five seconds long together).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIVE, NIGHT } from './views.mjs';

const BTC = 'binance-usdm:BTCUSDT';
const PAGES = ['/', `/?as_of=${NIGHT}`, `/m/${BTC}?as_of=2026-02-05T15:30:00Z`, `/m/${LIVE}`, '/alerts', '/scorecard', '/regimes', '/volatility', '/universe', '/funding', '/cascades', '/positions', '/feeds', '/lab', '/agents', '/paper', '/whatif'];
const SCREENS = [
  { name: 'desktop', width: 1350, height: 940, most: 0.05 },
  { name: 'phone', width: 390, height: 844, most: 0.1 },
];
/** Of a page that has come, for what comes late: charts are drawn with the frames that follow. */
const AFTER_MS = 150;

/** Runs in the page before anything of it: notes every shift that no hand made, and what moved from where to where. */
function watchShifts() {
  window.shifts = [];
  const nameOf = (node) => {
    const path = [];
    for (let at = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node; at instanceof Element && path.length < 3; at = at.parentElement) {
      path.unshift([at.tagName.toLowerCase(), ...at.classList].join('.'));
    }
    return path.join(' > ') || 'gone';
  };
  const box = ({ x, y, width, height }) => `${Math.round(x)},${Math.round(y)} ${Math.round(width)}×${Math.round(height)}`;
  new PerformanceObserver((list) => {
    for (const { startTime, value, hadRecentInput, sources } of list.getEntries()) {
      if (!hadRecentInput) window.shifts.push({ at: startTime, value, moved: sources.map((of) => `${nameOf(of.node)}: ${box(of.previousRect)} to ${box(of.currentRect)}`) });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** The shifts of the worst window. */
function worst(shifts) {
  const sum = (of) => of.reduce((all, { value }) => all + value, 0);
  let most = [];
  let window = [];
  for (const shift of shifts) {
    const goesOn = window.length > 0 && shift.at - window.at(-1).at < 1_000 && shift.at - window[0].at < 5_000;
    window = goesOn ? [...window, shift] : [shift];
    if (sum(window) > sum(most)) most = window;
  }
  return { score: sum(most), shifts: most };
}

/** What moves too far on a page, as a line; null where nothing does. */
async function check(page, url, path, { name, most }) {
  await page.goto(url + path);
  await page.locator('main h1, main .note, main table').first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => document.querySelector('.skeleton, .refreshing, .is-waiting') === null, undefined, { timeout: 30_000 });
  await page.waitForTimeout(AFTER_MS);
  const { score, shifts } = worst(await page.evaluate(() => window.shifts));
  if (score < most) return null;
  const told = shifts.filter(({ value }) => value > most / 10).map(({ at, value, moved }) => `\n  ${Math.round(at)} ms, ${value.toFixed(3)}: ${moved.join('; ')}`);
  return `${path}, ${name}: ${score.toFixed(3)}, at most ${most}${told.join('')}`;
}

/** `world` gives browser and server once they run. */
export function shiftTests(world) {
  describe('nothing is pushed away while a page fills', { concurrency: true }, () => {
    for (const screen of SCREENS) {
      test(screen.name, async () => {
        const { browser, server } = world();
        const context = await browser.newContext({ viewport: { width: screen.width, height: screen.height }, timezoneId: 'Europe/Berlin', locale: 'en-GB' });
        try {
          await context.addInitScript(() => sessionStorage.setItem('barograph.story', '2026-02-05T00:00:00Z'));
          await context.addInitScript(watchShifts);
          const page = await context.newPage();
          const found = [];
          for (const path of PAGES) found.push(await check(page, server.url, path, screen));
          assert.deepEqual(found.filter((line) => line !== null), []);
        } finally {
          await context.close();
        }
      });
    }
  });
}
