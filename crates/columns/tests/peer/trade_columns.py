"""Columns 146–173: price impact, VPIN, toxicity, illiquidity and trade flow (features §7).

Each block of arithmetic stands alone on arrays so that the golden vectors can hold it without a book around it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from book_columns import Book
from windows import EVENT_GAP_SHARE, SECOND, SPAN_MIN, Gaps, Grid, ceil_div, population_sd

DAY = 86_400 * SECOND
DELAY = 5 * SECOND
PER_MILLION = 1e6


class Trades:
    """Trades in order of receipt, their windows and their gaps."""

    def __init__(self, frame: pl.DataFrame, grid: Grid, gaps: Gaps, since: int, lateness):
        self.grid, self.gaps, self.since = grid, gaps, since
        self.ts = frame["ts"].to_numpy().astype(np.int64)
        self.known = frame["known_ts"].to_numpy().astype(np.int64)
        self.price = frame["price"].cast(pl.Float64).to_numpy()
        self.size = frame["size"].cast(pl.Float64).to_numpy()
        self.sign = np.where(frame["is_buy"].to_numpy().astype(bool), 1.0, -1.0)
        self.first_after_gap = frame["gap"].to_numpy().astype(bool)
        self.cell = grid.cell(self.ts)
        self.entry = grid.entry(self.ts, self.known, lateness)

    def sum(self, values, seconds: int):
        """Σ over trades in (t − seconds, t]."""
        return self.grid.window_sum(np.asarray(values, dtype=float), self.cell, self.entry, seconds)

    def matured_sum(self, values, seconds: int):
        """Σ over trades in (t − seconds − 5 s, t − 5 s]: those whose mid five seconds later has happened."""
        cell = self.cell + 5
        return self.grid.window_sum(np.asarray(values, dtype=float), cell, np.maximum(cell, self.entry), seconds)

    def unbroken(self, seconds: int, delay: int = 0):
        """True where gaps cover at most 1 % of the window."""
        until = self.grid.t - delay * SECOND
        return self.gaps.overlap(until - seconds * SECOND, until) <= EVENT_GAP_SHARE * seconds * SECOND

    def heard(self, seconds: float):
        """True once the stream has been listened to for that long."""
        return self.grid.t - self.since >= seconds * SECOND

    @property
    def _ts_so_far(self):
        return np.maximum.accumulate(self.ts)

    @property
    def _entry_to_come(self):
        return np.minimum.accumulate(self.entry[::-1])[::-1]


def mids_around(trades: Trades, book: Book):
    """Mid and spread in force just before each trade was received, and mid five seconds after it; NaN if invalid."""
    n = len(trades.ts)
    before, spread, after = (np.full(n, np.nan) for _ in range(3))
    if n == 0 or len(book.ts) == 0:
        return before, spread, after
    index = np.searchsorted(book.known, trades.known, side="left") - 1
    good = book.valid(index, trades.ts)
    before[good], spread[good] = book.mid[index[good]], book.spread_bps[index[good]]
    target = trades.ts + DELAY
    row = ceil_div(target, SECOND) - book.grid.first
    later = np.full(n, -1, dtype=np.int64)
    # The newest state by receipt that the row of maturity sees and whose event time is not past τ + 5 s.
    for i in range(n):
        if 0 <= row[i] < book.grid.n:
            j = book.at_row[row[i]]
            while j >= 0 and book.ts[j] > target[i]:
                j -= 1
            later[i] = j
    good = book.valid(later, target)
    after[good] = book.mid[later[good]]
    return before, spread, after


def regression_slope(x, y) -> float:
    """OLS slope with intercept; NaN where x does not vary (judged by min == max)."""
    if len(x) == 0 or x.min() == x.max():
        return float("nan")
    dx = x - x.mean()
    return float((dx * (y - y.mean())).sum() / (dx * dx).sum())


def kyle_lambda(trades: Trades, book: Book, mid, seconds: int = 300) -> np.ndarray:
    """Column 146: slope of one-second mid returns in bps on signed quote volume in millions."""
    grid = trades.grid
    with np.errstate(invalid="ignore"):
        y = 1e4 * np.log(mid / np.concatenate([[np.nan], mid[:-1]]))
    x = trades.sum(trades.sign * trades.price * trades.size / PER_MILLION, 1)
    present = ~np.isnan(y) & trades.heard(1) & trades.unbroken(1)
    after = grid.t - seconds * SECOND
    whole = ~trades.gaps.touches(after, grid.t) & ~book.gaps.touches(after, grid.t)
    whole &= book.valid(book.at_row, grid.t)
    out = np.full(grid.n, np.nan)
    for row in np.flatnonzero(whole):
        at = np.arange(max(0, row - seconds + 1), row + 1)
        at = at[present[at]]
        if len(at) >= 240 and np.count_nonzero(x[at]) >= 60:
            out[row] = regression_slope(x[at], y[at])
    return out


def fill_buckets(size, is_buy, capacity):
    """Split trades into full buckets; `capacity[i]` is V on the day of trade i, which the open bucket takes on too.

    Yields (trade index that filled it, buy volume, sell volume)."""
    buy = sell = 0.0
    for i, (v, b) in enumerate(zip(size, is_buy)):
        left, room = v, capacity[i]
        while left > 0:
            if buy + sell > room:
                # A smaller day: what already lies in the bucket fills it.
                yield i, buy, sell
                buy = sell = 0.0
            # The comparison leaves out rounding dust of the running subtraction.
            part = min(left, room - buy - sell)
            if part >= room - buy - sell - 1e-12 * room:
                buy, sell = (room - sell, sell) if b else (buy, room - buy)
                left -= part
                yield i, buy, sell
                buy = sell = 0.0
            else:
                buy, sell = (buy + part, sell) if b else (buy, sell + part)
                left = 0.0


def volume_of_days(trades: Trades) -> dict[int, float]:
    """Base volume of every UTC day listened to from end to end, by the day after it."""
    out = {}
    for day in np.unique(trades.ts // DAY):
        start, end = int(day) * DAY, (int(day) + 1) * DAY
        if trades.since <= start and trades.gaps.overlap(start, end) == 0:
            out[int(day) + 1] = float(trades.size[trades.ts // DAY == day].sum())
    return out


def vpin(trades: Trades, previous_day_volume, buckets: int = 50) -> np.ndarray:
    """Column 147. `previous_day_volume` maps a UTC day (days since 1970) to the base volume of the day before it."""
    grid = trades.grid
    out = np.full(grid.n, np.nan)
    volume = volume_of_days(trades) | dict(previous_day_volume)
    capacity = np.array([volume.get(int(d), np.nan) / buckets for d in trades.ts // DAY])
    if np.isnan(capacity).all():
        return out
    unknown = np.isnan(capacity)
    # Buckets start anew after a gap and where V becomes known or unknown.
    anew = trades.first_after_gap | (unknown != np.roll(unknown, 1))
    anew[0] = True
    starts = np.flatnonzero(anew).tolist()
    value_from = []
    for low, high in zip(starts, [*starts[1:], len(capacity)]):
        value_from.append((trades.entry[low], float("nan")))
        if unknown[low]:
            continue
        ring = []
        for i, buy, sell in fill_buckets(trades.size[low:high], trades.sign[low:high] > 0, capacity[low:high]):
            ring = [*ring[-(buckets - 1) :], (buy, sell)]
            if len(ring) == buckets:
                value = sum(abs(b - s) for b, s in ring) / sum(b + s for b, s in ring)
                value_from.append((trades.entry[low + i], value))
    for entry, value in value_from:
        if entry < grid.n:
            out[entry:] = value
    # From a gap on nothing is known until buckets are full again.
    seen = trades.grid.last_index(trades.entry)
    last = np.where(seen >= 0, trades.ts[np.maximum(seen, 0)], np.iinfo(np.int64).min)
    return np.where(trades.gaps.covers(grid.t) | (last < trades.gaps.last_start(grid.t)), np.nan, out)


def amihud(trades: Trades, book: Book, mid, bars: int = 60, bar: int = 60) -> np.ndarray:
    """Column 149: mean over the closed minute bars with volume of the last hour."""
    grid = trades.grid
    minute_end = np.flatnonzero((np.arange(grid.n) + grid.first) % bar == 0)
    value = {}
    for row in minute_end[minute_end >= bar]:
        start, end = grid.t[row - bar], grid.t[row]
        inside = (trades.ts > start) & (trades.ts <= end) & (trades.entry <= row)
        volume = float((trades.price[inside] * trades.size[inside]).sum())
        live = trades.since <= start
        if live and volume > 0 and not np.isnan(mid[row]) and not np.isnan(mid[row - bar]):
            value[row] = 1e4 * abs(np.log(mid[row] / mid[row - bar])) / (volume / PER_MILLION)
    out = np.full(grid.n, np.nan)
    seconds = bars * bar
    after = grid.t - seconds * SECOND
    whole = ~trades.gaps.touches(after, grid.t) & ~book.gaps.touches(after, grid.t)
    ends, values = np.array(list(value), dtype=np.int64), np.array(list(value.values()))
    for row in np.flatnonzero(whole):
        recent = values[np.searchsorted(ends, row - seconds, "right") : np.searchsorted(ends, row, "right")]
        if len(recent) >= bars // 2:
            out[row] = np.mean(recent)
    return out


def interarrival_cv(gaps_ms) -> float:
    """sd/mean of the times between consecutive trades."""
    mean = gaps_ms.mean()
    return float("nan") if mean == 0 else population_sd(gaps_ms) / mean


def sign_autocorrelation(now, before) -> float:
    """Pearson correlation of consecutive signs; NaN where either side is constant."""
    if now.min() == now.max() or before.min() == before.max():
        return float("nan")
    a, b = now - now.mean(), before - before.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def sequence_columns(trades: Trades) -> dict[str, np.ndarray]:
    """Columns 169–170, which need the order of the trades of the window, not only sums."""
    grid = trades.grid
    out = {name: np.full(grid.n, np.nan) for name in ("tf_interarrival_cv_300s", "tf_sign_autocorr_300s")}
    good = trades.unbroken(300) & trades.heard(300 * SPAN_MIN)
    ts_so_far, entry_to_come = trades._ts_so_far, trades._entry_to_come
    low = np.searchsorted(ts_so_far, grid.t - 300 * SECOND, side="right")
    high = np.searchsorted(entry_to_come, np.arange(grid.n), side="right")
    for row in np.flatnonzero(good):
        at = np.arange(low[row], high[row])
        at = at[(trades.ts[at] > grid.t[row] - 300 * SECOND) & (trades.entry[at] <= row)]
        if len(at) < 30:
            continue
        now = at[(at > 0) & ~trades.first_after_gap[at]]
        before = now - 1
        if len(now):
            out["tf_interarrival_cv_300s"][row] = interarrival_cv((trades.ts[now] - trades.ts[before]) / 1e6)
            out["tf_sign_autocorr_300s"][row] = sign_autocorrelation(trades.sign[now], trades.sign[before])
    return out


def run_length(trades: Trades) -> np.ndarray:
    """Column 171: signed length of the current run of equal signs since the last gap."""
    length = np.zeros(len(trades.ts))
    for i, s in enumerate(trades.sign):
        goes_on = i > 0 and not trades.first_after_gap[i] and trades.sign[i - 1] == s
        length[i] = length[i - 1] + s if goes_on else s
    last = trades.grid.last_index(trades.entry)
    out = np.full(trades.grid.n, np.nan)
    out[last >= 0] = length[last[last >= 0]]
    # A gap ends the run: nothing is known until a trade after it.
    seen = np.full(trades.grid.n, np.iinfo(np.int64).min)
    seen[last >= 0] = trades.ts[last[last >= 0]]
    stale = trades.gaps.covers(trades.grid.t) | (seen < trades.gaps.last_start(trades.grid.t))
    return np.where(stale, np.nan, out)


def trade_rows(trades: Trades, book: Book, rows, previous_day_volume, large_size) -> dict[str, np.ndarray]:
    """Columns 146–173. `large_size` is q(0.95; 24 h) of the sizes before each trade, NaN before six hours."""
    grid, mid = trades.grid, rows["mid_price"]
    v, p, s = trades.size, trades.price, trades.sign
    before, spread, after = mids_around(trades, book)
    one = np.ones(len(v))
    ready = {w: trades.unbroken(w) & trades.heard(w) for w in (1, 5, 30, 60, 300, 1800)}

    def when(condition, values):
        return np.where(condition, values, np.nan)

    def ratio(a, b):
        return np.divide(a, b, out=np.full(grid.n, np.nan), where=b != 0)

    out = {"kyle_lambda": kyle_lambda(trades, book, mid), "vpin": vpin(trades, previous_day_volume)}
    out["toxicity"] = toxicity(trades, book, before, spread, after)
    out["amihud_illiq"] = amihud(trades, book, mid)
    count = {w: trades.sum(one, w) for w in (1, 30, 300, 1800)}
    volume = {w: trades.sum(v, w) for w in (1, 5, 30, 300)}
    quote = {w: trades.sum(p * v, w) for w in (30, 300)}
    signed = {w: trades.sum(s * v, w) for w in (1, 5, 30, 300)}
    live = trades.unbroken(1) & trades.heard(0)
    out["tf_trade_count_1s"], out["tf_trade_count_30s"] = when(live, count[1]), when(ready[30], count[30])
    out["tf_volume_1s"], out["tf_volume_30s"] = when(live, volume[1]), when(ready[30], volume[30])
    out["tf_notional_300s"] = when(ready[300], quote[300])
    for w in (1, 5, 30, 300):
        out[f"tf_signed_volume_{w}s"] = when(ready[w], signed[w])
    for w in (5, 30, 300):
        out[f"tf_imbalance_{w}s"] = when(ready[w], ratio(signed[w], volume[w]))
    out["tf_count_imbalance_30s"] = when(ready[30], ratio(trades.sum(s, 30), count[30]))
    for w in (30, 300):
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = 1e4 * np.log(ratio(quote[w], volume[w]) / mid)
        out[f"tf_vwap_dev_{w}s_bps"] = when(ready[w], deviation)
    mean_size = ratio(volume[300], count[300])
    out["tf_mean_size_300s"] = when(ready[300], mean_size)
    largest = grid.window_max(v, trades.cell, trades.entry, 300)
    enough = trades.unbroken(300) & trades.heard(300 * SPAN_MIN) & (count[300] >= 10)
    out["tf_max_size_ratio_300s"] = when(enough, ratio(largest, mean_size))
    out["tf_large_share_300s"] = large_share(trades, large_size)
    out["tf_intensity_ratio"] = when(ready[1800] & ready[30], ratio(count[30], count[1800] / 60))
    out |= sequence_columns(trades)
    out["tf_run_length"] = run_length(trades)
    out |= spreads(trades, book, before, after)
    return out


def toxicity(trades: Trades, book: Book, before, spread, after) -> np.ndarray:
    """Column 148: volume-weighted five-second mark-out in half-spreads."""
    grid = trades.grid
    usable = ~np.isnan(before) & ~np.isnan(after)
    with np.errstate(invalid="ignore"):
        move = np.where(usable, trades.size * trades.sign * 1e4 * np.log(after / before), 0.0)
    half = np.where(usable, trades.size * spread / 2, 0.0)
    a, b = trades.matured_sum(move, 300), trades.matured_sum(half, 300)
    n = trades.matured_sum(usable.astype(float), 300)
    good = (
        (n >= 30)
        & trades.unbroken(300, delay=5)
        & trades.heard(5 + 300 * SPAN_MIN)
        & (book.started() <= grid.t - int(5 + 300 * SPAN_MIN) * SECOND)
        & ~book.gaps.touches(grid.t - 305 * SECOND, grid.t)
    )
    return np.where(good, np.divide(a, b, out=np.full(grid.n, np.nan), where=b != 0), np.nan)


def spreads(trades: Trades, book: Book, before, after) -> dict[str, np.ndarray]:
    """Columns 172–173: effective and realised spread, volume weighted."""
    grid = trades.grid
    out = {}
    for name, reference, total, delay in (
        ("tf_effective_spread_60s_bps", before, trades.sum, 0),
        ("tf_realized_spread_60s_bps", after, trades.matured_sum, 5),
    ):
        usable = ~np.isnan(reference)
        with np.errstate(invalid="ignore"):
            paid = np.where(usable, trades.size * 2 * trades.sign * 1e4 * np.log(trades.price / reference), 0.0)
        a, b = total(paid, 60), total(np.where(usable, trades.size, 0.0), 60)
        good = (
            trades.unbroken(60, delay)
            & trades.heard(60 + delay)
            & (book.started() <= grid.t - (60 + delay) * SECOND)
            & ~book.gaps.touches(grid.t - (60 + delay) * SECOND, grid.t)
        )
        out[name] = np.where(good, np.divide(a, b, out=np.full(grid.n, np.nan), where=b != 0), np.nan)
    return out


def large_share(trades: Trades, limits) -> np.ndarray:
    """Column 167: share of the volume of 300 s in trades at or above the 95th percentile of the day before them."""
    unknown = trades.sum(np.isnan(limits).astype(float), 300)
    with np.errstate(invalid="ignore"):
        large = trades.sum(np.where(trades.size >= limits, trades.size, 0.0), 300)
    volume = trades.sum(trades.size, 300)
    good = trades.unbroken(300) & trades.heard(300) & (unknown == 0) & (volume > 0)
    return np.divide(large, volume, out=np.full(trades.grid.n, np.nan), where=good)
