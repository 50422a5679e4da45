// A log of decisions on paper as `barograph paper` writes it: two weeks of the built-in history's time, made up from a seed.
const DAY = 86_400_000;
const MARKETS = [
  ['binance-usdm:BTCUSDT', 70_000],
  ['binance-usdm:ETHUSDT', 2_050],
  ['binance-usdm:SOLUSDT', 88.4],
];
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

/** Numbers from 0 to 1, the same every time. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function decision(at, market, price, random, open) {
  const verdict = ['ALLOW', 'CAUTION', 'CAUTION', 'AVOID'][Math.floor(random() * 4)];
  const reasons = { ALLOW: [], CAUTION: ['high_volatility', 'stop_cluster'], AVOID: ['extreme_volatility'] }[verdict];
  const side = random() < 0.5 ? 'long' : 'short';
  const away = (side === 'long' ? -1 : 1) * price * 0.01;
  const confidence = random() < 0.25 ? null : Number((0.2 + 0.7 * random()).toFixed(3));
  const decided_by = reasons[0] ?? 'ok';
  if (confidence !== null && confidence < 0.4) reasons.push('low_confidence');
  const skipped = verdict === 'AVOID' ? 'avoid' : open ? 'position_open' : null;
  const bar_close = iso(at);
  return {
    type: 'DECISION', id: `${market} ${bar_close} ${side}`, ts: iso(at + 11_000), market, side, bar_close, entry: price, strategy: 'volume_vwap', readings: { vwap: price - away / 4, volume_ratio: 2.1 }, verdict,
    decided_by, reasons, confidence, confidence_kind: confidence === null ? 'not_available' : 'calibrated', taken: skipped === null, skipped, size: 0.5, risk_fraction: 0.01,
    atr_14: price * 0.008, stop: price + away, target: price - 1.5 * away, target_source: 'ratio', planned_rr: 1.5, plain_stop: price + away * 1.2, plain_target: price - 1.8 * away, session: 'NY',
    snapshot_id: null, logic_version: null, timeframe_s: 900, horizon_s: 172_800, cost_share: 0.00105,
  };
}

/** Whether a decision was one of low confidence: without a number, or where the advice found the number low. */
export function isUnsure(made) {
  return made.confidence === null || made.reasons.includes('low_confidence');
}

function outcome(of, at, random) {
  const arm = (lucky) => {
    const exit = lucky < 0.45 ? 'target' : lucky < 0.85 ? 'stop' : 'time';
    const r = { target: 1.5, stop: -1, time: 0.2 }[exit];
    return { exit, exit_ts: iso(at), exit_price: of.entry, r, r_after_costs: r - 0.1, unresolved: null };
  };
  const none = { exit: null, exit_ts: null, exit_price: null, r: null, r_after_costs: null, unresolved: 'gap' };
  const gone = random() < 0.05;
  return { type: 'OUTCOME', id: of.id, ts: iso(at + 12_000), context: gone ? none : arm(random()), plain: gone ? none : arm(random()) };
}

/** The weeks 2026-W05 and 2026-W06; the last decisions are open. */
export function paperLog() {
  const random = seeded(7);
  const begin = Date.parse('2026-01-26T00:00:00Z');
  const end = Date.parse('2026-02-08T20:00:00Z');
  const lines = [{ type: 'STARTED', ts: iso(begin), strategy: 'volume_vwap', address: '127.0.0.1:8600', timeframe_s: 900, horizon_s: 172_800, cost_share: 0.00105, equity: 10_000 }];
  for (let at = begin + 3_600_000; at < end; at += 4 * 3_600_000) {
    const [market, price] = MARKETS[Math.floor(random() * MARKETS.length)];
    if (random() < 0.12) {
      lines.push({ type: 'NOT_MADE', ts: iso(at), market, id: null, reason: ['stale', 'gap', 'late'][Math.floor(random() * 3)], detail: 'made up' });
      continue;
    }
    const made = decision(at, market, price * (0.97 + 0.06 * random()), random, random() < 0.15);
    lines.push(made);
    if (isUnsure(made)) lines.push({ type: 'LOW_CONFIDENCE', ts: made.ts, id: made.id, market, confidence: made.confidence, confidence_kind: made.confidence_kind });
    const over = at + Math.round((0.1 + 0.9 * random()) * DAY / 900_000) * 900_000;
    if (over < end) lines.push(outcome(made, over, random));
  }
  return lines.sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
}
