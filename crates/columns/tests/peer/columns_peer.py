"""The 197 research columns, second implementation (Python, NumPy, Polars), from features §1 and features §7 alone.

It is a witness for `crates/columns`: written without reading it, clear rather than fast.

What it takes (times in ns): `states` and `trades` in order of receipt, gaps of either stream as (from, until) in event
time, the instant listening began, the tick, and the whole seconds wanted. See `columns` for the optional inputs.

Readings of the specification where it leaves room:
- A row for t counts an event iff its event time is ≤ t and it was received by t + 200 ms; a late one counts in later rows.
- The book at t is the newest state by receipt among those; every column of 1–145 is undefined where that book is not
  valid, 146 too, whose newest pair ends at t. Other columns that mix trades with the book (148–149, 163–164, 172–173)
  need the mids they use, not the one at t.
- A book gap anywhere in a window undoes it; a trade gap does so above 1 % of the window.
- Warm-ups in seconds want the whole window listened to. Warm-ups in trades also want a quarter of it (features §1, coverage).
- A sample or trade is judged by the quantile of 24 h once, when it happens: a sample by the day it ends, a trade by the
  sizes before it. Read against the Rust side: features §7 would also allow the quantile at t for the whole window.
- A pair of consecutive trades belongs to the second of the later one; the minute bars of 149 are (s, s + 60 s].
- `kyle_lambda` and `amihud_illiq` are undone by any gap, since every second of them is a pair or part of a bar.
- No declared gap yet: `dq_seconds_since_gap` is at its cap; inside a gap it is 0.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from book_columns import Book, book_rows, dynamic, rolling, valid_fraction
from trade_columns import Trades, trade_rows
from windows import LATENESS, SECOND, Gaps, Grid, LogHistogram

LEVEL_COLUMNS = [f"{side}_{what}_L{k}" for side in ("bid", "ask") for what in ("price", "size") for k in range(20)]
NAMES = LEVEL_COLUMNS + """
mid_price microprice microprice_dev_bps spread_abs spread_bps spread_ticks
imbalance_L1 imbalance_L3 imbalance_L5 imbalance_L10 imbalance_L20 smart_depth_imbalance
bid_depth_L5 ask_depth_L5 bid_depth_L10 ask_depth_L10 bid_depth_L20 ask_depth_L20
bid_depth_10bps ask_depth_10bps imbalance_10bps bid_slope ask_slope bid_gap_L01_bps ask_gap_L01_bps
bid_vwap_dist_L20_bps ask_vwap_dist_L20_bps sweep_cost_buy_bps sweep_cost_sell_bps
ofi ofi_5s ofi_30s ofi_norm_30s mlofi_3 mlofi_5 mlofi_10 mlofi_20 mlofi_10_5s mlofi_10_30s
mid_velocity_1s mid_velocity_5s mid_velocity_30s mid_acceleration_1s mid_acceleration_5s
microprice_velocity_1s microprice_velocity_5s imbalance_L1_velocity_1s imbalance_L5_velocity_5s
spread_velocity_1s bid_depth_L5_velocity_5s ask_depth_L5_velocity_5s book_update_rate_1s
realized_vol_10s realized_vol_60s realized_vol_300s realized_vol_1800s vol_ratio_60s_1800s
mean_spread_60s mean_spread_300s std_spread_300s mean_imbalance_L5_60s mean_depth_L5_300s
regime_fraction_high_vol_1800s regime_fraction_low_vol_1800s regime_fraction_wide_spread_300s
kyle_lambda vpin toxicity amihud_illiq
tf_trade_count_1s tf_trade_count_30s tf_volume_1s tf_volume_30s tf_notional_300s
tf_signed_volume_1s tf_signed_volume_5s tf_signed_volume_30s tf_signed_volume_300s
tf_imbalance_5s tf_imbalance_30s tf_imbalance_300s tf_count_imbalance_30s
tf_vwap_dev_30s_bps tf_vwap_dev_300s_bps tf_mean_size_300s tf_max_size_ratio_300s tf_large_share_300s
tf_intensity_ratio tf_interarrival_cv_300s tf_sign_autocorr_300s tf_run_length
tf_effective_spread_60s_bps tf_realized_spread_60s_bps
dv_funding_rate_8h dv_funding_zscore_24h dv_minutes_to_funding dv_oi_delta_1h dv_oi_delta_4h dv_oi_zscore_7d
dv_basis dv_premium dv_liq_long_usd_5m dv_liq_short_usd_5m dv_squeeze_risk_score dv_realized_vol_1h
sx_session sx_minute_of_day_sin sx_minute_of_day_cos sx_day_of_week sx_session_vol_ratio
vx_mid_dev_bps vx_ref_ret_1s_bps vx_volume_share_300s
dq_book_age_ms dq_seconds_since_gap dq_latency_p50_60s_ms dq_valid_fraction_300s
""".split()
# Columns that other parts of the program hand over as values with a time they are known from.
AS_OF = [n for n in NAMES if n.startswith("dv_")] + ["sx_session_vol_ratio"]
# Hour of the UTC day at which sessions 0 ASIAN, 1 LONDON, 2 NY, 3 ROLLOVER begin (features §3).
SESSION_STARTS = np.array([0, 8, 13, 21])


def columns(
    states: pl.DataFrame,
    trades: pl.DataFrame,
    seconds,
    *,
    listening_since: int,
    tick: float | None,
    book_gaps=(),
    trade_gaps=(),
    previous_day_volume=None,
    as_of=None,
    other_mids=None,
    other_quote_volume=None,
    reference_mid=None,
    lateness: int | None = LATENESS,
) -> pl.DataFrame:
    """Rows for the wanted whole seconds: `ts` and the 197 columns in catalogue order, null where undefined.

    `previous_day_volume`: UTC day (days since 1970) → base volume of the day before. `as_of`: column → list of
    (known_ts, event_ts, value or None, max_age), all ns. `other_mids`, `other_quote_volume`: venue → {second: value}
    of the fresh venues other than this one. `reference_mid`: {second: mid} of the reference venue."""
    seconds = np.asarray(list(seconds), dtype=np.int64)
    earliest = min([listening_since, *(f["ts"].min() for f in (states, trades) if len(f))])
    grid = Grid(min(int(earliest) // SECOND, int(seconds.min())), int(seconds.max()))
    book = Book(states, grid, Gaps(book_gaps), lateness)
    tape = Trades(trades, grid, Gaps(trade_gaps), listening_since, lateness)
    nothing = np.full(grid.n, np.nan)
    rows = book_rows(book, tick)
    rows = {name: rows.get(name, nothing) for name in NAMES[:109]}
    rows |= dynamic(book, rows)
    rows |= rolling(book, rows, lambda samples, p: quantile_by_row(grid, samples, p))
    large = size_limits(tape, 0.95)
    rows |= trade_rows(tape, book, rows, previous_day_volume or {}, large)
    rows |= {name: known_at(grid, (as_of or {}).get(name, [])) for name in AS_OF}
    rows |= session_rows(grid)
    rows |= venue_rows(grid, rows, other_mids or {}, other_quote_volume or {}, reference_mid or {})
    rows |= quality_rows(book, listening_since)
    wanted = seconds - grid.first
    data = {"ts": seconds * SECOND} | {name: np.asarray(rows[name], dtype=float)[wanted] for name in NAMES}
    return pl.DataFrame(data).with_columns(pl.col(NAMES).fill_nan(None))


def quantile_by_row(grid: Grid, samples, p: float):
    """q(p; 24 h) of a grid series at every row by HIST, the sample of the row included."""
    histogram, out = LogHistogram(), np.full(grid.n, np.nan)
    for row, value in enumerate(samples):
        second = grid.first + row
        if not np.isnan(value):
            histogram.add(second, value)
        limit = histogram.quantile(second, p)
        out[row] = np.nan if limit is None else limit
    return out


def size_limits(trades: Trades, p: float):
    """q(p; 24 h) of the sizes of the trades before each trade; NaN before six hours."""
    histogram, out = LogHistogram(), np.full(len(trades.ts), np.nan)
    for i, (ts, size) in enumerate(zip(trades.ts, trades.size)):
        limit = histogram.quantile(int(ts // SECOND), p)
        out[i] = np.nan if limit is None else limit
        histogram.add(int(ts // SECOND), size)
    return out


def known_at(grid: Grid, series):
    """Newest value known by t, if it was Ready and is not older than its max age."""
    out = np.full(grid.n, np.nan)
    for row, t in enumerate(grid.t):
        known = [item for item in series if item[0] <= t]
        if known:
            _, event_ts, value, max_age = known[-1]
            out[row] = np.nan if value is None or t - event_ts > max_age else value
    return out


def session_rows(grid: Grid):
    """Columns 186–189, from the clock alone."""
    second = np.arange(grid.n) + grid.first
    of_day = second % 86_400
    angle = 2 * np.pi * (of_day // 60) / 1440
    return {
        "sx_session": np.searchsorted(SESSION_STARTS, of_day // 3600, side="right") - 1.0,
        "sx_minute_of_day_sin": np.sin(angle),
        "sx_minute_of_day_cos": np.cos(angle),
        # 1970-01-01 was a Thursday, which is 3 when Monday is 0.
        "sx_day_of_week": (second // 86_400 + 3) % 7,
    }


def venue_rows(grid: Grid, rows, other_mids, other_quote_volume, reference_mid):
    """Columns 191–193; undefined with fewer than two fresh venues."""
    out = {n: np.full(grid.n, np.nan) for n in ("vx_mid_dev_bps", "vx_ref_ret_1s_bps", "vx_volume_share_300s")}
    for row in range(grid.n):
        second = grid.first + row
        mid = rows["mid_price"][row]
        mids = [series[second] for series in other_mids.values() if second in series]
        if mids and not np.isnan(mid):
            out["vx_mid_dev_bps"][row] = 1e4 * np.log(mid / np.median([mid, *mids]))
        own = rows["tf_notional_300s"][row]
        volumes = [series[second] for series in other_quote_volume.values() if second in series]
        if volumes and not np.isnan(own) and own + sum(volumes) > 0:
            out["vx_volume_share_300s"][row] = own / (own + sum(volumes))
        if second in reference_mid and second - 1 in reference_mid:
            out["vx_ref_ret_1s_bps"][row] = 1e4 * np.log(reference_mid[second] / reference_mid[second - 1])
    return out


def quality_rows(book: Book, listening_since: int):
    """Columns 194–197: how old, how broken and how late the book is."""
    grid = book.grid
    age, since_gap, latency = (np.full(grid.n, np.nan) for _ in range(3))
    seen = book.at_row >= 0
    age[seen] = (grid.t[seen] - book.ts[book.at_row[seen]]) / 1e6
    ended = book.gaps.last_end(grid.t)
    never = ended == np.iinfo(np.int64).min
    since_gap = np.where(never, 86_400.0, np.minimum(86_400.0, (grid.t - np.where(never, 0, ended)) / 1e9))
    since_gap = np.where(book.gaps.covers(grid.t), 0.0, since_gap)
    delay = (book.known - book.ts) / 1e6
    low = np.searchsorted(np.maximum.accumulate(book.ts), grid.t - 60 * SECOND, side="right") if len(delay) else None
    for row in np.flatnonzero(seen):
        at = np.arange(low[row], book.at_row[row] + 1)
        at = at[(book.ts[at] > grid.t[row] - 60 * SECOND) & (book.entry[at] <= row)]
        if len(at) >= 10:
            latency[row] = np.quantile(delay[at], 0.5)
    return {
        "dq_book_age_ms": age,
        "dq_seconds_since_gap": since_gap,
        "dq_latency_p50_60s_ms": latency,
        "dq_valid_fraction_300s": valid_fraction(book, listening_since),
    }
