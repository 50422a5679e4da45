// Signals beside the candles in a real browser: chosen, kept, shown from the moment they were known, and never asked for where none is
// chosen. Told by page.test.mjs where browser and server are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from './browser.mjs';
import { until } from './figures.mjs';
import { NIGHT } from './views.mjs';

const BTC = 'binance-usdm:BTCUSDT';
const ETH = 'binance-usdm:ETHUSDT';
const NAME = 'x.desk_flow';

const at = (market, moment) => `/m/${market}?as_of=${moment}&interval=1h`;
const point = (timestamp, known_ts, value) => ({ timestamp, known_ts, value, metric_name: NAME, source: 'desk', tags: { unit: 'USD' } });

async function charted(page) {
  await page.locator('.chart canvas').first().waitFor();
  await page.waitForFunction(() => document.querySelector('[data-testid=chart]')?.getAttribute('aria-busy') === 'false');
}

export function signalTests(of) {
  test('a signal of one’s own stands under the candles from the moment it was known, with unit and age', async () => {
    const { browser, server } = of();
    await server.ask(`/api/v1/markets/${BTC}/metrics`, [
      point('2026-02-05T11:10:00Z', '2026-02-05T11:20:00Z', 1.5),
      point('2026-02-05T12:30:00Z', '2026-02-05T13:30:00Z', 2_500),
      point('2026-02-05T13:50:00Z', '2026-02-05T14:20:00Z', 7),
    ]);
    const { page, said, close } = await open(browser, server.url, at(BTC, NIGHT));
    const asked = [];
    page.on('request', (request) => {
      if (/\/signals/.test(request.url())) asked.push(request.url());
    });
    await charted(page);
    const reading = page.locator('#reading');
    const panes = () => page.locator('.chart table tr').count();
    const without = await panes();
    assert.deepEqual(asked, [], 'nothing is chosen');
    await page.getByRole('button', { name: 'what the chart shows' }).click();
    await page.getByLabel(NAME).check();
    await until(async () => (await panes()) > without || (await panes()), 'no pane was added');
    await page.keyboard.press('Escape');
    // Away from the chart, whose bars are under the pointer once the tools are closed.
    await page.mouse.move(2, 2);
    // The newest bar that is over closed at 14:00, when the value of 13:50 was not known yet.
    await reading.filter({ hasText: `${NAME} 2,500 USD 1 h 30 min old` }).waitFor();
    assert.ok(asked.every((url) => url.includes('/signals/bars?')), asked.join());
    await page.goto(server.url + at(BTC, '2026-02-05T13:05:00Z'));
    await charted(page);
    await reading.filter({ hasText: `${NAME} 1.5 USD 1 h 50 min old` }).waitFor();
    await page.getByRole('button', { name: 'one bar back' }).click();
    await page.mouse.move(2, 2);
    await reading.filter({ hasText: `${NAME} 1.5 USD 50 min old` }).waitFor();
    // Of another market it knows nothing: no pane, and no number that would be another market's.
    const answered = page.waitForResponse((response) => response.url().includes('ETHUSDT/signals/bars?names='));
    await page.goto(server.url + at(ETH, NIGHT));
    await charted(page);
    assert.deepEqual((await (await answered).json()).items, []);
    assert.equal(await panes(), without);
    assert.ok(!(await reading.innerText()).includes(NAME));
    await page.getByRole('button', { name: 'what the chart shows' }).click();
    await page.getByLabel(NAME).uncheck();
    await page.keyboard.press('Escape');
    asked.length = 0;
    // The panels below the chart ask once its bars are painted, and so would signals.
    const below = page.waitForResponse((response) => response.url().includes('BTCUSDT/analysis'));
    await page.goto(server.url + at(BTC, NIGHT));
    await charted(page);
    await below;
    assert.deepEqual(asked, []);
    assert.equal(await panes(), without);
    assert.deepEqual(said, []);
    await close();
  });
}
