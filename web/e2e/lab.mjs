// A study as `barograph lab` leaves it, with every part once: a day of rows, five blocks, made up from a seed.
import { seeded } from './paper.mjs';

const DAY = Date.parse('2026-02-05T00:00:00Z');
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
const ROWS = 86_400;

function board(random) {
  const row = (model, bss, auc, trials) => ({
    model, n_test: 31_104, n_folds: 5, n_trials: trials, auc, auc_lo: auc - 0.012, auc_hi: auc + 0.011, auc_pooled: auc - 0.002, brier: 0.25 * (1 - bss), bss_clim: bss, log_loss: 0.69 - bss, ece: 0.004 + 0.01 * random(),
    macro_f1: null, f1_by_class: null, macro_f1_persistence: null, macro_f1_gain: null, ic: null, rmse: null, r2_oos: null, control_half_width: model === 'shuffled' ? 0.021 : null,
  });
  const rows = [row('ensemble', 0.0312, 0.587, 41), row('gbm', 0.0287, 0.583, 25), row('linear', 0.0151, 0.561, 20), row('mlp', 0.0122, 0.558, 40), row('prior', 0, 0.5, 5), row('shuffled', -0.0021, 0.503, 46), row('persistence', -0.0408, 0.498, 10)];
  return {
    about: { target: 'dir_5s', market: 'binance-usdm:BTCUSDT', horizon_s: 5, rows: ROWS, labelled: 61_440, unlabelled: { 'the mid did not move': 24_100, 'a gap before the horizon': 860 }, zero_share: 0.282, span: [iso(DAY), iso(DAY + (ROWS - 1) * 1000)], data_digest: 'ab'.repeat(32) },
    plan: { folds: 5 }, embargo_s: [3600, 3600, 3600, 3600, 3600], seed: 1, preset: 'quick', config_hash: 'cd'.repeat(32), stamp: null, pbo: 0.31,
    board: { task: 'binary', rows, leak: 'clean' },
    costs: Object.fromEntries(rows.map(({ model }, at) => [model, { fit_s: 3 * at + 1.5, predict_us_row: 0.4 + at, size_kb: 12 * at + 2 }])),
    money: { gbm: { sharpe_net: -1.27, sharpe_net_band: [-3.4, 0.9] } },
    left_out: { har: 'it predicts volatility only' },
    dropped: { sx_session_vol_ratio: 'no training row has it', spread_ticks: 'does not vary over the training rows' },
    inputs: Array.from({ length: 150 }, (_, at) => `column_${at}`),
  };
}

function reliability(random) {
  const of = (model, lean) => {
    const bins = Array.from({ length: 6 }, (_, at) => {
      const stated = 0.25 + at * 0.1;
      const observed = Math.min(1, 0.5 + lean * (stated - 0.5) + 0.02 * (random() - 0.5));
      const n = Math.round(6_000 * Math.exp(-8 * (stated - 0.5) ** 2));
      return { stated, observed, n, n_eff: Math.round(n / 6), low: observed - 0.02, high: observed + 0.02 };
    });
    const curve = bins.map((bin, at) => ({ from: bin.stated - 0.05, upto: bin.stated + 0.05, calibrated: Math.max(...bins.slice(0, at + 1).map((b) => b.observed)), n: bin.n }));
    return { model, class: null, reliability: bins, curve };
  };
  return { models: [of('gbm', 0.95), of('linear', 0.8), of('ensemble', 1.02)] };
}

function importance(random) {
  const names = ['ofi', 'imbalance_l1', 'microprice_dev', 'spread_bps', 'trade_imbalance_5s', 'rv_1m', 'depth_ratio_10bps', 'sweep_cost_buy_bps', 'aggr_rate_10s', 'queue_slope'];
  const row = (columns, at) => {
    const increase = 0.011 * Math.exp(-0.6 * at) * (at === 9 ? -0.2 : 1);
    const half = 0.0011 + 0.001 * random();
    return { columns, increase, band: [increase - half, increase + half], p: 0.01, by_fold: Array.from({ length: 5 }, () => increase + 0.001 * (random() - 0.5)) };
  };
  return {
    model: 'gbm', sample_rows: [6_220, 6_221, 6_221, 6_221, 6_221], columns: names.map((name, at) => row([name], at)), groups: [row(['ofi', 'ofi_5s', 'ofi_10s'], 0), row(['rv_1m', 'rv_5m'], 2)],
    mean_abs_shap: Object.fromEntries(names.map((name, at) => [name, 0.12 / (at + 1)])), additivity: 1e-13, gain: {}, curves: {},
    regimes: [
      { regime: 'low', rows: [2_000, 2_000, 2_000, 2_000, 2_000], columns: ['spread_bps', 'ofi', 'rv_1m'].map((name, at) => row([name], at)), groups: [], mean_abs_shap: {}, curves: {} },
      { regime: 'middle', rows: [2_000, 2_000, 2_000, 2_000, 2_000], columns: names.map((name, at) => row([name], at)), groups: [], mean_abs_shap: {}, curves: {} },
      { regime: 'high', rows: [12, 0, 2_000, 2_000, 2_000], columns: [], groups: [], mean_abs_shap: {}, curves: {} },
    ],
  };
}

function folds() {
  const from = (at) => 43_200 + at * 6_912;
  const fold = (at) => ({
    number: at + 1, test_from: iso(DAY + from(at) * 1000), test_to: iso(DAY + (from(at) + 6_912) * 1000), embargo: '1h',
    learn: { train: [[0, from(at) - 3_600]], fit: [[0, Math.round(0.8 * (from(at) - 3_600))]], tune: [[Math.round(0.8 * (from(at) - 3_600)) + 5, from(at) - 3_600]] }, test: [[from(at), from(at) + 6_912]],
  });
  return { format: 1, target: 'dir_5s', frame_rows: ROWS, folds: [0, 1, 2, 3, 4].map(fold), development: {}, hold_out_from: iso(DAY + 77_760 * 1000) };
}

function backtest(random) {
  let net = 0;
  const equity = Array.from({ length: 640 }, (_, at) => [iso(DAY + (43_200 + at * 54) * 1000), (net += 0.0001 * (random() - 0.62))]);
  return {
    model: 'gbm', tier: 'VIP0', fee_bps: 5, latency_ms: 250, notional: 10_000, delta: [0.1, 0.1, 0.15, 0.1, 0.1], tried: 40, rows: 34_560, trades: 640, untraded: 3, break_even_cost_bps: 0.84, avg_cost_bps: 11.2, net_bps: -10.36,
    costs: [['spread', 32.1], ['impact', 8.4], ['fees', 640]], net, max_drawdown: 0.011, turnover: 128, exposure: 0.037, days: 1, sharpe_net: null, sharpe_band: null, no_sharpe: '1 day is too few, 30 are the least', equity,
  };
}

/** Its files by their place in the data folder. */
export function labStudy() {
  const random = seeded(11);
  const at = 'studies/binance-usdm/BTCUSDT/dir_5s';
  return { [`${at}/board.json`]: board(random), [`${at}/reliability.json`]: reliability(random), [`${at}/importance.json`]: importance(random), [`${at}/folds.json`]: folds(), [`${at}/backtest.json`]: backtest(random) };
}

/** Where it stands. */
export const STUDY = 'binance-usdm/BTCUSDT/dir_5s';
