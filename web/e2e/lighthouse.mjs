// Lighthouse's four scores of the page as the program serves it. LIGHTHOUSE names the folder it was installed into: `make lighthouse` sees to it.
// Fails below 95.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing } from './browser.mjs';
import { Server } from './server.mjs';

const LEAST = 95;
const KINDS = ['performance', 'accessibility', 'best-practices', 'seo'];
const VIEWS = ['/?sort=price', '/m/binance-usdm:BTCUSDT?as_of=2026-02-05T15:30:00Z', '/alerts', '/scorecard'];
const FLAGS = '--headless --no-sandbox --disable-gpu --disable-quic --disable-background-networking';

if (missing !== null) throw new Error(missing);
const lighthouse = join(process.env.LIGHTHOUSE ?? '.', 'node_modules/lighthouse/cli/index.js');
const scratch = mkdtempSync(join(tmpdir(), 'lighthouse-'));
const server = new Server();
let low = 0;
try {
  await server.start();
  for (const view of VIEWS) {
    const out = join(scratch, 'report.json');
    const ran = spawnSync(process.execPath, [lighthouse, server.url + view, '--quiet', '--preset=desktop', '--output=json', `--output-path=${out}`, `--chrome-flags=${FLAGS}`], {
      env: { ...process.env, CHROME_PATH: process.env.CHROMIUM ?? '/usr/bin/chromium' },
      encoding: 'utf8',
    });
    if (ran.status !== 0) throw new Error(`lighthouse ended with ${ran.status} on ${view}: ${ran.stderr}`);
    const { categories, audits } = JSON.parse(readFileSync(out, 'utf8'));
    const scores = KINDS.map((kind) => [kind, Math.round(categories[kind].score * 100)]);
    console.log(`${view}: ${scores.map(([kind, score]) => `${kind} ${score}`).join(', ')}`);
    for (const [kind, score] of scores) {
      if (score >= LEAST) continue;
      low += 1;
      const why = categories[kind].auditRefs.filter((ref) => ref.weight > 0 && (audits[ref.id].score ?? 1) < 0.9).map((ref) => `${ref.id} (${audits[ref.id].displayValue ?? audits[ref.id].title})`);
      console.log(`  ${kind} is below ${LEAST}: ${why.join('; ')}`);
    }
  }
} finally {
  await server.stop();
  rmSync(scratch, { recursive: true });
}
process.exitCode = low === 0 ? 0 : 1;
