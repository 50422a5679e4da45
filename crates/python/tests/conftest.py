"""Real frames, of the built-in history of the repository (BTC, ETH, SOL hourly, December 2025 to March 2026), and a real program."""

import os
import pathlib
import re
import subprocess
import threading

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

BINARY = os.environ.get("BAROGRAPH_BIN", "")
ROOT = pathlib.Path(__file__).resolve().parents[3]
HISTORY = ROOT / "testdata" / "history" / "binance-usdm"


SKIPPED = []


def listed(report):
    """A skip is said at the end, and goes to the list of which `make test` makes its last line."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    SKIPPED.append(f"skipped: {report.nodeid}: {why.removeprefix('Skipped: ')}".replace("\n", " "))
    if os.environ.get("SKIPPED_TESTS"):
        with open(os.environ["SKIPPED_TESTS"], "a") as skips:
            skips.write(SKIPPED[-1] + "\n")


def pytest_terminal_summary(terminalreporter):
    for line in SKIPPED:
        terminalreporter.write_line(line)


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


def started(line, folder, pattern):
    """A child of the program, and what the first line that matches says."""
    child = subprocess.Popen(
        [BINARY, *line.split()], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={"HOME": str(folder)}
    )
    for said in child.stdout:
        if found := re.search(pattern, said):
            # Whatever else it says must not fill the pipe.
            threading.Thread(target=lambda: [None for _ in child.stdout], daemon=True).start()
            return child, found.group(1)
    raise AssertionError(f"{line} ended early")


@pytest.fixture
def program(tmp_path):
    """A live process of three markets of the venue server, whose book has a rule that holds at every market with funding."""
    if not BINARY:
        pytest.skip("BAROGRAPH_BIN names no program")
    book = (ROOT / "crates/engine/books/default.toml").read_text()
    rule = '[[alert]]\nid = "heard"\nseverity = "HIGH"\nall = [{ feature = "funding_rate_8h", op = ">", value = -1.0, scale = 0.1 }]\n'
    (tmp_path / "mine.toml").write_text(f"{book}\n{rule}")
    sim, endpoint = started("sim --port 0 --markets 3 --messages-per-s 300", tmp_path, r"--endpoint (\S+)")
    line = f"up --book mine.toml --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {endpoint}"
    up, url = started(line, tmp_path, r"(http://127\.0\.0\.1:\d+)")
    yield url
    for child in (up, sim):
        child.kill()
        child.wait()
