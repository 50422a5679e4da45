// A session in which a scripted agent made forecasts over the history of 2026-02-05, as it is begun and spoken with over HTTP; and what the
// page has to say of it.
import assert from 'node:assert/strict';
import { percent } from './figures.mjs';
import { external } from './server.mjs';

const FROM = '2026-02-05T06:00:00Z';
const UNTIL = '2026-02-05T16:00:00Z';
const FORECASTS = 5;

/** A tool called in a session; its answer for programs. */
async function called(server, token, tool, given) {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: given } };
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25', authorization: `Bearer ${token}` };
  const reply = await fetch(`${server.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
  const { result } = await reply.json();
  assert.equal(result.isError ?? false, false, `${tool}: ${result.content[0].text}`);
  return result.structuredContent;
}

/** Begins the session, unless there is one; its id. */
export async function examined(server) {
  if (external) return null;
  const { items } = await server.get('/api/v1/agent-sessions');
  if (items.length > 0) return items[0].id;
  const { id, token } = await server.ask('/api/v1/agent-sessions', { agent: 'scripted', from: FROM, until: UNTIL, mask: true, seed: 7 });
  for (let hour = 0; hour < FORECASTS; hour += 1) {
    await called(server, token, 'forecast', { market: 'M01', event: 'hv_1h', probability: 0.2, reason: 'every hour alike' });
    await called(server, token, 'advance', { minutes: 60 });
  }
  return id;
}

/** Where the session is shown that [`examined`] begins first. */
export const SESSION = '/agents?session=scripted-1';

/** Nobody was examined yet: the page says how one begins. */
export async function noSession(page, server) {
  if ((await server.get('/api/v1/agent-sessions')).items.length === 0) await page.getByText('barograph mcp --locked --from 2026-02-01 --until 2026-03-01 --agent NAME').waitFor();
}

/** The list of the page is that of the API, and its line leads to the session. */
export async function listedSessions(page, server) {
  const { items } = await server.get('/api/v1/agent-sessions');
  const lines = page.getByTestId('agent-sessions').locator('tbody tr');
  assert.equal(await lines.count(), items.length);
  if (external) return;
  const line = (await lines.filter({ hasText: 'scripted-1' }).innerText()).replace(/\s+/g, ' ');
  const [{ calls, forecasts }] = items.filter(({ id }) => id === 'scripted-1');
  assert.deepEqual([calls, forecasts], [2 * FORECASTS, FORECASTS]);
  for (const words of ['scripted-1, open', 'yes', String(calls), String(forecasts)]) assert.ok(line.includes(words), `${words} is not in "${line}"`);
  assert.equal(await lines.filter({ hasText: 'scripted-1' }).getByRole('link').getAttribute('href'), SESSION);
}

/** A session reads as the report of the command line over the same record. */
export async function oneSession(page, server) {
  if (external) return;
  const report = JSON.parse(server.run('mcp', '--report', server.place('agent-sessions/scripted-1.jsonl'), '--json'));
  const panel = page.locator('.panel').filter({ has: page.getByRole('heading', { name: 'scripted', exact: true }) });
  const shown = (await panel.innerText()).replace(/\s+/g, ' ');
  for (const words of [`${report.calls}, ${report.errors} of them refused`, 'yes, seed 7', report.transcript]) assert.ok(shown.includes(words), `${words} is not in "${shown}"`);
  const [score] = report.scores;
  const line = (await page.getByTestId('session-scores').locator('tbody tr').filter({ hasText: score.event }).innerText()).replace(/\s+/g, ' ');
  for (const words of [`${score.n} (${score.n_eff})`, percent(score.base_rate, 1), score.brier.toFixed(4), 'too little data']) assert.ok(line.includes(words), `${words} is not in "${line}"`);
}
