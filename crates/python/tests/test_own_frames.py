"""`barograph.features` over frames of one's own: the same numbers as the program's data set, and clear answers to frames that cannot be meant."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import barograph
from barograph import lab
from test_lab import MARKET, RECORDING

# A lake has 20 levels a side: what looks further down is not the same from it as from the recording.
DEEP = {"bid_depth_10bps", "ask_depth_10bps", "imbalance_10bps", "sweep_cost_buy_bps", "sweep_cost_sell_bps"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    lab.record(MARKET, [RECORDING], folder)
    return folder


@pytest.fixture(scope="module")
def books(lake):
    return lab.read_order_book(lake, MARKET).to_polars()


@pytest.fixture(scope="module")
def trades(lake):
    return lab.read_trades(lake, MARKET).to_polars()


def test_own_snapshots_give_the_rows_of_the_data_set(lake, books, trades):
    ours = barograph.features(books, trades).to_polars()
    theirs = lab.read_features(lake, MARKET).to_polars()
    both = ours.join(theirs.select("ts"), on="ts", how="semi"), theirs.join(ours.select("ts"), on="ts", how="semi")
    assert both[0].height > 170 and ours.columns == theirs.columns and ours.schema == theirs.schema
    differ = [c for c in ours.columns if c not in DEEP | {"reason_mask"} and not both[0][c].equals(both[1][c])]
    assert differ == [], differ


def test_every_kind_of_frame_gives_the_same(books, trades):
    want = barograph.features(books, trades).to_polars()
    pandas = books.to_pandas()
    mapping = {name: (pandas[name].dt.tz_convert(None) if name in ("ts", "known_ts") else pandas[name]).to_numpy() for name in pandas.columns}
    for frame in (pandas, books.to_arrow(), books.lazy(), mapping, pandas.set_index("ts")):
        assert barograph.features(frame, trades).to_polars().equals(want), type(frame)
    tardis = books.rename(
        {f"{side}_{ours}_L{k}": f"{side}s[{k}].{theirs}" for side in ("bid", "ask") for ours, theirs in (("price", "price"), ("size", "amount")) for k in range(20)}
    )
    assert barograph.features(tardis, trades).to_polars().equals(want)
    words = trades.with_columns(side=pl.when("is_buy").then(pl.lit("Buy")).otherwise(pl.lit("sell"))).drop("is_buy")
    assert barograph.features(books, words).to_polars().equals(want)


def test_a_column_by_hand():
    seconds = 40
    ts = [1_700_000_000_500 + 1_000 * n for n in range(seconds)]
    bid = [100.0 + 0.1 * (n % 4) for n in range(seconds)]
    frame = pd.DataFrame({"ts": ts, "bid_price_L0": bid, "bid_size_L0": 2.0, "ask_price_L0": [b + 0.2 for b in bid], "ask_size_L0": 1.0})
    frame["ts"] = pd.to_datetime(frame["ts"], unit="ms", utc=True)
    rows = barograph.features(frame, tick=0.1).to_polars()
    assert rows.height == seconds - 1
    assert rows["mid_price"].to_list() == pytest.approx([b + 0.1 for b in bid[:-1]])
    assert rows["imbalance_L1"].to_list() == pytest.approx([1 / 3] * (seconds - 1))
    assert rows["spread_ticks"].to_list() == pytest.approx([2.0] * (seconds - 1))
    assert rows["bid_price_L1"].null_count() == seconds - 1 and rows["tf_volume_1s"].null_count() == seconds - 1
    # A minute without a state is a gap, and its rows say so.
    late = pd.concat([frame.iloc[:20], frame.iloc[20:].assign(ts=frame["ts"].iloc[20:] + pd.Timedelta("70s"))])
    rows = barograph.features(late).to_polars()
    assert rows["row_valid"].sum() < rows.height and rows.filter(~pl.col("row_valid"))["mid_price"].null_count() > 60


def level(**changes):
    frame = {"ts": [1_700_000_000_000, 1_700_000_001_000], "bid_price_L0": [1.0, 1.0], "bid_size_L0": [1.0, 1.0], "ask_price_L0": [2.0, 2.0], "ask_size_L0": [1.0, 1.0]}
    frame.update(changes)
    return pa.table({name: column for name, column in frame.items() if column is not None})


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (level(ts=None), "no time: the frame has bid_price_L0, .*; give a column ts"),
        (level(ask_price_L0=None, ask_size_L0=None), "no column 'ask_price_L0' and 'ask_size_L0': the frame has ts"),
        (level(ask_size_L0=None), "'ask_price_L0' is there without 'ask_size_L0'"),
        (level(ts=[1_700_000_001_000, 1_700_000_000_000]), "'ts' steps back in row 1: sort the rows"),
        (level(bid_price_L0=["1", "2"]), "column 'bid_price_L0' is Utf8: give numbers"),
        (level(ts=["a", "b"]), "column 'ts' is Utf8: give stamps"),
        (level(ts=[None, 1]), "has a row without a stamp"),
        (level(bid_price_L0=[3.0, 3.0]), "none of the 2 states of the book has both sides"),
        (level(bid_price_L1=[1.5, 1.5], bid_size_L1=[1.0, 1.0]), "row 0 of the book: levels are not in order, from the best price outwards"),
        (pd.DataFrame(), "no column 'bid_price_L0'"),
        ("books.csv", "snapshots must be a Polars or pandas frame"),
    ],
)
def test_a_frame_that_cannot_be_meant_is_named(frame, why):
    with pytest.raises(barograph.FrameError, match=why):
        barograph.features(frame)


@pytest.mark.parametrize(
    ("trades", "why"),
    [
        ({"ts": [1_700_000_000_000], "price": [1.0], "size": [1.0]}, "no column 'is_buy' or 'side'"),
        ({"ts": [1_700_000_000_000], "price": [1.0], "size": [1.0], "side": ["up"]}, "side of trade 0 is up: give buy or sell"),
        ({"ts": [1_700_000_000_000], "price": [0.0], "size": [1.0], "is_buy": [True]}, "price of trade 0 is 0: it must be a number above zero"),
        ({"ts": [1_700_000_000_000], "size": [1.0], "is_buy": [True]}, "trades have no column 'price'"),
        ({"ts": [2, 1], "price": [1.0, 1.0], "size": [1.0, 1.0], "is_buy": [True, False]}, "steps back in row 1"),
    ],
)
def test_trades_that_cannot_be_meant_are_named(trades, why):
    with pytest.raises(barograph.FrameError, match=why):
        barograph.features(level(), pa.table(trades))


def test_later_rows_change_no_earlier_one(books, trades):
    want = barograph.features(books, trades).to_polars()
    for cut in np.linspace(500, books.height - 1, 5).astype(int):
        until = books["known_ts"][int(cut)]
        some = barograph.features(books[: int(cut)], trades.filter(pl.col("known_ts") <= until)).to_polars()
        assert some.equals(want[: some.height]), cut
