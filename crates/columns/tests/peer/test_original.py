"""The Polars script of the original's method against the peer, where both see the same: one state a second."""

import numpy as np
import polars as pl

from columns_peer import NAMES, columns
from polars_original import original, synthetic

ROWS = 2_000
# Shares against a quantile of 24 h have no value in so short a series.
NOT_ALIKE = {n for n in NAMES if n.startswith("regime_fraction")}


def test_the_script_agrees_with_the_peer_on_snapshots_a_second_apart():
    wide = synthetic(ROWS)
    want = original(wide)
    states = wide.with_columns(
        pl.col("ts").alias("known_ts"), pl.lit(1).alias("updates"), (pl.int_range(pl.len()) == 0).alias("gap")
    )
    schema = {"ts": pl.Int64, "known_ts": pl.Int64, "price": pl.Float64, "size": pl.Float64}
    trades = pl.DataFrame(schema=schema | {"is_buy": pl.Boolean, "gap": pl.Boolean})
    got = columns(
        states, trades, wide["ts"] // 1_000_000_000, listening_since=int(wide["ts"][0]), tick=0.1
    )
    compared = 0
    for name in NAMES:
        both = got[name].is_not_null() & want[name].is_not_null()
        if name in NOT_ALIKE or not both.any():
            continue
        np.testing.assert_allclose(want[name].filter(both), got[name].filter(both), rtol=1e-6, atol=1e-7, err_msg=name)
        compared += 1
    assert compared == 142
