// What every client does: lists the tools, makes each call, and counts the tokens of what it got with a tokenizer that models use.
import { readFileSync } from 'node:fs';
import { encode } from 'gpt-tokenizer';

/** Bytes of a token in a list of tools, which is text. */
const BYTES = 3.5;
/** How far our count may be from the tokenizer's over all answers together. */
const APART = 0.15;

/** Tokens as the program counts them (crates/mcp/src/budget.rs). */
function counted(text) {
  let tenths = 0;
  for (const [run] of text.matchAll(/[A-Za-z]+|[0-9]+|[^A-Za-z0-9 ]/gu)) {
    if (/[A-Za-z]/.test(run)) tenths += 10 * Math.ceil(run.length / 7);
    else if (/[0-9]/.test(run)) tenths += 10 * Math.ceil(run.length / 3);
    else tenths += run.codePointAt(0) < 128 ? 7 : 10;
  }
  return Math.ceil(tenths / 10);
}

export async function asked(name, client) {
  const calls = JSON.parse(readFileSync(process.argv[3], 'utf8'));
  const { tools } = await client.listTools();
  const failed = [];
  const sizes = { ours: 0, theirs: 0 };
  const weigh = (text) => ({ ours: counted(text), theirs: encode(text).length });
  const all = JSON.stringify({ tools });
  const list = { ours: Math.ceil(Buffer.byteLength(all) / BYTES), theirs: encode(all).length };
  if (list.ours > 2500) failed.push(`tools/list has ${list.ours} tokens of 2,500`);
  for (const tool of tools) if (!calls.some((call) => call.tool === tool.name)) failed.push(`${tool.name} is not called`);
  const rows = [];
  for (const { tool, arguments: given } of calls) {
    const answer = await client.callTool({ name: tool, arguments: given });
    const text = answer.content.map((block) => block.text).join('\n');
    if (answer.isError) failed.push(`${tool} ${JSON.stringify(given)}: ${text}`);
    const size = weigh(`${text}\n${JSON.stringify(answer.structuredContent)}`);
    rows.push(`${tool} ${Object.keys(given).join(' ')}: ${size.ours} tokens, by the tokenizer ${size.theirs}`);
    if (size.ours > (given.budget ?? 800)) failed.push(`${tool} has ${size.ours} tokens`);
    sizes.ours += size.ours;
    sizes.theirs += size.theirs;
  }
  await client.close();
  const ratio = sizes.theirs / sizes.ours;
  console.log(`${name}: ${tools.length} tools, list ${list.ours} tokens (${list.theirs}); ${rows.join('; ')}; all ${ratio.toFixed(3)} of our count`);
  if (Math.abs(ratio - 1) > APART) failed.push(`the tokenizer counts ${ratio.toFixed(2)} times what we count`);
  if (failed.length > 0) {
    console.error(`${name}: ${failed.join('\n')}`);
    process.exitCode = 1;
  }
}
