"""Real frames: the built-in history of the repository (BTC, ETH, SOL hourly, December 2025 to March 2026)."""

import os
import pathlib

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

HISTORY = pathlib.Path(__file__).resolve().parents[3] / "testdata" / "history" / "binance-usdm"


def listed(report):
    """A skip also goes to the list of which `make test` makes its last line."""
    if not report.skipped or hasattr(report, "wasxfail") or not os.environ.get("SKIPPED_TESTS"):
        return
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    with open(os.environ["SKIPPED_TESTS"], "a") as skips:
        skips.write(f"skipped: {report.nodeid}: {why.removeprefix('Skipped: ')}".replace("\n", " ") + "\n")


def pytest_runtest_logreport(report):
    listed(report)


def pytest_collectreport(report):
    listed(report)


def read(market, name):
    path = HISTORY / market / name
    with pa.input_stream(str(path), compression="zstd") as stream:
        return pacsv.read_csv(stream)


def bars_of(market):
    table = read(market, "candles_1h.csv.zst").to_pandas()
    table.columns = [c.lower() for c in table.columns]
    stamp = next(c for c in table.columns if c in ("timestamp", "open_time", "time", "date"))
    table.index = pd.to_datetime(table[stamp], utc=True, unit="ms" if table[stamp].dtype.kind == "i" else None)
    return table[["open", "high", "low", "close", "volume"]].astype(float)


@pytest.fixture(scope="session")
def bars():
    """2,122 hourly bars of BTC."""
    return bars_of("BTCUSDT")


@pytest.fixture(scope="session")
def markets():
    """Bars of three markets."""
    return {m: bars_of(f"{m}USDT") for m in ("BTC", "ETH", "SOL")}


@pytest.fixture(scope="session")
def funding():
    """Settled funding of BTC."""
    table = read("BTCUSDT", "funding_8h.csv.zst").to_pandas()
    table.columns = [c.lower() for c in table.columns]
    return table


@pytest.fixture()
def frame(bars):
    """500 bars that end within the fall of 2026-02-05."""
    return bars.loc[: "2026-02-05T15:00:00Z"].iloc[-500:]
