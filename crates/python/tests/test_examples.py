"""The examples run on real bars: before, after, fallback."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pandas as pd
import pytest

from conftest import BINARY, ROOT


def example(name):
    path = pathlib.Path(__file__).resolve().parents[1] / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_volume_vwap_before_and_after(bars):
    vwap = example("volume_vwap")
    before, after = vwap.before(bars), vwap.after(bars)
    assert len(before) >= len(after) > 0
    by_time = {t.time: t for t in before}
    for t in after:
        assert t.stop < t.entry < t.target and 0 < t.size <= 1.0
        assert by_time[t.time].entry == t.entry
    assert any(abs((t.entry - t.stop) - (by_time[t.time].entry - by_time[t.time].stop)) > 1.0 for t in after)
    assert any(t.size < 1.0 for t in after)


def test_volume_vwap_falls_back(bars):
    vwap = example("volume_vwap")
    engine = vwap.barograph.MarketContextEngine(on_error="fallback")
    t = vwap.one(bars.drop(columns="low"), 50_000.0, 400.0, 1.0, engine)
    assert (t.stop, t.target, t.size, t.why) == (49_400.0, 51_200.0, 1.0, "fallback_no_data")


def test_freqtrade_style(bars, caplog):
    module = example("freqtrade_style")
    frame = bars.reset_index(names="date").iloc[:1_460]
    s = module.ContextStrategy({"BTC/USDT": frame})
    meta = {"pair": "BTC/USDT"}
    columns = s.populate_entry_trend(s.populate_indicators(frame.copy(), meta), meta)
    assert columns["enter_long"].sum() > 0 and columns["enter_short"].sum() > 0
    rate = float(frame.close.iloc[-1])
    context = s.context("BTC/USDT", rate, "long")
    assert s.confirm_trade_entry("BTC/USDT", rate, "long") == context.should_trade()[0]
    assert s.custom_stoploss("BTC/USDT", rate, "long") == pytest.approx(
        -context.risk_params.stop_loss_atr_mult * context.atr / rate
    )
    assert 0 < s.custom_stake_amount("BTC/USDT", rate, "long", 100.0) <= 100.0
    late = frame.date.iloc[-1] + pd.Timedelta("5h")
    assert s.confirm_trade_entry("BTC/USDT", rate, "long", current_time=late) is False, "stale data"
    # No frame for this pair: as before, with a line in the log.
    assert s.confirm_trade_entry("ETH/USDT", 3_000.0, "short") is True
    assert s.custom_stoploss("ETH/USDT", 3_000.0, "short") == s.stoploss
    assert s.custom_stake_amount("ETH/USDT", 3_000.0, "short", 100.0) <= 100.0
    assert "no context" in caplog.text


def test_parts_anywhere(tmp_path):
    if not BINARY:
        pytest.skip("BAROGRAPH_BIN names no program")
    # Ray has tests of its own, with one cluster for all of them.
    (tmp_path / "ray.py").write_text("raise ImportError('left out')\n")
    line = [sys.executable, ROOT / "crates/python/examples/parts_anywhere.py", ROOT / "testdata/history", BINARY, "2026-01", "2026-01"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run(line, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert printed[0] == "6 partitions" and len({row.split()[-1] for row in printed[1:4]}) == 1
    assert all("pip install" in row for row in printed[4:]) and len(printed) == 6
