"""Every kind of frame gives the same context; what is wrong is named."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import barograph
from barograph import FrameError


def arrays(frame):
    out = {n: frame[n].to_numpy() for n in ("open", "high", "low", "close", "volume")}
    out["timestamp"] = frame.index.tz_convert(None).to_numpy()
    return out


def forms(frame):
    plain = frame.reset_index(names="timestamp")
    naive = frame.copy()
    naive.index = naive.index.tz_convert(None)
    ms = plain.assign(timestamp=plain["timestamp"].astype("datetime64[ms, UTC]").astype("int64"))
    text = plain.assign(timestamp=plain["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    yield "pandas index", frame
    yield "naive index", naive
    yield "elsewhere", frame.tz_convert("Asia/Tokyo")
    yield "milliseconds", ms
    yield "date column", plain.rename(columns={"timestamp": "date"})
    yield "open_time column", ms.rename(columns={"timestamp": "open_time"})
    yield "seconds unit", frame.set_axis(frame.index.as_unit("s"))
    yield "text", text
    yield "capital names", frame.rename(columns=str.capitalize)
    yield "polars", pl.from_pandas(plain)
    yield "polars ms", pl.from_pandas(ms)
    yield "arrow", pa.Table.from_pandas(plain, preserve_index=False)
    chunked = pa.Table.from_pandas(plain, preserve_index=False)
    yield "arrow in pieces", pa.concat_tables([chunked.slice(0, 200), chunked.slice(200)])
    yield "arrays", arrays(frame)
    yield "lists", {k: v.tolist() for k, v in arrays(frame).items() if k != "timestamp"} | {
        "timestamp": [int(t.timestamp()) for t in frame.index]
    }
    yield "strided", {k: np.repeat(v, 2)[::2] for k, v in arrays(frame).items()}
    yield "object", frame.astype(object)


def test_all_forms_agree(frame):
    want = None
    for name, form in forms(frame):
        got = barograph.get_context(form, 60_000.0, "short", use_cache=False).to_dict()
        want = want or got
        assert got == want, name


def test_smaller_numbers_are_converted(frame):
    single = frame.astype("float32")
    got = barograph.get_context(single, None, "long", use_cache=False)
    assert got.atr == pytest.approx(barograph.get_context(frame, None, "long").atr, rel=1e-3)
    table = pa.Table.from_pandas(single.reset_index(names="date"), preserve_index=False)
    assert barograph.get_context(table, None, "long", use_cache=False).atr == got.atr


def test_the_open_bar_is_dropped(frame):
    want = barograph.get_context(frame.iloc[:-1], 60_000.0, "long").to_dict()
    for name, form in forms(frame):
        if name in ("pandas index", "polars", "arrays"):
            assert barograph.get_context(form, 60_000.0, "long", last_bar_open=True).to_dict() == want


def test_gaps_are_respected_and_not_filled(frame):
    holes = frame.drop(frame.index[-10:-5])
    c = barograph.get_context(holes, None, "long")
    assert c.timeframe_s == 3600.0
    assert c.trend["label"] == "UNKNOWN" and c.atr is None, "the windows begin again behind the gap"
    assert c.risk_params.fallback_reasons["risk_reward_ratio"] == "trend_not_available"


@pytest.mark.parametrize("tf,rule", [("4h", "4h"), ("1d", "1D"), ("2h", "2h")])
def test_other_timeframes(bars, tf, rule):
    agg = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    coarse = bars.resample(rule).agg(agg).iloc[:-1]
    c = barograph.get_context(coarse, None, "long")
    assert c.timeframe_s == pd.Timedelta(rule).total_seconds()
    assert c.trend["label"] != "UNKNOWN" and c.regimes["risk"].value != "UNKNOWN"
    assert c.should_trade()[1] != "no_data"


def test_missing_volume_is_no_volume(frame):
    c = barograph.get_context(frame.assign(volume=np.nan), None, "long")
    assert c.session.volume_ratio is None and "volume_adjustment_default" in c.defaults_used


WRONG = [
    (lambda f: f.drop(columns="low"), "no column 'low'"),
    (lambda f: f.reset_index(drop=True), "no time"),
    (lambda f: f.assign(close=f.close.where(f.index != f.index[7])), "row 7: close is NaN"),
    (lambda f: f.assign(high=f.low), "row 0: .*high the largest"),
    (lambda f: f.assign(open=-1.0), "row 0: open is -1"),
    (lambda f: f.assign(volume=-1.0), "volume is -1"),
    (lambda f: f.iloc[::-1], "row 1 is earlier"),
    (lambda f: pd.concat([f, f.iloc[-1:]]), "repeats the one before"),
    (lambda f: f.set_axis(f.index[:-1].append(f.index[-1:] + pd.Timedelta("13min"))), "whole number of bars"),
    (lambda f: f.assign(open="x"), "no column of numbers"),
    (lambda f: {k: v[:-1] if k == "low" else v for k, v in arrays(f).items()}, "column 'low' has 499 rows"),
    (lambda f: pl.from_pandas(f.reset_index(names="date")).with_columns(pl.lit(None).cast(pl.Float64).alias("low")), "no value in row 0"),
    (lambda f: 5, "a frame must be"),
    (lambda f: "btc", "a frame must be"),
]


@pytest.mark.parametrize("spoil,text", WRONG, ids=[t for _, t in WRONG])
def test_wrong_frames_are_named(frame, spoil, text):
    with pytest.raises(FrameError, match=text):
        barograph.get_context(spoil(frame), 50_000.0, "long")
    calm = barograph.MarketContextEngine(on_error="fallback")
    assert calm.get_context(spoil(frame), 50_000.0, "long").should_trade() == (True, "fallback_no_data")


@pytest.mark.parametrize("option", [{"current_price": 0.0}, {"current_price": float("nan")}, {"tick_size": -1.0}, {"timeframe": "1x"}, {"now": "soon"}])
def test_wrong_options_are_named(frame, option):
    with pytest.raises(ValueError):
        barograph.get_context(frame, **option)
