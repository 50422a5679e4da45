"""Random taker orders through hftbacktest's own engine, for the Rust test beside this file.

    fills.py RECORDING.gz ORDERS SEED FOLDER

The recording is converted by hftbacktest's converter for Binance futures. Two files are left in the folder:

events.bin  the depth events that its exchange sees, in its order: rows of four little-endian doubles, kind (0 sets a bid, 1 sets an
            ask, 2 clears bids from the best down to the price, 3 clears asks from the best up to it), moment in ms, price, quantity
fills.csv   one order per line: its moment at the exchange in ns, 1 to buy or -1 to sell, quantity, filled quantity, quote exchanged

Orders are fill-or-kill at a price 1 % beyond the best, against `partial_fill_exchange`: the one of its exchanges that walks the
levels. `no_partial_fill_exchange` fills any size at the best price.

Of an order that takes from several levels its answer names only the last level (2.4.4; its account books that part alone, too). The
market is not changed by an order, so the same order without the part just named follows at the same moment, until nothing is left:
each answer is one level of the first order.
"""

import sys

import numpy as np
from hftbacktest import BUY_EVENT, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data.utils import binancefutures
from hftbacktest.order import FILLED, FOK, LIMIT
from hftbacktest.types import DEPTH_CLEAR_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, EXCH_EVENT
from numba import njit

TICK, LOT = 0.1, 0.001


def depth_of(data):
    """Depth events that the exchange sees, in its order."""
    kind = data["ev"] & 0xFF
    seen = (data["ev"] & EXCH_EVENT) == EXCH_EVENT
    depth = data[seen & np.isin(kind, [DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, DEPTH_CLEAR_EVENT])]
    ask = np.where((depth["ev"] & BUY_EVENT) == BUY_EVENT, 0.0, 1.0)
    clear = np.where((depth["ev"] & 0xFF) == DEPTH_CLEAR_EVENT, 2.0, 0.0)
    ms = depth["exch_ts"] // 1_000_000
    assert (ms * 1_000_000 == depth["exch_ts"]).all()
    return np.column_stack([ask + clear, ms.astype(float), depth["px"], depth["qty"]])


@njit
def trade(hbt, moments, sides, quantities, out):
    """Sends each order so that it reaches the exchange at its moment."""
    number = 0
    # The clock of a back-test is set by its first step.
    hbt.elapse(1)
    for n in range(len(moments)):
        if hbt.elapse(moments[n] - hbt.current_timestamp) != 0:
            return n
        depth = hbt.depth(0)
        left = quantities[n]
        while left > LOT / 2:
            number += 1
            if sides[n] > 0:
                price = round(depth.best_ask * 1.01 / TICK) * TICK
                hbt.submit_buy_order(0, number, price, left, FOK, LIMIT, True)
            else:
                price = round(depth.best_bid * 0.99 / TICK) * TICK
                hbt.submit_sell_order(0, number, price, left, FOK, LIMIT, True)
            order = hbt.orders(0).get(number)
            if order.status != FILLED:
                assert out[n, 0] == 0.0
                break
            out[n, 0] += order.exec_qty
            out[n, 1] += order.exec_qty * order.exec_price
            left = round((left - order.exec_qty) / LOT) * LOT
        assert hbt.current_timestamp == moments[n]
        hbt.clear_inactive_orders(0)
    return len(moments)


def main():
    recording, orders, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    data = binancefutures.convert(recording, buffer_size=8_000_000)
    depth = depth_of(data)
    depth.astype("<f8").tofile(f"{folder}/events.bin")

    # A second after the snapshot, so that the book is whole; half a millisecond off the events, so that no order ties with one.
    snapshot = data[(data["ev"] & 0xFF) == DEPTH_SNAPSHOT_EVENT]
    first = max(snapshot["exch_ts"].max(), snapshot["local_ts"].max()) // 1_000_000 + 2_000
    last = min(data["exch_ts"].max(), data["local_ts"].max()) // 1_000_000 - 2_000
    random = np.random.default_rng(seed)
    moments = np.sort(random.choice(np.arange(first, last, 10), orders, replace=False)) * 1_000_000 + 500_000
    sides = random.choice([-1, 1], orders)
    quantities = np.maximum(np.round(np.exp(random.uniform(np.log(0.2), np.log(25.0), orders)) / LOT), 1.0) * LOT

    asset = (
        BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(TICK)
        .lot_size(LOT)
    )
    hbt = HashMapMarketDepthBacktest([asset])
    out = np.zeros((orders, 2))
    sent = trade(hbt, moments, sides, quantities, out)
    hbt.close()
    assert sent == orders, f"the recording ended after {sent} orders"
    with open(f"{folder}/fills.csv", "w") as f:
        for moment, side, quantity, (filled, quote) in zip(moments, sides, quantities, out):
            f.write(f"{moment},{side},{float(quantity)!r},{float(filled)!r},{float(quote)!r}\n")


main()
