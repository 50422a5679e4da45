"""Writes states, trades and gaps as lines in order of receipt, for `crates/columns/tests/peer_rows.rs` to feed to Rust.

    L <listening since> <tick>      G <book|trades> <from> <known>      H <until> <known>  (trades are heard again)
    B <ts> <known> <updates> <bids p:q,p:q,…> <asks>                    T <ts> <known> <price> <size> <0|1 buy>

Levels are the whole book where it was kept, else the best twenty: the same that the peer sees.
"""

from __future__ import annotations

import polars as pl

LEVELS = 20


def lines(states: pl.DataFrame, trades: pl.DataFrame, *, listening_since, tick, book_gaps=(), trade_gaps=()):
    """All lines. Gaps are (from, until); one is known `delay` after it began, as if told at the pace of the stream."""
    delay = int((states["known_ts"] - states["ts"]).median()) if len(states) else 0
    out = []
    for side_of, gaps in (("book", book_gaps), ("trades", trade_gaps)):
        for start, end in gaps:
            out.append((start + delay, 0, f"G {side_of} {start} {start + delay}"))
            if side_of == "trades" and end is not None:
                out.append((end + delay, 0, f"H {end} {end + delay}"))
    for i, row in enumerate(states.iter_rows(named=True)):
        sides = " ".join(_side(row, side) for side in ("bid", "ask"))
        out.append((row["known_ts"], 2, f"B {row['ts']} {row['known_ts']} {row['updates']} {sides}"))
    for row in trades.iter_rows(named=True):
        text = f"T {row['ts']} {row['known_ts']} {row['price']!r} {row['size']!r} {int(row['is_buy'])}"
        out.append((row["known_ts"], 1, text))
    out.sort(key=lambda item: item[:2])
    return [f"L {listening_since} {tick!r}", *(text for _, _, text in out)]


def _side(row, side: str) -> str:
    prices, sizes = row.get(f"deep_{side}_price"), row.get(f"deep_{side}_size")
    if prices is None:
        prices = [row[f"{side}_price_L{k}"] for k in range(LEVELS)]
        sizes = [row[f"{side}_size_L{k}"] for k in range(LEVELS)]
    return ",".join(f"{p!r}:{q!r}" for p, q in zip(prices, sizes) if p is not None) or "-"
