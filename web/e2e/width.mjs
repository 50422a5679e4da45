// Nothing is cut at any width: every page of pages/list.ts, from a phone to a wall of screens, in both themes. What is looked for: a page
// wider than its screen, text that its box cuts off without a way to read it, cells that run into their neighbours, buttons too narrow for
// their word, lines that leave their row, and a table that would have to be scrolled sideways.
import { readFileSync } from 'node:fs';
import { open } from './browser.mjs';

export const WIDTHS = [360, 390, 768, 1024, 1440, 1920, 2560, 3840];
/** Scrolled sideways by their nature: a square of markets, and texts that are not ours. */
const WIDE = 'pre, .licences, :has(> .matrix)';

/** Addresses of all pages, read from the list itself: a page that is added is looked at. */
export function paths(instrument) {
  const list = readFileSync(new URL('../src/pages/list.ts', import.meta.url), 'utf8');
  const found = [...list.matchAll(/^ {2}(\w+): \{ path: '([^']+)'/gm)].map(([, page, path]) => [page, path.replace('{instrument}', instrument)]);
  if (found.length < 10) throw new Error(`only ${found.length} pages found in list.ts`);
  return found;
}

/** Runs in the page: what is cut there, as lines. */
export function cutIn({ wide: mayScroll }) {
  const out = [];
  const root = document.documentElement;
  const wide = root.scrollWidth - root.clientWidth;
  if (wide > 0) out.push(`the page is ${wide} px wider than the screen`);
  const name = (element) => {
    const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40);
    return `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} “${text}”`;
  };
  const scrolls = (style, axis) => ['auto', 'scroll'].includes(axis === 'x' ? style.overflowX : style.overflowY);
  const clips = (value) => value === 'hidden' || value === 'clip';
  const seen = new Set();
  const say = (what, element) => {
    const line = `${what}: ${name(element)}`;
    if (!seen.has(line.slice(0, 60))) out.push(line);
    seen.add(line.slice(0, 60));
  };
  for (const element of document.querySelectorAll('#page *, dialog *')) {
    if (!(element instanceof HTMLElement) || element.closest('.unseen, .spacer, [hidden]') !== null) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    const style = getComputedStyle(element);
    if (style.visibility === 'hidden' || style.position === 'absolute' && style.clipPath !== 'none') continue;
    if (scrolls(style, 'x') && element.scrollWidth > element.clientWidth + 1 && !element.matches(mayScroll)) say(`has to be scrolled sideways by ${element.scrollWidth - element.clientWidth} px`, element);
    const ownText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    const explained = style.textOverflow === 'ellipsis' && element.closest('[title]') !== null;
    if (clips(style.overflowX) && element.scrollWidth > element.clientWidth + 1 && !explained && element.textContent.trim() !== '') say(`cut by ${element.scrollWidth - element.clientWidth} px`, element);
    if (clips(style.overflowY) && element.scrollHeight > element.clientHeight + 2 && element.textContent.trim() !== '') say(`cut below by ${element.scrollHeight - element.clientHeight} px`, element);
    if (element.matches('td, th, button') && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 && style.position !== 'absolute') say(`runs ${element.scrollWidth - element.clientWidth} px out of its ${element.tagName === 'BUTTON' ? 'button' : 'cell'}`, element);
    if (element.matches('.c-more, .c-more *, .market-row > *')) {
      const row = element.closest('tr').getBoundingClientRect();
      if (box.bottom > row.bottom + 1.5 || box.right > row.right + 1.5) say(`leaves its row by ${Math.max(box.bottom - row.bottom, box.right - row.right).toFixed(0)} px`, element);
    }
    if (ownText && box.right > root.clientWidth + 1) {
      let parent = element.parentElement;
      while (parent !== null && !scrolls(getComputedStyle(parent), 'x')) parent = parent.parentElement;
      if (parent === null) say(`ends ${(box.right - root.clientWidth).toFixed(0)} px beyond the screen`, element);
    }
  }
  for (const text of document.querySelectorAll('svg text')) {
    const box = text.getBoundingClientRect();
    const frame = text.ownerSVGElement.getBoundingClientRect();
    if (box.width > 0 && (box.left < frame.left - 1.5 || box.right > frame.right + 1.5)) out.push(`a picture's text is cut: “${text.textContent}”`);
  }
  // Overlapping boxes of one row of the board: the sign of a column that is too narrow.
  for (const row of [...document.querySelectorAll('tr.market-row')].slice(0, 6)) {
    const more = row.querySelector('.c-more')?.getBoundingClientRect();
    if (more === undefined) continue;
    for (const cell of row.querySelectorAll('td:not(.c-more) > *, th > *')) {
      const box = cell.getBoundingClientRect();
      if (box.height > 0 && box.bottom > more.top + 3) say(`stands ${(box.bottom - more.top).toFixed(0)} px over the lines beneath`, cell);
    }
  }
  return out;
}

/** What is cut on a page at any width, as lines that say where. */
export async function cutAt(browser, url, page, path, theme, settle) {
  const found = [];
  const at = await open(browser, url, path, { theme, width: 1440 });
  try {
    await settle(at.page);
    for (const width of WIDTHS) {
      await at.page.setViewportSize({ width, height: 900 });
      // Tables measure themselves with the next frames.
      await at.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 120)))));
      for (const line of await at.page.evaluate(cutIn, { wide: WIDE })) found.push(`${page} ${width} ${theme}: ${line}`);
    }
  } finally {
    await at.close();
  }
  return found;
}
