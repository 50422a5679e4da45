// Play by the clock, as somebody leaves it on a second screen: half of the recorded month at 600 times its pace, three times, without
// loading the page anew. The first time the browser compiles what it runs; then what is reachable is counted at the same recorded moments,
// where the page shows the same bars, alerts and text, and fails where the third time keeps more than the second. PLAY_MINUTES (120) is how
// long; PLAY_KEEP is a folder for what is held, by who holds it; BAROGRAPH_BIN is the program. Frames a second are `make bench`'s matter.
import { writeFileSync } from 'node:fs';
import { launch, missing } from './browser.mjs';
import { Server } from './server.mjs';

const MINUTES = Number(process.env.PLAY_MINUTES ?? 120);
const KEEP = process.env.PLAY_KEEP;
const ROUNDS = 3;
/** Counted so often in each round, and so many minutes apart. */
const MARKS = 8;
const APART = MINUTES / ROUNDS / MARKS;
const PACE = 600;
/** All that is reachable. The browser compiles for hours, function by function. */
const GROWTH_MB = 2;
/** The page's own: objects, arrays, text, closures. */
const OWN_GROWTH_MB = 0.3;
const FIRST = Date.parse('2026-02-01T00:00:00Z');
const START = `/m/binance-usdm:BTCUSDT?interval=1h&as_of=2026-02-01T00:00:00Z&play=${PACE}`;

if (missing !== null) throw new Error(missing);
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** A snapshot of the heap: its nodes, with the way that each is reached by. */
class Heap {
  constructor(text) {
    const { snapshot, nodes, edges, strings } = JSON.parse(text);
    const { node_fields: fields, node_types: types, edge_fields: edgeFields, edge_types: edgeTypes } = snapshot.meta;
    Object.assign(this, { nodes, edges, strings, types: types[0], edgeTypes: edgeTypes[0], width: fields.length, step: edgeFields.length });
    [this.type, this.name, this.size, this.count] = ['type', 'name', 'self_size', 'edge_count'].map((of) => fields.indexOf(of));
    [this.how, this.word, this.to] = ['type', 'name_or_index', 'to_node'].map((of) => edgeFields.indexOf(of));
    this.first = new Map();
    for (let at = 0, edge = 0; at < nodes.length; at += this.width) {
      this.first.set(at, edge);
      edge += nodes[at + this.count] * this.step;
    }
  }

  *edgesOf(at) {
    const first = this.first.get(at);
    for (let edge = first; edge < first + this.nodes[at + this.count] * this.step; edge += this.step) {
      const how = this.edgeTypes[this.edges[edge + this.how]];
      const word = how === 'element' || how === 'hidden' ? `[${how}]` : this.strings[this.edges[edge + this.word]];
      yield { how, word, to: this.edges[edge + this.to] };
    }
  }

  kind(at) {
    return this.types[this.nodes[at + this.type]];
  }

  /** Bytes that are code, its text and the shapes of its objects, and all others, in MB; what lies outside of the heap is neither. */
  parts() {
    // The text of a script belongs to what is compiled from it: so does that of what drives the browser.
    const sources = new Set();
    for (const at of this.first.keys()) {
      if (this.kind(at) !== 'code') continue;
      for (const { word, to } of this.edgesOf(at)) if (word === 'source') sources.add(to);
    }
    const own = new Set();
    let [code, rest] = [0, 0];
    for (const at of this.first.keys()) {
      const size = this.nodes[at + this.size];
      if (this.kind(at) === 'code' || this.kind(at) === 'object shape' || sources.has(at)) code += size;
      else if (this.kind(at) !== 'native') {
        rest += size;
        own.add(at);
      }
    }
    return { code: code / 1e6, own: rest / 1e6, nodes: own };
  }

  /** Bytes and number of the page's own nodes by their kind and the shortest way to them, without indices. */
  ways(own) {
    const from = new Map([[0, null]]);
    for (const at of from.keys()) {
      for (const { how, word, to } of this.edgesOf(at)) if (how !== 'weak' && !from.has(to)) from.set(to, [at, word]);
    }
    const found = {};
    for (const at of own) {
      const words = [];
      for (let node = at; words.length < 7 && from.get(node); node = from.get(node)[0]) words.unshift(from.get(node)[1].slice(0, 40));
      const key = `${this.kind(at)} ${this.strings[this.nodes[at + this.name]].slice(0, 30)} < ${words.join('.')}`;
      const sum = (found[key] ??= [0, 0]);
      sum[0] += this.nodes[at + this.size];
      sum[1] += 1;
    }
    return found;
  }
}

async function heap(session) {
  const pieces = [];
  const take = ({ chunk }) => pieces.push(chunk);
  session.on('HeapProfiler.addHeapSnapshotChunk', take);
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  session.off('HeapProfiler.addHeapSnapshotChunk', take);
  return new Heap(pieces.join(''));
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
  const seen = [];
  for (let round = 1; round <= ROUNDS; round++) {
    if (round > 1) {
      // Not by `page.evaluate`, which leaves a third of a megabyte of the driver's own script in the page.
      const expression = `window.history.pushState(null, '', ${JSON.stringify(START)}); window.dispatchEvent(new PopStateEvent('popstate'))`;
      await session.send('Runtime.evaluate', { expression });
    }
    for (let mark = 1; mark <= MARKS; mark++) {
      const wanted = FIRST + mark * APART * 60_000 * PACE;
      const patience = Date.now() + (2 * APART + 1) * 60_000;
      const shown = () => new URL(page.url()).searchParams.get('as_of');
      // Behind the jump the address is the first day's; before it, that of the last mark.
      while (!(Date.parse(shown()) >= wanted && Date.parse(shown()) < wanted + APART * 60_000 * PACE)) {
        if (Date.now() > patience) throw new Error(`mark ${mark} of round ${round} never came: ${page.url()}`);
        await page.waitForTimeout(200);
      }
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      const { nodes, documents, jsEventListeners } = await session.send('Memory.getDOMCounters');
      const moment = shown();
      const snapshot = await heap(session);
      const { code, own, nodes: kept } = snapshot.parts();
      if (KEEP !== undefined) writeFileSync(`${KEEP}/${round}-${mark}.json`, JSON.stringify(snapshot.ways(kept)));
      seen.push({ round, all: usedSize / 1e6, own });
      console.log(`round ${round}, ${moment}: ${(usedSize / 1e6).toFixed(2)} MB, of them ${code.toFixed(2)} compiled code, ${own.toFixed(2)} the page's own; ${nodes} nodes, ${jsEventListeners} listeners, ${documents} documents`);
    }
  }
  const at = (round, what) => middle(seen.filter((one) => one.round === round).map((one) => one[what]));
  const grown = (what) => at(ROUNDS, what) - at(ROUNDS - 1, what);
  console.log(`from the second to the third time: ${grown('all').toFixed(2)} MB, of them the page's own ${grown('own').toFixed(2)}; exceptions: ${thrown.length === 0 ? 'none' : thrown.join('; ')}`);
  if (grown('all') > GROWTH_MB || grown('own') > OWN_GROWTH_MB || thrown.length > 0) process.exitCode = 1;
} finally {
  await browser?.close();
  await server.stop();
}
