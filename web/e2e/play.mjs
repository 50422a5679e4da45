// Play by the clock, as somebody leaves it on a second screen: the recorded month at 600 times its pace, begun again where it ends, without
// loading the page anew. Says each minute what is reachable after a collection of garbage, and fails where the last quarter of the time
// keeps more than the second did. PLAY_MINUTES (120) is how long; BAROGRAPH_BIN is the program. Frames a second are `make bench`'s matter.
import { launch, missing } from './browser.mjs';
import { Server } from './server.mjs';

const MINUTES = Number(process.env.PLAY_MINUTES ?? 120);
/** The browser compiles for hours, code by code; snapshots of the heap, ten minutes apart, differed by that alone. */
const GROWTH_MB = 2;
const START = '/m/binance-usdm:BTCUSDT?interval=1h&as_of=2026-02-01T00:00:00Z&play=600';

if (missing !== null) throw new Error(missing);
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const server = new Server();
let browser = null;
try {
  await server.start();
  browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const thrown = [];
  page.on('pageerror', (error) => thrown.push(error.message));
  await page.goto(server.url + START);
  await page.locator('.chart canvas').first().waitFor();
  const session = await page.context().newCDPSession(page);
  const heaps = [];
  let rounds = 1;
  for (let minute = 1; minute <= MINUTES; minute++) {
    await page.waitForTimeout(60_000);
    if (!page.url().includes('play=600')) {
      rounds += 1;
      await page.evaluate((address) => {
        window.history.pushState(null, '', address);
        window.dispatchEvent(new PopStateEvent('popstate'));
      }, START);
    }
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, documents, jsEventListeners } = await session.send('Memory.getDOMCounters');
    heaps.push(usedSize / 1e6);
    console.log(`minute ${minute}: ${(usedSize / 1e6).toFixed(2)} MB, ${nodes} nodes, ${jsEventListeners} listeners, ${documents} documents, round ${rounds}, ${new URL(page.url()).searchParams.get('as_of')}`);
  }
  const quarter = Math.floor(MINUTES / 4);
  const [early, late] = [middle(heaps.slice(quarter, 2 * quarter)), middle(heaps.slice(-quarter))];
  console.log(`second quarter ${early.toFixed(2)} MB, last quarter ${late.toFixed(2)} MB, exceptions: ${thrown.length === 0 ? 'none' : thrown.join('; ')}`);
  if (late > early + GROWTH_MB || thrown.length > 0) process.exitCode = 1;
} finally {
  await browser?.close();
  await server.stop();
}
