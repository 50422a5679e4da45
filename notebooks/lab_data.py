"""Data of the notebooks: the recording that comes with the repository, and a market that is made up.

The recording is three minutes of Binance USD-M BTCUSDT (testdata/recordings/README.md: origin, licence MIT). Three minutes are enough to see
what the columns are, and far too little to learn from. Where a notebook needs hours it takes :func:`synthetic` and says so: a market made by
a few lines of arithmetic, whose numbers say nothing about any real one.
"""

import pathlib
import tempfile

import numpy as np
import polars as pl

from barograph import lab

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECORDING = ROOT / "testdata/recordings/binance-usdm_btcusdt_20240718.gz"
RECORDED, SYNTHETIC = "binance-usdm:BTCUSDT", "binance-usdm:SYNTHUSDT"
LEVELS = 20
# A temporary folder goes when the notebook's kernel ends.
_KEPT = []


def folder():
    """A folder for this notebook."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix="barograph-notebook-"))
    return pathlib.Path(_KEPT[-1].name)


def recorded():
    """A lake with the recording, and its market."""
    lake = folder() / "lake"
    lab.record(RECORDED, [RECORDING], lake)
    return lake, RECORDED


def synthetic(seconds=5_400, seed=7, begin=1_735_689_600_000_000_000):
    """A lake with a market that is made up, and its name; ``begin`` is its first nanosecond since 1970, without it 2025-01-01T00:00:00Z.

    A hidden pressure between -1 and 1, which lasts some seconds, tilts sizes at the best prices and the next moves of the mid; volatility
    changes between calm and wild every ten minutes or so. Every number comes from the seed.
    """
    made = folder()
    draws = np.random.default_rng(seed)
    pressure, wild, units = 0.0, False, 1_000_000
    books, trades = [], []
    for second in range(seconds):
        if draws.random() < 1 / 600:
            wild = not wild
        pressure = 0.9 * pressure + 0.44 * draws.standard_normal()
        tilt = np.tanh(pressure)
        units += int(np.round((6.0 if wild else 2.0) * (0.35 * tilt + draws.standard_normal())))
        half = 2 if wild else 1
        ts = begin + second * 1_000_000_000 + int(draws.integers(1, 900)) * 1_000_000
        sizes = draws.lognormal(0.0, 0.4, (2, LEVELS))
        sizes[0, 0] *= np.exp(0.8 * tilt)
        sizes[1, 0] *= np.exp(-0.8 * tilt)
        row = {"ts": ts, "known_ts": ts + 20_000_000}
        for k in range(LEVELS):
            row[f"bid_price_L{k}"] = (units - half - k) / 10
            row[f"bid_size_L{k}"] = sizes[0, k].round(3)
            row[f"ask_price_L{k}"] = (units + half + k) / 10
            row[f"ask_size_L{k}"] = sizes[1, k].round(3)
        books.append(row)
        for _ in range(draws.poisson(2.0)):
            is_buy = bool(draws.random() < 0.5 + 0.3 * tilt)
            at = ts + int(draws.integers(1, 90)) * 1_000_000
            price = row["ask_price_L0" if is_buy else "bid_price_L0"]
            trades.append({"ts": at, "known_ts": at + 20_000_000, "price": price, "size": draws.lognormal(-2.0, 1.0), "is_buy": is_buy})
    utc = [pl.col(name).cast(pl.Datetime("ns", "UTC")) for name in ("ts", "known_ts")]
    pl.DataFrame(books).with_columns(utc).sort("known_ts").write_parquet(made / "books.parquet")
    pl.DataFrame(trades).with_columns(utc).sort("known_ts").write_parquet(made / "trades.parquet")
    lab.record(SYNTHETIC, [made / "books.parquet", made / "trades.parquet"], made / "lake", tick=0.1)
    return made / "lake", SYNTHETIC
