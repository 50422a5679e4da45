"""VPIN over days: its buckets are a fiftieth of the day before, so that hours say nothing of it.

    python vpin_days.py DIR SEED      writes events.txt and the peer's vpin.parquet; prints FIRST..LAST and the step of its seconds
    python vpin_days.py DIR           compares rows.csv (ts, vpin); prints the rows that have a value on both sides; exit code 1 on a difference

Seven UTC days of a slow tape: a quiet one, one that trades three times as much, one with a gap at noon, the day after it, whose buckets
nobody knows, one that trades three times as much again, and a gap over midnight.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

import events
from trade_columns import DAY, Trades, vpin
from windows import SECOND, Gaps, Grid

LATENESS = SECOND // 5
FIRST_DAY = 20_517
DAYS = 7
PER_MINUTE = 3.0
STEP = 15


def tape(seed: int):
    """Trades, when they began to be heard, and gaps of them."""
    rng = np.random.default_rng(seed)
    midnight = FIRST_DAY * DAY
    since = midnight - 40 * SECOND
    gaps = [
        (midnight + 3 * DAY + DAY // 2, midnight + 3 * DAY + DAY // 2 + 180 * SECOND),
        (midnight + 6 * DAY - 30 * SECOND, midnight + 6 * DAY + 45 * SECOND),
    ]
    ts = np.sort(rng.integers(since, midnight + DAYS * DAY, int(PER_MINUTE * 1_440 * DAYS)))
    # Some together, and some on the second and on midnight itself.
    ts = np.sort(np.where(rng.random(len(ts)) < 0.05, np.roll(ts, 1), ts))
    ts = np.where(rng.random(len(ts)) < 0.05, ts // SECOND * SECOND, ts)
    ts = np.sort(np.concatenate([np.maximum(ts, since), [midnight + DAY, midnight + 2 * DAY]]))
    known = np.maximum.accumulate(ts + rng.integers(1_000_000, 600_000_000, len(ts)))
    busy = np.where(np.isin(ts // DAY - FIRST_DAY, [2, 5]), 3.0, 1.0)
    size = np.round(busy * rng.gamma(0.5, 0.4, len(ts)), 3) + 0.001
    # A few that fill several buckets at once.
    size = np.where(rng.random(len(ts)) < 0.001, size + 300.0, size)
    drift = np.sin(np.arange(len(ts)) / 300.0)
    buy = rng.random(len(ts)) < 0.5 + 0.3 * drift
    heard = ~Gaps(gaps).covers(ts)
    first = np.zeros(len(ts), dtype=bool)
    for _, until in gaps:
        first[np.flatnonzero(heard & (ts >= until))[0]] = True
    frame = pl.DataFrame(
        {"ts": ts, "known_ts": known, "price": np.full(len(ts), 100.0), "size": size, "is_buy": buy, "gap": first}
    )
    return frame.filter(pl.Series(heard)), since, gaps


def write(folder: Path, seed: int) -> None:
    trades, since, gaps = tape(seed)
    first, last = since // SECOND + 1, (FIRST_DAY + DAYS) * 86_400
    grid = Grid(first - 1, last)
    values = vpin(Trades(trades, grid, Gaps(gaps), since, LATENESS), {})
    rows = pl.DataFrame({"ts": grid.t, "vpin": values}).filter((pl.col("ts") // SECOND - first) % STEP == 0)
    rows.filter(pl.col("ts") >= first * SECOND).with_columns(pl.col("vpin").fill_nan(None)).write_parquet(
        folder / "vpin.parquet"
    )
    book = {"ts": [since], "known_ts": [since + 1], "updates": [1]}
    book |= {f"deep_{s}_{w}": [[v]] for s, p in (("bid", 99.0), ("ask", 101.0)) for w, v in (("price", p), ("size", 1.0))}
    lines = events.lines(pl.DataFrame(book), trades, listening_since=since, tick=0.1, trade_gaps=gaps)
    (folder / "events.txt").write_text("\n".join(lines) + "\n")
    print(f"{first}..{last} {STEP}")


def compare(folder: Path) -> int:
    ours = pl.read_csv(folder / "rows.csv", schema={"ts": pl.Int64, "vpin": pl.Float64})
    both = ours.join(pl.read_parquet(folder / "vpin.parquet"), on="ts", how="full", suffix="_peer")
    a, b = pl.col("vpin"), pl.col("vpin_peer")
    differs = (a.is_null() != b.is_null()) | pl.col("ts").is_null() | pl.col("ts_peer").is_null()
    wrong = both.filter(differs | ((a - b).abs() > 1e-9 * pl.max_horizontal(b.abs(), 1e-3)).fill_null(False))
    if len(wrong):
        print(len(wrong), "rows differ", wrong.sort("ts").head(20), file=sys.stderr)
    by_day = both.filter(a.is_not_null()).group_by(pl.col("ts") // DAY - FIRST_DAY).len().sort("ts")
    print(" ".join(f"{day}:{n}" for day, n in by_day.iter_rows()))
    return 1 if len(wrong) else 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        write(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        sys.exit(compare(Path(sys.argv[1])))
