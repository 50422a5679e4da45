// The catalogue of what the page says, held to the house's one list of private words. `SENTENCES=1 npx vitest run scripts/sentences.test.mjs`
// prints it.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sentences } from './sentences.mjs';

const PRIVATE = readFileSync(new URL('../../crates/testkit/src/private_words.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((word) => word !== '');
/** Written as they are typed: kinds of contracts, settings from the environment. */
const TYPED = /USD_M|COIN_M|WEBHOOKS_ALL/g;
const WORDS_MAX = 35;

/** What is wrong with a text that people read, as `barograph-testkit` judges the program's. */
function faults(text) {
  const squeezed = ` ${text.toLowerCase().replace(/[^\p{L}\p{N}']+/gu, ' ').trim()} `;
  const out = PRIVATE.filter((word) => squeezed.includes(` ${word} `)).map((word) => `the private word '${word}'`);
  if (text.includes('!')) out.push('an exclamation mark');
  if (/(^|[ (+=])-\d/.test(text)) out.push('a hyphen for a minus');
  if (text.replaceAll(TYPED, '').match(/(^|\W)[A-Z]+_[A-Z_]+(\W|$)/) !== null) out.push('a word of the wire');
  for (const sentence of text.split(/[.?] /)) {
    const words = sentence.split(' ').filter((word) => /\p{L}/u.test(word)).length;
    if (words > WORDS_MAX) out.push(`a sentence of ${words} words`);
  }
  return out;
}

test('no text of the page has a private word', () => {
  const all = sentences();
  if (process.env.SENTENCES !== undefined) for (const { file, text } of all) console.log(`${file}: ${text}`);
  expect(all.length).toBeGreaterThan(600);
  expect(all.flatMap(({ file, text }) => faults(text).map((fault) => `${file}: ${fault}: ${text}`))).toEqual([]);
});

test('what is not to be said is found', () => {
  expect(faults('Nobody is told.')).toEqual(["the private word 'nobody'", "the private word 'told'"]);
  expect(faults('funding -0.01 %')).toEqual(['a hyphen for a minus']);
  expect(faults('It clears to CHOP_RISK.')).toEqual(['a word of the wire']);
  expect(faults('Funding is −18.7σ below its mean, 4-hour candles.')).toEqual([]);
});
