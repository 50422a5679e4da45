"""Writes the events of a folder of `recordings.py` or `synthetic_market.py` for Rust and prints its seconds FIRST..LAST.

    python dump_events.py DIR
"""

import json
import sys
from pathlib import Path

import polars as pl

import events

folder = Path(sys.argv[1])
facts = json.loads((folder / "facts.json").read_text())
states, trades = pl.read_parquet(folder / "states.parquet"), pl.read_parquet(folder / "trades.parquet")
(folder / "events.txt").write_text("\n".join(events.lines(states, trades, **facts)) + "\n")
seconds = pl.read_parquet(folder / "peer.parquet")["ts"] // 1_000_000_000
print(f"{seconds.min()}..{seconds.max()}")
