"""The peer against the golden vectors of features §7, which were computed by a third party (see their README)."""

import math

import numpy as np
import polars as pl
import pytest

from book_columns import Book, ofi_contributions, structural
from columns_peer import NAMES
from conftest import GOLDEN
from trade_columns import Trades, amihud, fill_buckets, kyle_lambda, sequence_columns, spreads, toxicity, trade_rows, vpin
from windows import SECOND, Gaps, Grid

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="golden vectors are not here")
DAY_ONE = 86_400


def golden(name):
    return pl.read_csv(GOLDEN / f"{name}.csv", infer_schema_length=None)


def check(got, want, tolerance):
    """An empty cell must be undefined; a number must agree."""
    if want is None:
        assert got is None or math.isnan(got)
    else:
        assert got == pytest.approx(want, rel=tolerance, abs=1e-12)


def empty_book(grid, started=0):
    levels = {f"{s}_{w}_L{k}": pl.Float64 for s in ("bid", "ask") for w in ("price", "size") for k in range(20)}
    schema = {"ts": pl.Int64, "known_ts": pl.Int64, "updates": pl.Int64, "gap": pl.Boolean} | levels
    book = Book(pl.DataFrame(schema=schema), grid, Gaps(), None)
    book.started = lambda: started
    book.valid = lambda index, instant: np.ones(np.shape(index), bool)
    return book


def tape(grid, ts, price, size, buy, since=DAY_ONE * SECOND):
    frame = pl.DataFrame(
        {"ts": ts, "known_ts": ts, "price": price, "size": size, "is_buy": buy, "gap": [False] * len(ts)}
    )
    return Trades(frame, grid, Gaps(), since, None)


@pytest.mark.parametrize("book", range(4))
def test_structure_of_a_book(book):
    levels = golden("book_input").filter(pl.col("book") == book).sort("level")
    bid_p, bid_q, ask_p, ask_q = (
        levels[c].to_numpy().astype(float) for c in ("bid_price", "bid_size", "ask_price", "ask_size")
    )
    want = dict(golden("book_expected").filter(pl.col("book") == book).select("feature", "value").iter_rows())
    got = structural(bid_p, bid_q, ask_p, ask_q, (bid_p, bid_q), (ask_p, ask_q), want.pop("tick"))
    assert set(want) == set(got) == set(NAMES[80:109])
    for feature, value in want.items():
        check(got[feature], value, 1e-9)


def test_order_flow_imbalance():
    g = golden("ofi")
    bp, bq, ap, aq = (
        np.column_stack([g[f"{side}{k}"].to_numpy().astype(float) for k in range(3)]) for side in ("bp", "bq", "ap", "aq")
    )
    e = ofi_contributions(bp, bq, ap, aq)
    for k in range(3):
        np.testing.assert_allclose(e[:, k], g[f"e{k}"].to_numpy()[1:], rtol=1e-10, atol=1e-12)
    weighted = e @ np.exp(-np.arange(3) / 2)
    np.testing.assert_allclose(weighted, g["mlofi3_event"].to_numpy()[1:], rtol=1e-10, atol=1e-12)
    rolling = np.convolve(e[:, 0], np.ones(10), mode="valid")
    np.testing.assert_allclose(rolling, g["ofi_roll10"].to_numpy()[10:], rtol=1e-10, atol=1e-11)
    rolling = np.convolve(weighted, np.ones(10), mode="valid")
    np.testing.assert_allclose(rolling, g["mlofi3_roll10"].to_numpy()[10:], rtol=1e-10, atol=1e-11)


def test_vpin_splits_trades_at_bucket_edges():
    g, want = golden("vpin_trades"), golden("vpin_expected")
    buy = (g["sign"] > 0).to_numpy()
    got = list(fill_buckets(g["size"].to_numpy(), buy, np.full(len(g), 5.0)))
    assert len(got) == len(want)
    for (_, b, s), row in zip(got, want.iter_rows(named=True)):
        check(b, row["buy"], 1e-10)
        check(s, row["sell"], 1e-10)
    # Through the column itself: one trade a second, so a row sees exactly the trades up to it.
    grid = Grid(DAY_ONE, DAY_ONE + len(g))
    ts = (np.arange(len(g)) + 1 + DAY_ONE) * SECOND
    trades = tape(grid, ts, g["price"].to_numpy().astype(float), g["size"].to_numpy(), buy)
    column = vpin(trades, {1: 50.0}, buckets=10)
    for (i, _, _), row in zip(got, want.iter_rows(named=True)):
        last_of_trade = not any(j == i and b > row["bucket"] for b, (j, _, _) in enumerate(got))
        if last_of_trade:
            check(column[i + 1], row["vpin10"], 1e-10)


def test_kyle_lambda():
    g = golden("kyle_lambda")
    grid = Grid(DAY_ONE, DAY_ONE + 300)
    mid = 50_000 * np.exp(np.concatenate([[0.0], np.cumsum(g["ret_bps"].to_numpy())]) / 1e4)
    quote = g["signed_quote_1e6"].to_numpy() * 1e6
    trades = tape(grid, grid.t[1:], np.ones(300), np.abs(quote), quote > 0)
    got = kyle_lambda(trades, empty_book(grid), mid)
    check(got[-1], g["kyle_lambda"][-1], 1e-9)
    assert np.isnan(got[:240]).all() and not np.isnan(got[240])


def test_amihud_skips_bars_without_volume():
    g = golden("amihud")
    grid = Grid(DAY_ONE, DAY_ONE + 3600)
    mid = np.repeat(np.append(g["mid_start"].to_numpy(), g["mid_end"][-1]), 60)[: grid.n].astype(float)
    volume = g["quote_volume"].to_numpy().astype(float)
    traded = volume > 0
    ts = (DAY_ONE + np.arange(60) * 60 + 30)[traded] * SECOND
    trades = tape(grid, ts, np.ones(traded.sum()), volume[traded], np.ones(traded.sum(), bool))
    got = amihud(trades, empty_book(grid), mid)
    check(got[-1], g["amihud_illiq"][-1], 1e-10)


def test_trade_flow_as_one_window():
    g, last = golden("trade_flow"), golden("trade_flow").row(-1, named=True)
    since = DAY_ONE * SECOND
    grid = Grid(DAY_ONE, DAY_ONE + 305)
    ts = (np.round(g["t_s"].to_numpy() * 1e9)).astype(np.int64) + since
    trades = tape(grid, ts, g["price"].to_numpy(), g["size"].to_numpy(), (g["sign"] > 0).to_numpy(), since)
    before, after, spread = (g[c].to_numpy().astype(float) for c in ("mid_before", "mid_plus_5s", "spread_bps"))
    book = empty_book(grid)
    # At 300 s all trades are in (0, 300]; those with a mid 5 s later are complete at 305 s.
    check(toxicity(trades, book, before, spread, after)[305], last["toxicity"], 1e-9)
    sequence = sequence_columns(trades)
    check(sequence["tf_interarrival_cv_300s"][300], last["interarrival_cv"], 1e-9)
    check(sequence["tf_sign_autocorr_300s"][300], last["sign_autocorr"], 1e-9)
    unknown = np.full(len(g), np.nan)
    rows = trade_rows(trades, book, {"mid_price": np.full(grid.n, 100.0)}, {}, unknown)
    check(rows["tf_imbalance_300s"][300], last["imbalance"], 1e-9)
    check(rows["tf_mean_size_300s"][300], last["mean_size"], 1e-9)
    check(rows["tf_max_size_ratio_300s"][300], last["max_size_ratio"], 1e-9)
    check(100.0 * np.exp(rows["tf_vwap_dev_300s_bps"][300] / 1e4), last["vwap"], 1e-9)
    # The vector's spreads are of all 120 trades; the columns cover 60 s, so the stamps are pressed into one window.
    pressed = tape(grid, ts // 6 + since * 5 // 6, trades.price, trades.size, trades.sign > 0, since)
    got = spreads(pressed, book, before, after)
    check(got["tf_effective_spread_60s_bps"][60], last["effective_spread_bps"], 1e-9)
    check(got["tf_realized_spread_60s_bps"][65], last["realized_spread_bps"], 1e-9)
    half = tape(grid, ts // 10 + since * 9 // 10, trades.price, trades.size, trades.sign > 0, since)
    rows = trade_rows(half, book, {"mid_price": np.full(grid.n, 100.0)}, {}, unknown)
    check(rows["tf_count_imbalance_30s"][30], last["count_imbalance"], 1e-9)
