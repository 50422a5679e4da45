"""A market that does all that can go wrong: gaps, thin, crossed, one-sided and silent books, quiet tapes, odd clocks.

    python synthetic_market.py OUT_DIR SEED SECONDS [UPDATES_PER_SECOND]

Writes states, trades, facts and the peer's rows as `recordings.py` does. Nothing arrives later than 150 ms and each
stream keeps the order of its event times: a record that is too late for its row is another matter (see the report).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

from columns_peer import columns
from recordings import LEVELS
from windows import SECOND

START = 1_772_668_790  # Ten seconds before midnight UTC on 5 March 2026, so that VPIN can have its day before.
TICK = 0.1


def market(seed: int, seconds: int, rate: float = 2.0, start: int = START):
    """States, trades and facts. A quarter of the time is calm enough that long windows fill."""
    rng = np.random.default_rng(seed)
    began = start * SECOND + 314_159_265
    latency = int(rng.integers(-80, 120)) * 1_000_000

    def stamps(per_second):
        n = rng.poisson(per_second * seconds)
        ts = np.sort(rng.integers(began, (start + seconds) * SECOND, n))
        # Some on the second itself, some together.
        ts = np.where(rng.random(n) < 0.05, ts // SECOND * SECOND, ts)
        ts = np.where(rng.random(n) < 0.1, np.roll(ts, 1), ts)
        return np.sort(np.maximum(ts, began))

    def gaps(count, longest):
        out, free = [], began + 20 * SECOND
        # A long market breaks only in its last hour, so that the windows of hours and the day of VPIN fill.
        earliest = began if seconds < 7_200 else (start + seconds - 3_300) * SECOND
        for at in np.sort(rng.integers(earliest, (start + seconds) * SECOND, count)):
            if at > free:
                length = int(longest * SECOND * rng.random() ** 3)
                out.append((int(at), int(at) + length))
                free = at + length + 10 * SECOND
        return out

    outages = max(1, seconds // 150) if seconds < 3_600 else 2
    book_gaps, trade_gaps = gaps(outages, 30), gaps(outages, 12)
    silences = gaps(outages, 14)
    inside = lambda ts, spans: any(a <= ts < b for a, b in spans)

    rows, price, next_gap, fresh = [], 50_000.0, 0, True
    kept_gaps = []
    for ts in stamps(rate).tolist():
        if inside(ts, book_gaps) or inside(ts, silences):
            continue
        while next_gap < len(book_gaps) and book_gaps[next_gap][1] <= ts:
            # A gap ends with the first state after it.
            kept_gaps.append((book_gaps[next_gap][0], ts))
            next_gap, fresh = next_gap + 1, True
        price *= 1 + 2e-5 * rng.normal()
        centre = np.round(price, 1)
        crossed = rng.random() < 0.01
        row = [ts, ts + latency + int(rng.integers(0, 20_000_000)), int(rng.integers(1, 9)), fresh]
        for sign in (-1, 1):
            levels = LEVELS if rng.random() < 0.98 else int(rng.integers(0, 12))
            steps = np.cumsum(rng.integers(1, 8 if levels == LEVELS else 40, levels)) * TICK
            levels_price = np.round(centre + sign * (steps - (1.5 if crossed else 0.0)), 1)
            sizes = np.round(rng.gamma(1.0, 2.0, levels), 3) + 0.001
            empty = [None] * (LEVELS - levels)
            row += [*levels_price.tolist(), *empty, *sizes.tolist(), *empty]
        fresh = False
        rows.append(row)
    kept_gaps += [(a, None) for a, _ in book_gaps[next_gap:]]

    trades, first = [], False
    for ts in stamps(rate * 0.6).tolist():
        if inside(ts, trade_gaps):
            first = True
            continue
        side = bool(rng.random() < 0.5)
        at = np.round(price + (1 if side else -1) * 0.1 * rng.integers(1, 9), 1)
        # The second day trades sixty times the first, so that fifty buckets fill in half an hour.
        busy = 60.0 if ts >= (start + 10 + 86_400) * SECOND else 1.0
        size = round(busy * float(rng.gamma(0.5, 0.4)) + 0.001, 3)
        first |= bool(trades) and any(trades[-1][0] < a <= ts for a, _ in trade_gaps)
        trades.append((ts, ts + latency + int(rng.integers(0, 20_000_000)), float(at), size, side, first))
        first = False

    names = ["ts", "known_ts", "updates", "gap"]
    names += [f"{s}_{w}_L{k}" for s in ("bid", "ask") for w in ("price", "size") for k in range(LEVELS)]
    schema = dict(zip(names, [pl.Int64, pl.Int64, pl.Int64, pl.Boolean] + [pl.Float64] * 80))
    states = in_receipt_order(pl.DataFrame(rows, schema=schema, orient="row"))
    trade_schema = {"ts": pl.Int64, "known_ts": pl.Int64, "price": pl.Float64, "size": pl.Float64}
    tape = pl.DataFrame(trades, schema=trade_schema | {"is_buy": pl.Boolean, "gap": pl.Boolean}, orient="row")
    facts = {"listening_since": began, "book_gaps": kept_gaps, "trade_gaps": trade_gaps}
    return states, in_receipt_order(tape), facts


def in_receipt_order(frame: pl.DataFrame) -> pl.DataFrame:
    """A stream delivers in order: nothing is received before what came earlier on it."""
    return frame.with_columns(pl.col("known_ts").cum_max())


def main():
    out, seed, seconds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rate = float(sys.argv[4]) if len(sys.argv) > 4 else 2.0
    out.mkdir(parents=True, exist_ok=True)
    states, trades, facts = market(seed, seconds, rate)
    rows = columns(states, trades, range(START + 1, START + seconds), tick=TICK, **facts)
    states.write_parquet(out / "states.parquet")
    trades.write_parquet(out / "trades.parquet")
    rows.write_parquet(out / "peer.parquet")
    (out / "facts.json").write_text(json.dumps(facts | {"tick": TICK}))
    print(f"seed {seed}: {len(states)} states, {len(trades)} trades, {len(rows)} rows")


if __name__ == "__main__":
    main()
