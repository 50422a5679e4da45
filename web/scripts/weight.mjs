// What is loaded when, read from the built files: the entry with its static imports and the styles of the document, the market's part
// with its own, and every other part that is loaded once its view is opened.

/** What a market page loads before data, compressed. */
export const MARKET_BYTES = 200_000;
/** What any other view adds when it is first opened. */
export const LATER_BYTES = 30_000;

const ROUTE = /^assets\/MarketPage-/;
const nameOf = (path) => path.replace(/^\.?\//, '').replace(/^assets\//, '');
const inAssets = (path) => `assets/${nameOf(path)}`;

/** What a script imports before it runs. */
function imported(text) {
  return [...text.matchAll(/(?:from|import)\s*["'](\.\/[^"']+\.js)["']/g)].map(([, path]) => inAssets(path));
}

/** Parts that a script loads later, each with the files that come with it. */
function loadedLater(text) {
  const listed = /__vite__mapDeps\s*=.*?\[((?:"[^"]*",?)*)\]/s.exec(text)?.[1] ?? '';
  const files = [...listed.matchAll(/"([^"]*)"/g)].map(([, path]) => inAssets(path));
  return [...text.matchAll(/import\(\s*["'`](\.\/[^"'`]+\.js)["'`]\s*\)(?:[^;]{0,200}?__vite__mapDeps\(\[([\d,]*)\]\))?/g)].map(([, path, beside]) => ({
    script: inAssets(path),
    beside: (beside ?? '').split(',').filter((n) => n !== '').map((n) => files[Number(n)]),
  }));
}

function closure(found, start) {
  const all = new Set();
  const wanted = [...start];
  while (wanted.length > 0) {
    const name = wanted.pop();
    const file = found.get(name);
    if (file === undefined || all.has(name)) continue;
    all.add(name);
    if (name.endsWith('.js')) wanted.push(...imported(file.text));
  }
  return all;
}

/** `found`: names below dist with their text and compressed size. `later`: what each other view adds to the entry. */
export function weigh(found) {
  const index = found.get('index.html');
  if (index === undefined) throw new Error('dist has no index.html: build the page first');
  const linked = [...index.text.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path);
  const entry = closure(found, ['index.html', ...linked]);
  const sum = (names) => [...names].reduce((bytes, name) => bytes + found.get(name).gz, 0);
  const parts = [...entry].filter((name) => name.endsWith('.js')).flatMap((name) => loadedLater(found.get(name).text));
  const part = parts.find(({ script }) => ROUTE.test(script));
  if (part === undefined) throw new Error('no script loads the market page: its name or the way it is loaded has changed');
  const market = closure(found, [...entry, part.script, ...part.beside]);
  const later = new Map();
  const seen = new Set(market);
  for (const { script, beside } of parts) {
    const own = [...closure(found, [script, ...beside])].filter((name) => !entry.has(name));
    own.forEach((name) => seen.add(name));
    if (script !== part.script) later.set(nameOf(script), sum(own));
  }
  const stray = [...found.keys()].filter((name) => /^assets\/.*\.(js|css)$/.test(name) && !seen.has(name));
  return { market: sum(market), later, stray };
}
