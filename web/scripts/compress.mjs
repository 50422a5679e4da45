// Writes a .gz and a .br beside every file of dist, so that the binary serves them as they are, and fails when the page has
// become heavier than promised: what a market page loads before data is at most 200 kB compressed, and what a view that is loaded
// when it is first opened adds is at most 30 kB.
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { LATER_BYTES, MARKET_BYTES, weigh } from './weight.mjs';

const dist = new URL('../dist', import.meta.url).pathname;
const COMPRESSIBLE = /\.(js|css|html|svg|json|txt)$/;

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

const found = new Map();
for (const path of files(dist).filter((p) => COMPRESSIBLE.test(p)).sort()) {
  const bytes = readFileSync(path);
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  writeFileSync(`${path}.gz`, gz);
  writeFileSync(`${path}.br`, br);
  const name = relative(dist, path);
  found.set(name, { text: /\.(js|css|html)$/.test(name) ? bytes.toString('utf8') : '', gz: gz.length });
  console.log(`${name.padEnd(44)} ${kb(bytes.length)}  gz ${kb(gz.length)}  br ${kb(br.length)}`);
}

const { market, later, stray } = weigh(found);
const heavy = [];
const line = (what, bytes, limit) => {
  console.log(`${what.padEnd(44)} ${' '.repeat(8)}  gz ${kb(bytes)}  limit ${kb(limit)}`);
  if (bytes > limit) heavy.push(`${what}: ${kb(bytes).trim()} compressed, the limit is ${kb(limit).trim()}`);
};
line('a market page before data', market, MARKET_BYTES);
for (const [view, bytes] of later) line(`opened later: ${view}`, bytes, LATER_BYTES);
if (stray.length > 0) heavy.push(`nothing loads ${stray.join(', ')}: it counts nowhere`);
if (heavy.length > 0) {
  console.error(`the page is too heavy: ${heavy.join('; ')}; leave something out or load it later`);
  process.exit(1);
}

function kb(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8);
}
