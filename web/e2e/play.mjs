// Play by the clock, as somebody leaves it on a second screen: the recorded month at 600 times its pace, begun again where it ends, without
// loading the page anew. Says each minute what is reachable after a collection of garbage, every fifth how much of it is code that the
// browser has compiled, and fails where the last quarter of the time keeps more than the second did. PLAY_MINUTES (120) is how long; BAROGRAPH_BIN is the program. Frames a second are `make bench`'s matter.
import { launch, missing } from './browser.mjs';
import { Server } from './server.mjs';

const MINUTES = Number(process.env.PLAY_MINUTES ?? 120);
/** All that is reachable. The browser compiles for hours, function by function. */
const GROWTH_MB = 2;
/** The page's own: objects, arrays, text, closures. */
const OWN_GROWTH_MB = 0.3;
const SNAPSHOT_EVERY = 5;
const START = '/m/binance-usdm:BTCUSDT?interval=1h&as_of=2026-02-01T00:00:00Z&play=600';

if (missing !== null) throw new Error(missing);
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Bytes of the heap that are code, its text and the shapes of its objects, and all others, in MB; what lies outside of the heap is neither. */
async function parts(session) {
  const pieces = [];
  const take = ({ chunk }) => pieces.push(chunk);
  session.on('HeapProfiler.addHeapSnapshotChunk', take);
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  session.off('HeapProfiler.addHeapSnapshotChunk', take);
  const { snapshot, nodes, edges, strings } = JSON.parse(pieces.join(''));
  const { node_fields: fields, node_types: types, edge_fields: edgeFields } = snapshot.meta;
  const [type, size, count] = [fields.indexOf('type'), fields.indexOf('self_size'), fields.indexOf('edge_count')];
  const [word, to] = [edgeFields.indexOf('name_or_index'), edgeFields.indexOf('to_node')];
  // The text of a script belongs to what is compiled from it: so does that of what drives the browser.
  const sources = new Set();
  for (let at = 0, edge = 0; at < nodes.length; at += fields.length) {
    const isCode = types[type][nodes[at + type]] === 'code';
    for (let left = nodes[at + count]; left > 0; left -= 1, edge += edgeFields.length) {
      if (isCode && strings[edges[edge + word]] === 'source') sources.add(edges[edge + to]);
    }
  }
  let [code, own] = [0, 0];
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[type][nodes[at + type]];
    if (kind === 'code' || kind === 'object shape' || sources.has(at)) code += nodes[at + size];
    else if (kind !== 'native') own += nodes[at + size];
  }
  return { code: code / 1e6, own: own / 1e6 };
}

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
  const [heaps, owns] = [[], []];
  let rounds = 1;
  for (let minute = 1; minute <= MINUTES; minute++) {
    await page.waitForTimeout(60_000);
    if (!page.url().includes('play=600')) {
      rounds += 1;
      // Not by `page.evaluate`, which leaves a third of a megabyte of the driver's own script in the page.
      const expression = `window.history.pushState(null, '', ${JSON.stringify(START)}); window.dispatchEvent(new PopStateEvent('popstate'))`;
      await session.send('Runtime.evaluate', { expression });
    }
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, documents, jsEventListeners } = await session.send('Memory.getDOMCounters');
    heaps.push(usedSize / 1e6);
    if (minute % SNAPSHOT_EVERY === 0) {
      const { code, own } = await parts(session);
      owns.push(own);
      console.log(`minute ${minute}: of them ${code.toFixed(2)} MB compiled code, ${own.toFixed(2)} MB the page's own`);
    }
    console.log(`minute ${minute}: ${(usedSize / 1e6).toFixed(2)} MB, ${nodes} nodes, ${jsEventListeners} listeners, ${documents} documents, round ${rounds}, ${new URL(page.url()).searchParams.get('as_of')}`);
  }
  const quarters = (values) => {
    const quarter = Math.floor(values.length / 4);
    return [middle(values.slice(quarter, 2 * quarter)), middle(values.slice(-quarter))];
  };
  const [early, late] = quarters(heaps);
  const [ownEarly, ownLate] = quarters(owns);
  console.log(`second quarter ${early.toFixed(2)} MB, of them the page's own ${ownEarly.toFixed(2)}; last quarter ${late.toFixed(2)} MB, own ${ownLate.toFixed(2)}; exceptions: ${thrown.length === 0 ? 'none' : thrown.join('; ')}`);
  if (late > early + GROWTH_MB || ownLate > ownEarly + OWN_GROWTH_MB || thrown.length > 0) process.exitCode = 1;
} finally {
  await browser?.close();
  await server.stop();
}
