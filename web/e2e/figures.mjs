// Numbers as a reader expects them, worked out apart from the page's own formatting.

/** Four significant digits at most, thousands marked, K, M and B from 10,000 up. */
export function amount(x) {
  const [unit, mark] = x < 10_000 ? [1, ''] : x < 999_950 ? [1e3, 'K'] : x < 999_950_000 ? [1e6, 'M'] : [1e9, 'B'];
  const scaled = x / unit;
  const places = scaled === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(scaled)));
  return `${scaled.toLocaleString('en-US', { maximumFractionDigits: places })}${mark}`;
}

export function percent(x, places) {
  const size = (Math.abs(x) * 100).toFixed(places);
  return `${x < 0 && Number(size) !== 0 ? '−' : ''}${size} %`;
}

/** A price of these markets: two decimals below a thousand, one below ten thousand, none above. */
export function price(x) {
  const places = x >= 10_000 ? 0 : x >= 1_000 ? 1 : 2;
  return x.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** Labels as people read them; without a word on two axes. */
const SAID = {
  risk: { NORMAL: 'Normal', CHOP_RISK: 'Chop risk', SQUEEZE_RISK: 'Squeeze risk', HIGH_VOL: 'High volatility' },
  trend: { STRONG_UPTREND: 'Strong uptrend', UPTREND: 'Uptrend', SIDEWAYS: 'Sideways', DOWNTREND: 'Downtrend', STRONG_DOWNTREND: 'Strong downtrend' },
  volatility: { STABLE: 'Steady', HIGH_VOL: 'Larger', EXPLOSIVE: 'Explosive', EXTREME: 'Extreme' },
  heat: { COLD: 'Cold', COOL: 'Cool', NEUTRAL: 'Neutral', HOT: 'Hot', SUPER_HOT: 'Super hot' },
};

export function said(axis, label) {
  return SAID[axis][label] ?? 'No reading';
}

/** A row of the board by the names of its columns, codes as words. */
export function cellsOf(board, instrument) {
  const row = board.rows.find((each) => each.instrument === instrument);
  const cells = Object.fromEntries(board.columns.map((name, at) => [name, row.cells[at]]));
  for (const axis of Object.keys(board.labels)) cells[axis] = cells[axis] === null ? null : board.labels[axis][cells[axis]];
  return cells;
}

/** What a market is traded at now; its last published minute may lie a liquidation away. */
export async function priceNow(server, instrument) {
  return cellsOf(await server.get('/api/v1/board'), instrument).price;
}

export async function until(holds, otherwise, withinMs = 60_000) {
  const end = Date.now() + withinMs;
  let last;
  for (;;) {
    last = await holds();
    if (last === true) return;
    if (Date.now() > end) throw new Error(`${otherwise}: ${JSON.stringify(last)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Waits until something is what it has to become. The address of a page is written before its lines are drawn. */
export function becomes(read, wanted, withinMs = 30_000) {
  return until(async () => {
    const shown = await read();
    return shown === wanted || { shown, wanted };
  }, 'did not become what it has to', withinMs);
}
