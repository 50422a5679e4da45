// Writes a .gz and a .br beside every file of dist, so that the binary serves them as they are, and fails when the page has
// become heavier than promised: 200 kB compressed, before data.
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist', import.meta.url).pathname;
const LIMIT_BYTES = 200_000;
const COMPRESSIBLE = /\.(js|css|html|svg|json|txt)$/;

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

let total = 0;
for (const path of files(dist).filter((p) => COMPRESSIBLE.test(p)).sort()) {
  const bytes = readFileSync(path);
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  writeFileSync(`${path}.gz`, gz);
  writeFileSync(`${path}.br`, br);
  total += gz.length;
  console.log(`${relative(dist, path).padEnd(44)} ${kb(bytes.length)}  gz ${kb(gz.length)}  br ${kb(br.length)}`);
}
console.log(`${'all'.padEnd(44)} ${' '.repeat(8)}  gz ${kb(total)}  limit ${kb(LIMIT_BYTES)}`);
if (total > LIMIT_BYTES) {
  console.error(`the page is ${kb(total).trim()} compressed, the limit is ${kb(LIMIT_BYTES).trim()}: leave something out or load it later`);
  process.exit(1);
}

function kb(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8);
}
