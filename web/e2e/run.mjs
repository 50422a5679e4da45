// Runs the tests of the page, or those whose names hold a pattern that is given. Up to ONCE_MORE (3) that fail run once more, by
// themselves: on a machine that others share, a page can miss what it is waited for. What fails twice fails; what passes then is named.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = (file) => new URL(file, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'barograph-names-'));

/** The names of the tests that failed, and whether everything passed. */
function run(patterns) {
  const names = join(folder, 'failed');
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout', `--test-reporter=${here('failed.mjs')}`, `--test-reporter-destination=${names}`];
  const { status } = spawnSync(process.execPath, ['--test', ...reporters, ...patterns.map((p) => `--test-name-pattern=${p}`), here('page.test.mjs')], { stdio: 'inherit' });
  return { passed: status === 0, failed: [...new Set(readFileSync(names, 'utf8').split('\n').filter((name) => name !== ''))] };
}

const exactly = (name) => `^${name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`;

try {
  const first = run(process.argv.slice(2));
  const again = first.failed.length > 0 && first.failed.length <= Number(process.env.ONCE_MORE ?? 3);
  if (!first.passed && again) {
    console.log(`once more, alone: ${first.failed.join('; ')}`);
    if (run(first.failed.map(exactly)).passed) {
      const lines = first.failed.map((name) => `passed only when run once more, alone: ${name}\n`).join('');
      process.stdout.write(lines);
      if (process.env.UNSTEADY_TESTS) appendFileSync(process.env.UNSTEADY_TESTS, lines);
    } else process.exitCode = 1;
  } else if (!first.passed) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
