"""`barograph.minute_features`: stored minutes of a data folder as a table."""

import subprocess

import polars as pl
import pytest

import barograph
from conftest import HISTORY, BINARY


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with one week of BTC."""
    if not BINARY:
        pytest.skip("BAROGRAPH_BIN names no program")
    folder = tmp_path_factory.mktemp("minutes")
    line = f"collect --source {HISTORY / 'BTCUSDT'} --data {folder / 'data'}"
    done = subprocess.run([BINARY, *line.split()], cwd=folder, capture_output=True, text=True, env={"HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    return folder / "data"


def test_minutes_are_a_table_of_labels_and_readings(data, tmp_path):
    start, end = "2026-02-01T00:00:00Z", "2026-02-01T06:00:00Z"
    table = barograph.minute_features(data, "BTCUSDT", start, end)
    frame = table.to_polars()
    assert frame.height == 360 and frame.columns[:7] == ["ts", "known_ts", "price", "risk_label", "trend_label", "volatility_label", "heat_label"]
    assert (frame["known_ts"] - frame["ts"]).unique().to_list()[0].total_seconds() == 0.2
    assert frame["realized_vol_24h"].null_count() == 0 if "realized_vol_24h" in frame.columns else len(frame.columns) > 50
    table.write_parquet(tmp_path / "minutes.parquet")
    assert pl.read_parquet(tmp_path / "minutes.parquet").equals(frame)
    id = frame.columns[-1]
    hours = barograph.minute_features(str(data), "binance-usdm:BTCUSDT", start, end, every="1h", features=[id]).to_polars()
    assert hours.height == 6 and hours.columns[7:] == [id]
    assert hours.equals(frame.filter(pl.col("ts").dt.minute() == 0).select(hours.columns))


def test_the_command_line_writes_the_same_table(data, tmp_path):
    start, end, last = "2026-02-01T00:00:00Z", "2026-02-01T06:00:00Z", "2026-02-01T05:59:00Z"
    path = tmp_path / "minutes.parquet"
    line = f"lake export BTCUSDT --format minutes --from {start} --until {last} --data {data} --out {path}"
    done = subprocess.run([BINARY, *line.split()], cwd=tmp_path, capture_output=True, text=True, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(path).equals(barograph.minute_features(data, "BTCUSDT", start, end).to_polars())


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        ({"market": "ETHUSDT"}, "no market 'ETHUSDT'; there are binance-usdm:BTCUSDT"),
        ({"market": "okx:BTCUSDT"}, "holds no minutes of okx:BTCUSDT"),
        ({"start": "2040-01-01T00:00:00Z"}, "in that time; they reach from"),
        ({"features": ["rsi"]}, "have no feature 'rsi'"),
    ],
)
def test_what_is_not_stored_is_named(data, ask, why):
    with pytest.raises(barograph.FrameError, match=why):
        barograph.minute_features(data, **{"market": "BTCUSDT", **ask})


def test_a_folder_without_a_store_is_named(tmp_path):
    with pytest.raises(barograph.FrameError):
        barograph.minute_features(tmp_path, "BTCUSDT")
