"""Compares two tables of research columns, column by column and null by null.

    python compare.py LAKE_SILVER.parquet PEER.parquet [--rel 1e-9] [--abs 1e-12]

Rows are joined on `ts` (integer nanoseconds or any Polars datetime). A value agrees when it is null on both sides, or
|a − b| ≤ max(abs, rel·max(|a|, |b|)). Two columns are the distance of a mean price from the mid and have
an absolute tolerance of 2e-11 bps: the ratio is near 1 and rounded by 1.1e-16, so that a distance of 1e-3 bps has no
ninth digit in f64 whoever sums the mean. Prints one line for each column that differs, with the first differing second.
Exit code 1 on any difference, also when a row or a column is missing on one side; 2 when there is nothing to compare.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import polars as pl

from columns_peer import NAMES


# 1e4 bps × 2⁻⁵² × about 9 roundings on either side.
RATIO_ABS = 2e-11
RATIO_COLUMNS = ("tf_vwap_dev_30s_bps", "tf_vwap_dev_300s_bps")


def nanoseconds(frame: pl.DataFrame) -> pl.DataFrame:
    """`ts` as integer nanoseconds, rows in its order."""
    if frame["ts"].dtype.is_temporal():
        frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("ns")).cast(pl.Int64))
    return frame.sort("ts")


def differences(a: pl.Series, b: pl.Series, rel: float, abs_: float):
    """Positions where the two columns disagree: (null pattern, value)."""
    x = a.cast(pl.Float64).to_numpy().astype(float)
    y = b.cast(pl.Float64).to_numpy().astype(float)
    null_a, null_b = a.is_null().to_numpy(), b.is_null().to_numpy()
    both = ~null_a & ~null_b
    with np.errstate(invalid="ignore"):
        close = np.abs(x - y) <= np.maximum(abs_, rel * np.maximum(np.abs(x), np.abs(y)))
    return null_a != null_b, both & ~close


def compare(ours: pl.DataFrame, peer: pl.DataFrame, rel: float = 1e-9, abs_: float = 1e-12):
    """(mismatch table, facts). The table has one row per column that differs."""
    ours, peer = nanoseconds(ours), nanoseconds(peer)
    common = ours.select("ts").join(peer.select("ts"), on="ts", how="inner")
    facts = {
        "rows": len(common),
        "only_first": len(ours) - len(common),
        "only_second": len(peer) - len(common),
        "missing_columns": [n for n in NAMES if n not in ours.columns or n not in peer.columns],
        "compared": 0,
    }
    a, b = common.join(ours, on="ts", how="left"), common.join(peer, on="ts", how="left")
    table = []
    for name in NAMES:
        if name in facts["missing_columns"]:
            continue
        nulls, values = differences(a[name], b[name], rel, max(abs_, RATIO_ABS if name in RATIO_COLUMNS else 0.0))
        facts["compared"] += int((~a[name].is_null() & ~b[name].is_null()).sum())
        if nulls.any() or values.any():
            first = int(np.flatnonzero(nulls | values)[0])
            second = common["ts"][first] // 1_000_000_000
            table.append((name, int(nulls.sum()), int(values.sum()), second, a[name][first], b[name][first]))
    schema = ["column", "null_differs", "value_differs", "first_second", "first_table", "second_table"]
    return table, schema, facts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--rel", type=float, default=1e-9)
    parser.add_argument("--abs", type=float, default=1e-12, dest="abs_")
    args = parser.parse_args()
    table, schema, facts = compare(pl.read_parquet(args.first), pl.read_parquet(args.second), args.rel, args.abs_)
    if facts["rows"] == 0:
        print("no common rows")
        return 2
    if table:
        print(f"{schema[0]:34} {schema[1]:>12} {schema[2]:>13} {schema[3]:>12} {schema[4]:>22} {schema[5]:>22}")
        for name, nulls, values, second, x, y in table:
            print(f"{name:34} {nulls:12} {values:13} {second:12} {x!s:>22} {y!s:>22}")
    print(f"{facts['rows']} rows, {facts['compared']} values on both sides, {len(table)} columns differ")
    for key in ("only_first", "only_second", "missing_columns"):
        if facts[key]:
            print(f"{key}: {facts[key]}")
    clean = not table and not any(facts[k] for k in ("only_first", "only_second", "missing_columns"))
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
