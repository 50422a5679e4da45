"""Writes states, trades and gaps as lines in order of receipt, for `crates/columns/tests/peer_rows.rs` to feed to Rust.

    L <listening since> <tick>      G <book|trades> <from> <known>      H <until> <known>  (trades are heard again)
    B <ts> <known> <updates> <bids p:q,p:q,…> <asks>                    T <ts> <known> <price> <size> <0|1 buy>

Levels are the whole book where it was kept, else the best twenty: the same that the peer sees.
"""

from __future__ import annotations

import heapq

import polars as pl

LEVELS = 20


def lines(states: pl.DataFrame, trades: pl.DataFrame, *, listening_since, tick, book_gaps=(), trade_gaps=()):
    """All lines. Gaps are (from, until) in event time, told at the pace of the stream and in its order."""
    delay = int((states["known_ts"] - states["ts"]).median()) if len(states) else 0
    tape = [
        (row["ts"], row["known_ts"], f"T {row['ts']} {row['known_ts']} {row['price']!r} {row['size']!r} {int(row['is_buy'])}")
        for row in trades.iter_rows(named=True)
    ]
    book = [
        (row["ts"], row["known_ts"], f"B {row['ts']} {row['known_ts']} {row['updates']} {_sides(row)}")
        for row in states.iter_rows(named=True)
    ]
    ends = [("H {at} {known}", end) for _, end in trade_gaps if end is not None]
    tape = _told(tape, [("G trades {at} {known}", start) for start, _ in trade_gaps] + ends, delay)
    book = _told(book, [("G book {at} {known}", start) for start, _ in book_gaps], delay)
    # A trade and a state received at once: the mid before the trade is the older one.
    merged = heapq.merge(tape, book, key=lambda item: item[0])
    return [f"L {listening_since} {tick!r}", *(text for _, text in merged)]


def _told(records, notices, delay: int):
    """Records of one stream in their order, with notices before the first record that is not earlier in event time."""
    out, place, last = [], 0, None
    for text, at in sorted(notices, key=lambda n: n[1]):
        while place < len(records) and records[place][0] < at:
            last = records[place][1]
            out.append(records[place][1:])
            place += 1
        known = at + delay if last is None else max(at + delay, last)
        known = min(known, records[place][1]) if place < len(records) else known
        last = known
        out.append((known, text.format(at=at, known=known)))
    return out + [record[1:] for record in records[place:]]


def _sides(row) -> str:
    return " ".join(_side(row, side) for side in ("bid", "ask"))


def _side(row, side: str) -> str:
    prices, sizes = row.get(f"deep_{side}_price"), row.get(f"deep_{side}_size")
    if prices is None:
        prices = [row[f"{side}_price_L{k}"] for k in range(LEVELS)]
        sizes = [row[f"{side}_size_L{k}"] for k in range(LEVELS)]
    return ",".join(f"{p!r}:{q!r}" for p, q in zip(prices, sizes) if p is not None) or "-"
