"""Columns 1–145: the book at a second, what changed in it, and its rolling figures (features §7).

A state is the book after all records of one venue update, 20 levels a side, NaN where a level does not exist.
Columns 99–101 and 108–109 want the whole book; the lists `deep_*` give it for the states that are used by a row,
otherwise the 20 levels are taken as all that is known and the column is undefined where they do not reach.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from windows import BOOK_MAX_AGE, SECOND, Gaps, Grid, rolling_mean, rolling_sd, rolling_sum, shifted

LEVELS = 20
SWEEP_NOTIONAL = 100_000.0
YEAR_SECONDS = 31_536_000
PER_MILLION = 1e6


class Book:
    """States in order of receipt, and which of them a row sees."""

    def __init__(self, states: pl.DataFrame, grid: Grid, gaps: Gaps, lateness):
        self.grid, self.gaps = grid, gaps
        self.ts = states["ts"].to_numpy().astype(np.int64)
        self.known = states["known_ts"].to_numpy().astype(np.int64)
        self.updates = states["updates"].to_numpy().astype(np.int64)
        self.first_after_gap = states["gap"].to_numpy().astype(bool)
        self.bid_price, self.bid_size, self.ask_price, self.ask_size = (
            np.column_stack([_numbers(states, f"{side}_{what}_L{k}") for k in range(LEVELS)])
            for side, what in (("bid", "price"), ("bid", "size"), ("ask", "price"), ("ask", "size"))
        )
        self.deep = states.select([c for c in states.columns if c.startswith("deep_")])
        self.cell = grid.cell(self.ts)
        self.entry = grid.entry(self.ts, self.known, lateness)
        self.at_row = grid.last_index(self.entry)
        self.mid = (self.bid_price[:, 0] + self.ask_price[:, 0]) / 2
        with np.errstate(invalid="ignore"):
            self.crossed = self.bid_price[:, 0] >= self.ask_price[:, 0]
            self.spread_bps = 1e4 * (self.ask_price[:, 0] - self.bid_price[:, 0]) / self.mid
        # Event time at which the run of states without a gap began, for each state.
        began = np.flatnonzero(self.first_after_gap | (np.arange(len(self.ts)) == 0))
        run = np.cumsum(np.isin(np.arange(len(self.ts)), began)) - 1
        self.run_began = self.ts[began][run] if len(self.ts) else self.ts

    def valid(self, index, instant):
        """Uncrossed, resynced and not stale at the instant; index −1 = no state yet."""
        index, instant = np.asarray(index), np.asarray(instant)
        if len(self.ts) == 0:
            return np.zeros(index.shape, dtype=bool)
        safe = np.maximum(index, 0)
        return (
            (index >= 0)
            & ~self.crossed[safe]
            & (instant - self.ts[safe] <= BOOK_MAX_AGE)
            & ~self.gaps.covers(instant)
            & (self.run_began[safe] >= self.gaps.last_start(instant))
        )

    def started(self):
        """Event time of the first state: before it the book is not known."""
        return self.ts[0] if len(self.ts) else np.iinfo(np.int64).max

    def deep_side(self, index: int, side: str):
        """Prices and sizes of every level known of one side of one state."""
        if f"deep_{side}_price" in self.deep.columns:
            price = self.deep[f"deep_{side}_price"][int(index)]
            if price is not None:
                return price.to_numpy(), self.deep[f"deep_{side}_size"][int(index)].to_numpy()
        price, size = getattr(self, f"{side}_price")[index], getattr(self, f"{side}_size")[index]
        return price[~np.isnan(price)], size[~np.isnan(price)]


def _numbers(frame: pl.DataFrame, name: str):
    return frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def structural(bid_price, bid_size, ask_price, ask_size, deep_bid, deep_ask, tick) -> dict[str, float]:
    """Columns 81–109 of one book; NaN = undefined. `deep_*` are (prices, sizes) of all known levels."""
    nan = float("nan")
    best_bid, best_ask, bid_q, ask_q = bid_price[0], ask_price[0], bid_size[0], ask_size[0]
    mid = (best_bid + best_ask) / 2
    micro = (best_bid * ask_q + best_ask * bid_q) / (bid_q + ask_q)
    spread = best_ask - best_bid
    out = {
        "mid_price": mid,
        "microprice": micro,
        "microprice_dev_bps": 1e4 * (micro / mid - 1),
        "spread_abs": spread,
        "spread_bps": 1e4 * spread / mid,
        "spread_ticks": nan if tick is None else np.rint(spread / tick),
    }
    for n in (1, 3, 5, 10, 20):
        out[f"imbalance_L{n}"] = _imbalance(bid_size[:n].sum(), ask_size[:n].sum())
    bid_d, ask_d = 1e4 * np.abs(bid_price - mid) / mid, 1e4 * np.abs(ask_price - mid) / mid
    out["smart_depth_imbalance"] = _imbalance(
        (np.exp(-bid_d / 10) * bid_size).sum(), (np.exp(-ask_d / 10) * ask_size).sum()
    )
    sides = {
        "bid": (bid_price, bid_size, bid_d, deep_bid),
        "ask": (ask_price, ask_size, ask_d, deep_ask),
    }
    for side, (price, size, _, _) in sides.items():
        for n in (5, 10, 20):
            out[f"{side}_depth_L{n}"] = (price[:n] * size[:n]).sum()
    for side, (_, _, _, (price, size)) in sides.items():
        d = 1e4 * np.abs(price - mid) / mid
        reaches = len(d) > 0 and d[-1] >= 10
        out[f"{side}_depth_10bps"] = (price * size)[d <= 10].sum() if reaches else nan
    out["imbalance_10bps"] = _imbalance(out["bid_depth_10bps"], out["ask_depth_10bps"])
    for side, (price, size, d, _) in sides.items():
        cumulative = np.cumsum(price * size) / PER_MILLION
        out[f"{side}_slope"] = _ratio((d * cumulative).sum(), (d * d).sum())
        out[f"{side}_gap_L01_bps"] = d[1] - d[0]
        out[f"{side}_vwap_dist_L20_bps"] = _ratio((size * d).sum(), size.sum())
    buy, sell = sweep_price(*deep_ask), sweep_price(*deep_bid)
    out["sweep_cost_buy_bps"] = 1e4 * (buy / mid - 1)
    out["sweep_cost_sell_bps"] = 1e4 * (1 - sell / mid)
    return out


def sweep_price(price, size, notional: float = SWEEP_NOTIONAL) -> float:
    """Average price of walking the levels for a quote amount; NaN where they hold less."""
    left, base = notional, 0.0
    for p, q in zip(price, size):
        if p * q >= left:
            return notional / (base + left / p)
        left, base = left - p * q, base + q
    return float("nan")


def _imbalance(bid: float, ask: float) -> float:
    return _ratio(bid - ask, bid + ask)


def _ratio(a: float, b: float) -> float:
    return a / b if b != 0 else float("nan")


def book_rows(book: Book, tick) -> dict[str, np.ndarray]:
    """Columns 1–109 on the grid, NaN wherever the book is not valid at the second."""
    grid, n = book.grid, book.grid.n
    valid = book.valid(book.at_row, grid.t)
    out = {}
    for side in ("bid", "ask"):
        for what in ("price", "size"):
            levels = getattr(book, f"{side}_{what}")
            for k in range(LEVELS):
                column = np.full(n, np.nan)
                column[valid] = levels[book.at_row[valid], k]
                out[f"{side}_{what}_L{k}"] = column
    done = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for row in np.flatnonzero(valid):
            i = int(book.at_row[row])
            if i not in done:
                done[i] = structural(
                    book.bid_price[i], book.bid_size[i], book.ask_price[i], book.ask_size[i],
                    book.deep_side(i, "bid"), book.deep_side(i, "ask"), tick,
                )
            for name, value in done[i].items():
                out.setdefault(name, np.full(n, np.nan))[row] = value
    return out


def ofi_contributions(bid_price, bid_size, ask_price, ask_size):
    """e^k of consecutive rows (states × levels), Cont–Kukanov–Stoikov; NaN where a level is absent in either."""
    pb, qb, pa, qa = bid_price[1:], bid_size[1:], ask_price[1:], ask_size[1:]
    pb0, qb0, pa0, qa0 = bid_price[:-1], bid_size[:-1], ask_price[:-1], ask_size[:-1]
    with np.errstate(invalid="ignore"):
        e = (
            np.where(pb >= pb0, qb, 0.0)
            - np.where(pb <= pb0, qb0, 0.0)
            - np.where(pa <= pa0, qa, 0.0)
            + np.where(pa >= pa0, qa0, 0.0)
        )
    absent = np.isnan(pb) | np.isnan(pb0) | np.isnan(pa) | np.isnan(pa0)
    return np.where(absent, np.nan, e)


def dynamic(book: Book, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns 110–132."""
    grid = book.grid
    valid = book.valid(book.at_row, grid.t)
    e = np.full((len(book.ts), LEVELS), np.nan)
    if len(book.ts) > 1:
        e[1:] = ofi_contributions(book.bid_price, book.bid_size, book.ask_price, book.ask_size)
    contributes = ~book.first_after_gap & (np.arange(len(book.ts)) > 0)

    def ready(seconds):
        after = grid.t - seconds * SECOND
        return valid & (book.started() <= after) & ~book.gaps.touches(after, grid.t)

    flow, absent = {}, {}
    for seconds in (1, 5, 30):
        per_level = []
        missing = []
        for k in range(LEVELS):
            lost = contributes & np.isnan(e[:, k])
            value = np.where(contributes & ~lost, e[:, k], 0.0)
            per_level.append(grid.window_sum(value, book.cell, book.entry, seconds))
            missing.append(grid.window_sum(lost.astype(float), book.cell, book.entry, seconds) > 0)
        flow[seconds], absent[seconds] = np.array(per_level), np.array(missing)

    def ofi(seconds):
        return np.where(ready(seconds) & ~absent[seconds][0], flow[seconds][0], np.nan)

    def mlofi(levels, seconds):
        weights = np.exp(-np.arange(levels) / 2)
        total = (weights[:, None] * flow[seconds][:levels]).sum(axis=0)
        return np.where(ready(seconds) & ~absent[seconds][:levels].any(axis=0), total, np.nan)

    out = {"ofi": ofi(1), "ofi_5s": ofi(5), "ofi_30s": ofi(30)}
    touch = rolling_mean((rows["bid_size_L0"] + rows["ask_size_L0"]) / 2, 30, 30)
    out["ofi_norm_30s"] = np.divide(out["ofi_30s"], touch, out=np.full(grid.n, np.nan), where=touch != 0)
    for levels in (3, 5, 10, 20):
        out[f"mlofi_{levels}"] = mlofi(levels, 1)
    out["mlofi_10_5s"], out["mlofi_10_30s"] = mlofi(10, 5), mlofi(10, 30)

    def clear(values, seconds):
        return np.where(book.gaps.touches(grid.t - seconds * SECOND, grid.t), np.nan, values)

    def velocity(samples, seconds, unit=1e4):
        with np.errstate(invalid="ignore", divide="ignore"):
            change = unit * np.log(samples / shifted(samples, seconds)) / seconds
        return clear(np.where(np.isfinite(change), change, np.nan), seconds)

    def difference(samples, seconds):
        return clear((samples - shifted(samples, seconds)) / seconds, seconds)

    mid = rows["mid_price"]
    for seconds in (1, 5, 30):
        out[f"mid_velocity_{seconds}s"] = velocity(mid, seconds)
    for seconds in (1, 5):
        out[f"mid_acceleration_{seconds}s"] = difference(out[f"mid_velocity_{seconds}s"], seconds)
        out[f"microprice_velocity_{seconds}s"] = velocity(rows["microprice"], seconds)
    out["imbalance_L1_velocity_1s"] = difference(rows["imbalance_L1"], 1)
    out["imbalance_L5_velocity_5s"] = difference(rows["imbalance_L5"], 5)
    out["spread_velocity_1s"] = difference(rows["spread_bps"], 1)
    for side in ("bid", "ask"):
        out[f"{side}_depth_L5_velocity_5s"] = velocity(rows[f"{side}_depth_L5"], 5, unit=1.0)
    changes = grid.window_sum(np.where(contributes, book.updates, 0).astype(float), book.cell, book.entry, 1)
    out["book_update_rate_1s"] = np.where(ready(1), changes, np.nan)
    return out


def rolling(book: Book, rows: dict[str, np.ndarray], histogram_of) -> dict[str, np.ndarray]:
    """Columns 133–145. `histogram_of(samples, p)` gives q(p; 24 h) as of every row, NaN before six hours.

    A sample is judged once, at its own second, by the day that ends with it: what was judged is never judged again."""
    grid = book.grid
    valid = book.valid(book.at_row, grid.t)
    mid, spread = rows["mid_price"], rows["spread_bps"]
    out = {}

    def clear(values, seconds):
        broken = book.gaps.touches(grid.t - seconds * SECOND, grid.t)
        return np.where(valid & ~broken, values, np.nan)

    def squared_returns():
        with np.errstate(invalid="ignore"):
            return np.log(mid / shifted(mid, 1)) ** 2

    for seconds in (10, 60, 300, 1800):
        mean = rolling_mean(squared_returns(), seconds, seconds * 4 // 5)
        out[f"realized_vol_{seconds}s"] = clear(np.sqrt(mean) * np.sqrt(YEAR_SECONDS), seconds)
    short, long = out["realized_vol_60s"], out["realized_vol_1800s"]
    out["vol_ratio_60s_1800s"] = np.divide(short, long, out=np.full(grid.n, np.nan), where=long != 0)
    out["mean_spread_60s"] = clear(rolling_mean(spread, 60, 48), 60)
    out["mean_spread_300s"] = clear(rolling_mean(spread, 300, 240), 300)
    out["std_spread_300s"] = clear(rolling_sd(spread, 300, 240), 300)
    out["mean_imbalance_L5_60s"] = clear(rolling_mean(rows["imbalance_L5"], 60, 48), 60)
    out["mean_depth_L5_300s"] = clear(rolling_mean(rows["bid_depth_L5"] + rows["ask_depth_L5"], 300, 240), 300)

    def share(samples, p, above, seconds, min_n):
        limit = histogram_of(samples, p)
        with np.errstate(invalid="ignore"):
            hit = (samples > limit) if above else (samples < limit)
        judged = np.where(np.isnan(samples) | np.isnan(limit), np.nan, hit.astype(float))
        return clear(rolling_mean(judged, seconds, min_n), seconds)

    out["regime_fraction_high_vol_1800s"] = share(short, 2 / 3, True, 1800, 1440)
    out["regime_fraction_low_vol_1800s"] = share(short, 1 / 3, False, 1800, 1440)
    out["regime_fraction_wide_spread_300s"] = share(spread, 0.75, True, 300, 240)
    return out


def valid_fraction(book: Book, listening_since: int):
    """Column 197: share of the last 300 grid samples with an uncrossed, non-stale, resynced book."""
    valid = book.valid(book.at_row, book.grid.t).astype(float)
    share = rolling_sum(valid, 300).astype(np.float64) / 300
    return np.where(book.grid.t - listening_since >= 300 * SECOND, share, np.nan)
