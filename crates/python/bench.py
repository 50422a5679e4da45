"""What a context costs from Python, beside a plain vectorised pandas and a NumPy version of the same quantities.

    python crates/python/bench.py

Cold: the cache is off, every call works through all 500 bars. The two baselines compute what `get_context` computes of a
frame, with the tools a strategy author has, and leave out what is hard to vectorise (strength of levels, what became of a
level, order blocks): they are faster than a full analysis would be. Lines `figure …` are for tools.
"""

from __future__ import annotations

import statistics
import time
from typing import Any, Callable, Dict

import numpy as np
import pandas as pd

import barograph

BARS = 500
ROUNDS = 400


def walk(bars: int, seed: int = 7) -> pd.DataFrame:
    """A seeded walk of hourly bars."""
    rng = np.random.default_rng(seed)
    close = 50_000.0 * np.exp(np.cumsum(rng.standard_normal(bars) * 0.005))
    open_ = np.concatenate([[50_000.0], close[:-1]])
    high = np.maximum(open_, close) * (1 + rng.random(bars) * 0.004)
    low = np.minimum(open_, close) * (1 - rng.random(bars) * 0.004)
    index = pd.date_range("2026-01-01", periods=bars, freq="1h", tz="UTC")
    data = {"open": open_, "high": high, "low": low, "close": close, "volume": rng.random(bars) * 90 + 10}
    return pd.DataFrame(data, index=index)


def with_pandas(df: pd.DataFrame) -> Dict[str, Any]:
    """Vectorised pandas, written plainly."""
    close, high, low = df["close"], df["high"], df["low"]
    before = close.shift()
    tr = pd.concat([high - low, (high - before).abs(), (low - before).abs()], axis=1).max(axis=1)
    atr = tr.ewm(alpha=1 / 14, adjust=False).mean().iloc[-1]
    x = np.arange(50)
    y = close.iloc[-50:].to_numpy()
    slope, intercept = np.polyfit(x, y, 1)
    r = np.corrcoef(x, y)[0, 1]
    returns = np.log(close).diff()
    vol = np.sqrt((returns.iloc[-24:] ** 2).mean() * 8760)
    park = np.sqrt((np.log(high / low).iloc[-24:] ** 2).mean() / (4 * np.log(2)) * 8760)
    rolling = returns.pow(2).rolling(24).mean()
    rank = rolling.rank(pct=True).iloc[-1]
    hour = df.index.hour
    name = pd.Series(np.select([hour < 8, hour < 13, hour < 21], [0, 1, 2], 3), index=df.index)
    session = (name != name.shift()).cumsum()
    per = returns.pow(2).groupby(session).mean()
    usual = per.groupby(name.groupby(session).first()).median()
    swing_high = high[(high == high.rolling(5, center=True).max())]
    swing_low = low[(low == low.rolling(5, center=True).min())]
    gap_up = low > high.shift(2)
    gap_down = high < low.shift(2)
    daily = df.resample("1D").agg({"high": "max", "low": "min"})
    four = close.resample("4h").last().dropna().iloc[-50:]
    slope4 = np.polyfit(np.arange(len(four)), four.to_numpy(), 1)[0]
    return {
        "atr": atr, "slope": slope, "intercept": intercept, "r": r, "vol": vol, "park": park, "rank": rank, "slope4": slope4,
        "usual": usual, "levels": (swing_high, swing_low, gap_up.sum(), gap_down.sum(), daily.iloc[-2]),
    }


def with_numpy(t: np.ndarray, o: np.ndarray, h: np.ndarray, l: np.ndarray, c: np.ndarray, v: np.ndarray) -> Dict[str, Any]:
    """NumPy with the loops that cannot be vectorised in Python (average range, clusters, what levels met)."""
    tr = np.maximum(h[1:] - l[1:], np.maximum(np.abs(h[1:] - c[:-1]), np.abs(l[1:] - c[:-1])))
    atr = tr[:14].mean()
    for x in tr[14:].tolist():
        atr += (x - atr) / 14
    y, x = c[-50:], np.arange(50.0)
    xm, ym = x - x.mean(), y - y.mean()
    slope = (xm @ ym) / (xm @ xm)
    r = (xm @ ym) / np.sqrt((xm @ xm) * (ym @ ym))
    returns = np.diff(np.log(c))
    squares = returns * returns
    vol = np.sqrt(squares[-24:].mean() * 8760)
    ranges = np.log(h / l)
    park = np.sqrt((ranges[-24:] ** 2).mean() / (4 * np.log(2)) * 8760)
    sums = np.cumsum(np.concatenate([[0.0], squares]))
    day = (sums[24:] - sums[:-24]) / 24
    rank = (day < day[-1]).mean()
    hour = (t // 3_600_000_000_000) % 24
    name = np.digitize(hour, [8, 13, 21])
    edges = np.flatnonzero(np.diff(name)) + 1
    per = np.add.reduceat(np.concatenate([[0.0], squares]), np.concatenate([[0], edges]))
    names = name[np.concatenate([[0], edges])]
    usual = [np.median(per[names == k]) for k in range(4)]
    windows = np.lib.stride_tricks.sliding_window_view(h, 5)
    highs = np.flatnonzero(windows.argmax(axis=1) == 2) + 2
    lows = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(l, 5).argmin(axis=1) == 2) + 2
    gaps = np.flatnonzero(l[2:] > h[:-2]), np.flatnonzero(h[2:] < l[:-2])
    standing = []
    for i in highs.tolist():
        beyond = np.flatnonzero(c[i + 3 :] > h[i])
        if beyond.size == 0:
            standing.append(h[i])
    for i in lows.tolist():
        beyond = np.flatnonzero(c[i + 3 :] < l[i])
        if beyond.size == 0:
            standing.append(l[i])
    clusters = []
    for i in highs.tolist():
        near = [k for k in clusters if abs(h[i] - k[0]) / k[0] < 0.001]
        if near:
            near[0][1].append(h[i])
            near[0][0] = sum(near[0][1]) / len(near[0][1])
        else:
            clusters.append([h[i], [h[i]]])
    return {
        "atr": atr, "slope": slope, "r": r, "vol": vol, "park": park, "rank": rank, "usual": usual,
        "levels": (standing, clusters, gaps),
    }


def micros(call: Callable[[int], Any], rounds: int = ROUNDS) -> float:
    """Median microseconds of one call."""
    for i in range(20):
        call(i)
    times = []
    for i in range(rounds):
        began = time.perf_counter_ns()
        call(i)
        times.append((time.perf_counter_ns() - began) / 1e3)
    return statistics.median(times)


def main() -> None:
    """Prints the table."""
    whole = walk(BARS + ROUNDS * 5)
    frames = [whole.iloc[i * 5 : i * 5 + BARS] for i in range(ROUNDS)]
    arrays = []
    for f in frames:
        a = {n: f[n].to_numpy() for n in f.columns}
        a["timestamp"] = f.index.tz_convert(None).to_numpy()
        arrays.append(a)
    engine = barograph.MarketContextEngine(ttl=0.0)
    cached = barograph.MarketContextEngine()
    price = [float(f.close.iloc[-1]) for f in frames]

    def full(frame: Any, i: int) -> Any:
        return engine.get_context(frame, price[i], "long").should_trade()

    rows = {
        "python_context_500_numpy_us": micros(lambda i: full(arrays[i], i)),
        "python_context_500_pandas_us": micros(lambda i: full(frames[i], i)),
        "python_context_500_cached_us": micros(lambda i: cached.get_context(arrays[0], price[0], "long").should_trade()),
    }
    ns = [(a["timestamp"].astype("datetime64[ns]").astype("int64"), a["open"], a["high"], a["low"], a["close"], a["volume"]) for a in arrays]
    rows["baseline_pandas_500_us"] = micros(lambda i: with_pandas(frames[i]), 200)
    rows["baseline_numpy_500_us"] = micros(lambda i: with_numpy(*ns[i]), 200)
    engine.load("LIVE", whole.iloc[:BARS])
    tail = whole.iloc[BARS:]
    bars = [
        (int(t.timestamp()) * 1000, *map(float, row))
        for t, row in zip(tail.index, tail[["open", "high", "low", "close", "volume"]].to_numpy())
    ]
    rows["python_next_bar_us"] = micros(lambda i: engine.update("LIVE", bars[i]), min(ROUNDS, len(bars) - 1))
    engine.load("LIVE", whole.iloc[:BARS])

    def both(i: int) -> Any:
        engine.update("LIVE", bars[i])
        return engine.context("LIVE", bars[i][4], "long").should_trade()

    rows["python_next_bar_and_context_us"] = micros(both, min(ROUNDS, len(bars) - 1))
    for name, value in rows.items():
        print(f"figure {name} {value:.2f}")


if __name__ == "__main__":
    main()
