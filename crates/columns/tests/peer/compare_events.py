"""Rows of Rust against the peer's, from the events that both were given.

    python compare_events.py DIR

DIR holds `events.txt` (as `events.py`, but the first line is `L <tick or ->`, `H <from> <known>` also begins the listening, and a gap
ends with the next state), `rows.csv` with `ts` and the 197 columns, and `beside.json` with the optional inputs of `columns`. Exit code 1
on any difference beyond 1e-9.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from columns_peer import NAMES, columns
from compare import compare

LEVELS = 20
SIDES = ("bid", "ask")


def levels(text: str):
    """Prices and sizes of one side."""
    if text == "-":
        return [], []
    pairs = [pair.split(":") for pair in text.split(",")]
    return [float(p) for p, _ in pairs], [float(q) for _, q in pairs]


def state(words, gap: bool) -> dict:
    """A state of the book as a row of the peer's table."""
    row = {"ts": int(words[1]), "known_ts": int(words[2]), "updates": int(words[3]), "gap": gap}
    for side, text in zip(SIDES, words[4:6]):
        prices, sizes = levels(text)
        row |= {f"deep_{side}_price": prices, f"deep_{side}_size": sizes}
        for k in range(LEVELS):
            row[f"{side}_price_L{k}"] = prices[k] if k < len(prices) else None
            row[f"{side}_size_L{k}"] = sizes[k] if k < len(sizes) else None
    return row


def read(path: Path):
    """States, trades and the facts of `columns`."""
    states, trades, book_gaps, trade_gaps = [], [], [], []
    tick, since, lost = None, None, {"Book": None, "Trades": None}
    for line in path.read_text().splitlines():
        words = line.split(" ")
        if words[0] == "L":
            tick = None if words[1] == "-" else float(words[1])
        elif words[0] == "H":
            since = int(words[1]) if since is None else since
            if lost["Trades"] is not None:
                trade_gaps.append((lost["Trades"], int(words[1])))
                lost["Trades"] = None
        elif words[0] == "G":
            lost[words[1]] = int(words[2]) if lost[words[1]] is None else lost[words[1]]
        elif words[0] == "B":
            if lost["Book"] is not None:
                book_gaps.append((lost["Book"], int(words[1])))
            states.append(state(words, not states or lost["Book"] is not None))
            lost["Book"] = None
        else:
            ts, known, price, size, buy = words[1:]
            trades.append((int(ts), int(known), float(price), float(size), buy == "1", False))
    book_gaps += [(lost["Book"], None)] if lost["Book"] is not None else []
    trade_gaps += [(lost["Trades"], None)] if lost["Trades"] is not None and since is not None else []
    number = {f"{s}_{w}_L{k}": pl.Float64 for s in SIDES for w in ("price", "size") for k in range(LEVELS)}
    deep = {f"deep_{s}_{w}": pl.List(pl.Float64) for s in SIDES for w in ("price", "size")}
    schema = {"ts": pl.Int64, "known_ts": pl.Int64, "updates": pl.Int64, "gap": pl.Boolean} | deep | number
    table = {"ts": pl.Int64, "known_ts": pl.Int64, "price": pl.Float64, "size": pl.Float64}
    table |= {"is_buy": pl.Boolean, "gap": pl.Boolean}
    tape = pl.DataFrame(trades, schema=table, orient="row")
    facts = {"listening_since": since, "tick": tick, "book_gaps": book_gaps, "trade_gaps": trade_gaps}
    return pl.DataFrame(states, schema=schema), tape, facts


def main() -> int:
    folder = Path(sys.argv[1])
    states, trades, facts = read(folder / "events.txt")
    ours = pl.read_csv(folder / "rows.csv", schema={"ts": pl.Int64} | {n: pl.Float64 for n in NAMES})
    beside = json.loads((folder / "beside.json").read_text())
    series = {name: dict(map(tuple, beside[name])) for name in ("reference_mid",)}
    for name in ("other_mids", "other_quote_volume"):
        series[name] = {venue: dict(map(tuple, pairs)) for venue, pairs in beside[name].items()}
    as_of = {name: [tuple(item) for item in items] for name, items in beside["as_of"].items()}
    peer = columns(states, trades, ours["ts"] // 1_000_000_000, as_of=as_of, **series, **facts)
    table, schema, told = compare(ours, peer)
    for row in table:
        print(dict(zip(schema, row)))
    defined = sum(ours[n].null_count() < len(ours) for n in NAMES)
    print(f"{told['rows']} rows, {told['compared']} values, {defined} columns with values, {len(table)} columns differ")
    return 1 if table or told["rows"] < len(ours) or told["missing_columns"] else 0


if __name__ == "__main__":
    sys.exit(main())
