"""Binance USD-M recordings of hftbacktest as neutral book states and trades, decoded without any of our Rust.

    python recordings.py OUT_DIR FILE.gz [FILE.gz …]       several files = one recording, in this order

Lines are `<receive ns> <JSON>`: combined-stream frames and the REST snapshot (`lastUpdateId`) inside the same file.
Book: the venue's procedure (binance_usdm §5): buffer until the snapshot, drop u < lastUpdateId, the first
applied update must satisfy U ≤ lastUpdateId ≤ u, afterwards pu must equal the previous u; otherwise the book is dropped
and a gap is declared from that update's time until the next snapshot that fits.
Clock: `ts` is the venue's event time E, in ns; `--clock T` takes its transaction time T instead (E − T is 2.6 ms on
average in the recording of 2024-08-08). `known_ts` is the receive time; for updates held back until the snapshot, the
snapshot's. In these files the receive clock runs more than a second behind the venue's.
The snapshot is a state of its own with `updates` 0 and `gap` true. `updates` counts the level entries of one frame.
Trades not made in the market (`X` other than MARKET: insurance fund, ADL) are no trades. bookTicker is not used.
"""

from __future__ import annotations

import argparse
import bisect
import gzip
import json
from pathlib import Path

import polars as pl

from windows import LATENESS, SECOND, ceil_div

LEVELS = 20
MILLISECOND = 1_000_000


class Side:
    """One side of a book; prices kept best first by a sort key (negated for bids)."""

    def __init__(self, direction: int):
        self.direction = direction
        self.keys: list[float] = []
        self.sizes: dict[float, float] = {}

    def set(self, price: float, size: float):
        """Set a level to an absolute size; 0 removes it, also where there was none."""
        key = self.direction * price
        if size == 0:
            if self.sizes.pop(key, None) is not None:
                del self.keys[bisect.bisect_left(self.keys, key)]
        else:
            if key not in self.sizes:
                bisect.insort(self.keys, key)
            self.sizes[key] = size

    def top(self, n: int | None = None):
        """Prices and sizes of the best n levels, or of all."""
        keys = self.keys[:n]
        return [self.direction * k for k in keys], [self.sizes[k] for k in keys]


class Recording:
    """Decodes frames one by one and collects states, trades and gaps."""

    def __init__(self, clock: str = "E"):
        self.clock = clock
        self.states: list[list] = []
        self.deep: list[tuple | None] = []
        self.trades: list[tuple] = []
        self.gaps: list[list] = []
        self.first_ts = None
        self.waiting: list[tuple] = []
        self.bids = self.asks = self.last_u = None

    def line(self, text: str):
        """One line of the file."""
        received, frame = text.split(" ", 1)
        received, frame = int(received), json.loads(frame)
        data = frame.get("data", frame)
        if "lastUpdateId" in data:
            self.snapshot(received, data)
        elif data.get("e") == "depthUpdate":
            self.depth(received, data)
        elif data.get("e") == "trade" and data.get("X") == "MARKET":
            self.hear(data)
            self.trades.append((self.ts(data), received, float(data["p"]), float(data["q"]), not data["m"], False))

    def ts(self, data) -> int:
        """The venue's time of a frame in ns."""
        return data[self.clock] * MILLISECOND

    def hear(self, data):
        """Listening begins with the first frame that has a time."""
        self.first_ts = self.ts(data) if self.first_ts is None else self.first_ts

    def snapshot(self, received: int, data):
        """Step 2: replaces the book, unless one is already in step."""
        if self.last_u is not None:
            return
        self.bids, self.asks = Side(-1), Side(1)
        for side, name in ((self.bids, "bids"), (self.asks, "asks")):
            for price, size in data[name]:
                side.set(float(price), float(size))
        self.last_u, self.spliced = data["lastUpdateId"], False
        if self.gaps and self.gaps[-1][1] is None:
            self.gaps[-1][1] = self.ts(data)
        self.state(self.ts(data), received, 0, first=True)
        waiting, self.waiting = self.waiting, []
        for _, update in waiting:
            self.depth(received, update)

    def depth(self, received: int, data):
        """Steps 3 to 6."""
        self.hear(data)
        if self.last_u is None:
            self.waiting.append((received, data))
            return
        if not self.spliced:
            if data["u"] < self.last_u:
                return
            in_step = data["U"] <= self.last_u <= data["u"]
        else:
            in_step = data["pu"] == self.last_u
        if not in_step:
            self.last_u = None
            self.gaps.append([self.ts(data), None])
            self.waiting = [(received, data)]
            return
        self.keep_deep_before(self.ts(data), received)
        self.spliced, self.last_u = True, data["u"]
        for side, name in ((self.bids, "b"), (self.asks, "a")):
            for price, size in data[name]:
                side.set(float(price), float(size))
        self.state(self.ts(data), received, len(data["b"]) + len(data["a"]), first=False)

    def state(self, ts: int, received: int, updates: int, first: bool):
        row = [ts, received, updates, first]
        for side in (self.bids, self.asks):
            for values in side.top(LEVELS):
                row += values + [None] * (LEVELS - len(values))
        self.states.append(row)
        self.deep.append(None)

    def keep_deep_before(self, ts: int, received: int):
        """The whole book is kept for the states a row can see: the last one of each second."""
        if self.states and _entry(ts, received) != _entry(*self.states[-1][:2]):
            self.deep[-1] = (*self.bids.top(), *self.asks.top())

    def frames(self):
        """States, trades (Polars) and the facts beside them."""
        if self.bids is not None and self.states:
            self.deep[-1] = (*self.bids.top(), *self.asks.top())
        names = ["ts", "known_ts", "updates", "gap"]
        names += [f"{s}_{w}_L{k}" for s in ("bid", "ask") for w in ("price", "size") for k in range(LEVELS)]
        schema = dict(zip(names, [pl.Int64, pl.Int64, pl.Int64, pl.Boolean] + [pl.Float64] * 80))
        states = pl.DataFrame(self.states, schema=schema, orient="row")
        deep_names = ("deep_bid_price", "deep_bid_size", "deep_ask_price", "deep_ask_size")
        states = states.with_columns(
            pl.Series(name, [None if d is None else d[i] for d in self.deep], dtype=pl.List(pl.Float64))
            for i, name in enumerate(deep_names)
        )
        trade_schema = {"ts": pl.Int64, "known_ts": pl.Int64, "price": pl.Float64, "size": pl.Float64}
        trades = pl.DataFrame(
            self.trades, schema=trade_schema | {"is_buy": pl.Boolean, "gap": pl.Boolean}, orient="row"
        )
        return states, trades, {"listening_since": self.first_ts, "book_gaps": self.gaps, "trade_gaps": []}


def _entry(ts: int, received: int) -> int:
    return max(ceil_div(ts, SECOND), ceil_div(received - LATENESS, SECOND))


def read(paths, clock: str = "E"):
    """Decode the files as one recording: (states, trades, facts)."""
    recording = Recording(clock)
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for text in lines:
                recording.line(text)
    return recording.frames()


def whole_seconds(states: pl.DataFrame, trades: pl.DataFrame) -> range:
    """Seconds that closed within the recording: first to last event time."""
    ends = [f["ts"] for f in (states, trades) if len(f)]
    first, last = min(ts.min() for ts in ends), max(ts.max() for ts in ends)
    return range(-(-first // SECOND), last // SECOND + 1)


def main():
    from columns_peer import columns

    parser = argparse.ArgumentParser(description="decode a recording and compute the 197 columns")
    parser.add_argument("out", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--clock", choices=["E", "T"], default="E")
    parser.add_argument("--tick", type=float, default=0.1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    states, trades, facts = read(args.files, args.clock)
    rows = columns(states, trades, whole_seconds(states, trades), tick=args.tick, **facts)
    states.write_parquet(args.out / "states.parquet")
    trades.write_parquet(args.out / "trades.parquet")
    rows.write_parquet(args.out / "peer.parquet")
    (args.out / "facts.json").write_text(json.dumps(facts | {"tick": args.tick}))
    print(f"{len(states)} states, {len(trades)} trades, {len(facts['book_gaps'])} gaps, {len(rows)} rows")


if __name__ == "__main__":
    main()
