"""Rows of Rust over a folder of `synthetic_market.py` against the peer's.

    python compare_rows.py DIR

DIR holds `rows.csv` with `ts` and the 197 columns, and `peer.parquet`. Prints what differs, then each column with the number of rows that
have a value of it on both sides. Exit code 1 on any difference beyond 1e-9.
"""

import sys
from pathlib import Path

import polars as pl

from columns_peer import NAMES
from compare import compare

folder = Path(sys.argv[1])
ours = pl.read_csv(folder / "rows.csv", schema={"ts": pl.Int64} | {n: pl.Float64 for n in NAMES})
peer = pl.read_parquet(folder / "peer.parquet")
table, schema, told = compare(ours, peer)
for row in table:
    print(dict(zip(schema, row)), file=sys.stderr)
for name in NAMES:
    print(name, len(ours) - ours[name].null_count())
sys.exit(1 if table or told["rows"] < len(ours) or told["only_second"] or told["missing_columns"] else 0)
