"""The columns as a user of Polars writes them in the original's method: one pass of expressions over wide snapshots.

    python polars_original.py [ROWS]          100000 synthetic wide rows by default; prints rows/s and peak memory

The input is one row a second with 20 levels a side and nothing else, as the original's collector stores it. The method
has no trades, no updates between snapshots, no gaps, no other venue and no receive clock, so what needs those is null.
What it can only approximate it computes in its own way and is listed in `APPROXIMATE`: order flow from one snapshot to
the next instead of from every update, and the depth within 10 bps from the 20 levels where they reach.
It is here for speed and memory side by side, not as a witness of values: warm-up is by number of rows.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
import polars as pl

from columns_peer import NAMES

LEVELS = 20
YEAR_SECONDS = 31_536_000
APPROXIMATE = [n for n in NAMES if n == "ofi" or n.startswith(("ofi_", "mlofi_")) or "10bps" in n]


def c(name: str) -> pl.Expr:
    return pl.col(name)


def total(names: list[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal(names)


def over(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return pl.when(b != 0).then(a / b)


def price(side: str, k: int) -> pl.Expr:
    return c(f"{side}_price_L{k}")


def size(side: str, k: int) -> pl.Expr:
    return c(f"{side}_size_L{k}")


def distance(side: str, k: int) -> pl.Expr:
    return 1e4 * (price(side, k) - c("mid_price")).abs() / c("mid_price")


def sweep(side: str, notional: float = 100_000.0) -> pl.Expr:
    """Average price over the 20 levels for a quote amount, null where they hold less."""
    # Taken of a level is what the levels before it leave, from the running totals `<side>_filled_k` of the first step.
    base = []
    for k in range(LEVELS):
        before = c(f"{side}_filled_{k - 1}") if k else pl.lit(0.0)
        take = pl.min_horizontal(price(side, k) * size(side, k), pl.max_horizontal(notional - before, 0.0))
        base.append(take / price(side, k))
    return pl.when(c(f"{side}_filled_{LEVELS - 1}") >= notional).then(notional / total(base))


def flow(k: int) -> pl.Expr:
    """e^k from one snapshot to the next."""
    pb, qb, pa, qa = price("bid", k), size("bid", k), price("ask", k), size("ask", k)
    return (
        (pb >= pb.shift(1)) * qb
        - (pb <= pb.shift(1)) * qb.shift(1)
        - (pa <= pa.shift(1)) * qa
        + (pa >= pa.shift(1)) * qa.shift(1)
    )


def first_step() -> list[pl.Expr]:
    mid = (price("bid", 0) + price("ask", 0)) / 2
    micro = (price("bid", 0) * size("ask", 0) + price("ask", 0) * size("bid", 0)) / (size("bid", 0) + size("ask", 0))
    spread = price("ask", 0) - price("bid", 0)
    filled = [
        total([price(s, j) * size(s, j) for j in range(k + 1)]).alias(f"{s}_filled_{k}")
        for s in ("bid", "ask")
        for k in range(LEVELS)
    ]
    return [mid.alias("mid_price"), micro.alias("microprice"), spread.alias("spread_abs"), *filled]


def second_step(tick: float) -> list[pl.Expr]:
    mid = c("mid_price")
    out = {
        "microprice_dev_bps": 1e4 * (c("microprice") / mid - 1),
        "spread_bps": 1e4 * c("spread_abs") / mid,
        "spread_ticks": (c("spread_abs") / tick).round(),
        "sweep_cost_buy_bps": 1e4 * (sweep("ask") / mid - 1),
        "sweep_cost_sell_bps": 1e4 * (1 - sweep("bid") / mid),
    }
    for n in (1, 3, 5, 10, 20):
        bid, ask = (total([size(s, k) for k in range(n)]) for s in ("bid", "ask"))
        out[f"imbalance_L{n}"] = over(bid - ask, bid + ask)
    bid, ask = (
        total([(-distance(s, k) / 10).exp() * size(s, k) for k in range(LEVELS)]) for s in ("bid", "ask")
    )
    out["smart_depth_imbalance"] = over(bid - ask, bid + ask)
    for s in ("bid", "ask"):
        quote = [price(s, k) * size(s, k) for k in range(LEVELS)]
        for n in (5, 10, 20):
            out[f"{s}_depth_L{n}"] = total(quote[:n])
        near = total([pl.when(distance(s, k) <= 10).then(quote[k]).otherwise(0.0) for k in range(LEVELS)])
        out[f"{s}_depth_10bps"] = pl.when(distance(s, LEVELS - 1) >= 10).then(near)
        # Σ_k d_k C_k = Σ_j p_j q_j · Σ_{k≥j} d_k keeps the expression linear in the number of levels.
        d, tail, moment = [distance(s, k) for k in range(LEVELS)], pl.lit(0.0), pl.lit(0.0)
        for k in reversed(range(LEVELS)):
            tail = tail + d[k]
            moment = moment + quote[k] * tail
        out[f"{s}_slope"] = over(moment / 1e6, total([x * x for x in d]))
        out[f"{s}_gap_L01_bps"] = d[1] - d[0]
        volume = total([size(s, k) for k in range(LEVELS)])
        out[f"{s}_vwap_dist_L20_bps"] = over(total([size(s, k) * d[k] for k in range(LEVELS)]), volume)
    out |= {f"e{k}": flow(k) for k in range(LEVELS)}
    return [e.alias(n) for n, e in out.items()]


def third_step() -> list[pl.Expr]:
    def velocity(name, w, unit=1e4):
        return unit * (c(name) / c(name).shift(w)).log() / w

    near = c("bid_depth_10bps"), c("ask_depth_10bps")
    out = {"imbalance_10bps": over(near[0] - near[1], near[0] + near[1])}
    out |= {"ofi": c("e0"), "ofi_5s": c("e0").rolling_sum(5), "ofi_30s": c("e0").rolling_sum(30)}
    touch = ((size("bid", 0) + size("ask", 0)) / 2).rolling_mean(30)
    out["ofi_norm_30s"] = over(c("e0").rolling_sum(30), touch)
    decayed = {n: total([float(np.exp(-k / 2)) * c(f"e{k}") for k in range(n)]) for n in (3, 5, 10, 20)}
    out |= {f"mlofi_{n}": e for n, e in decayed.items()}
    out |= {f"mlofi_10_{w}s": decayed[10].rolling_sum(w) for w in (5, 30)}
    out |= {f"mid_velocity_{w}s": velocity("mid_price", w) for w in (1, 5, 30)}
    out |= {f"microprice_velocity_{w}s": velocity("microprice", w) for w in (1, 5)}
    for w in (1, 5):
        v = velocity("mid_price", w)
        out[f"mid_acceleration_{w}s"] = (v - v.shift(w)) / w
    for name, column, w in (
        ("imbalance_L1_velocity_1s", "imbalance_L1", 1),
        ("imbalance_L5_velocity_5s", "imbalance_L5", 5),
        ("spread_velocity_1s", "spread_bps", 1),
    ):
        out[name] = (c(column) - c(column).shift(w)) / w
    out |= {f"{s}_depth_L5_velocity_5s": velocity(f"{s}_depth_L5", 5, 1.0) for s in ("bid", "ask")}
    squared = (c("mid_price") / c("mid_price").shift(1)).log() ** 2
    for w in (10, 60, 300, 1800):
        out[f"realized_vol_{w}s"] = squared.rolling_mean(w, min_samples=w * 4 // 5).sqrt() * YEAR_SECONDS**0.5
    out["mean_spread_60s"] = c("spread_bps").rolling_mean(60, min_samples=48)
    out["mean_spread_300s"] = c("spread_bps").rolling_mean(300, min_samples=240)
    out["std_spread_300s"] = c("spread_bps").rolling_std(300, min_samples=240, ddof=0)
    out["mean_imbalance_L5_60s"] = c("imbalance_L5").rolling_mean(60, min_samples=48)
    out["mean_depth_L5_300s"] = (c("bid_depth_L5") + c("ask_depth_L5")).rolling_mean(300, min_samples=240)
    minute = pl.from_epoch("ts", time_unit="ns")
    angle = 2 * np.pi * (minute.dt.hour().cast(pl.Int32) * 60 + minute.dt.minute()) / 1440
    hour = minute.dt.hour()
    out |= {
        "sx_session": (hour >= 8).cast(pl.Float64) + (hour >= 13) + (hour >= 21),
        "sx_minute_of_day_sin": angle.sin(),
        "sx_minute_of_day_cos": angle.cos(),
        "sx_day_of_week": minute.dt.weekday().cast(pl.Float64) - 1,
    }
    return [e.alias(n) for n, e in out.items()]


def fourth_step() -> list[pl.Expr]:
    """What rests on a finished column; the day's quantile is exact here, over the rows of 24 h."""
    day, six_hours = 86_400, 21_600

    def share(name, p, above, w):
        limit = c(name).rolling_quantile(p, interpolation="linear", window_size=day, min_samples=six_hours)
        hit = (c(name) > limit) if above else (c(name) < limit)
        return hit.cast(pl.Float64).rolling_mean(w, min_samples=w * 4 // 5)

    return [
        over(c("realized_vol_60s"), c("realized_vol_1800s")).alias("vol_ratio_60s_1800s"),
        share("realized_vol_60s", 2 / 3, True, 1800).alias("regime_fraction_high_vol_1800s"),
        share("realized_vol_60s", 1 / 3, False, 1800).alias("regime_fraction_low_vol_1800s"),
        share("spread_bps", 0.75, True, 300).alias("regime_fraction_wide_spread_300s"),
    ]


def original(snapshots: pl.DataFrame, tick: float = 0.1) -> pl.DataFrame:
    """The 197 names in order, null where the method has no input for them."""
    frame = snapshots.lazy().with_columns(first_step()).with_columns(second_step(tick))
    frame = frame.with_columns(third_step()).with_columns(fourth_step())
    have = frame.collect_schema().names()
    missing = [pl.lit(None, dtype=pl.Float64).alias(n) for n in NAMES if n not in have]
    return frame.with_columns(missing).select("ts", *NAMES).collect()


def synthetic(rows: int, seed: int = 1) -> pl.DataFrame:
    """A random-walk book of 20 levels a side, one snapshot a second."""
    rng = np.random.default_rng(seed)
    mid = np.round(50_000 * np.exp(np.cumsum(rng.normal(0, 2e-5, rows))), 1)
    data = {"ts": (np.arange(rows) + 1_700_000_000) * 1_000_000_000}
    for side, sign in (("bid", -1), ("ask", 1)):
        steps = 0.1 * np.cumsum(rng.integers(1, 6, (rows, LEVELS)), axis=1)
        data |= {f"{side}_price_L{k}": mid + sign * steps[:, k] for k in range(LEVELS)}
        sizes = np.round(rng.gamma(1.0, 2.0, (rows, LEVELS)), 3) + 0.001
        data |= {f"{side}_size_L{k}": sizes[:, k] for k in range(LEVELS)}
    return pl.DataFrame(data)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    snapshots = synthetic(rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    out = original(snapshots)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    empty = sum(out[n].null_count() == rows for n in NAMES)
    print(
        json.dumps(
            {
                "tool": f"polars {pl.__version__}",
                "rows": rows,
                "threads": pl.thread_pool_size(),
                "rows_per_s": round(rows / wall),
                "rows_per_cpu_s": round(rows / cpu),
                "peak_rss_mib": round(peak / 1024, 1),
                "rss_before_mib": round(before / 1024, 1),
                "columns": len(out.columns) - 1,
                "columns_without_input": empty,
            }
        )
    )


if __name__ == "__main__":
    main()
