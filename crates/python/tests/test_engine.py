"""Cache, threads, live markets, injected components."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

import barograph
from barograph import FrameError, MarketContextEngine, Session


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_analyses_are_shared_until_they_are_too_old(frame):
    clock = Clock()
    engine = MarketContextEngine(ttl=60.0, clock=clock)
    for side in ("long", "short", None):
        engine.get_context(frame, 60_000.0, side)
    s = engine.cache_stats()
    assert (s["hits"], s["misses"], s["size"]) == (2, 1, 1) and s["hit_rate"] == pytest.approx(2 / 3)
    clock.now = 59.9
    engine.get_context(frame, 61_000.0, "long")
    clock.now = 60.0
    engine.get_context(frame, 60_000.0, "long")
    assert engine.cache_stats()["misses"] == 2
    clock.now = 200.0
    assert engine.cleanup() == 1 and engine.cache_stats()["size"] == 0
    engine.get_context(frame, 60_000.0, "long", use_cache=False)
    assert engine.cache_stats()["size"] == 0


def test_any_changed_bar_is_another_frame(frame):
    engine = MarketContextEngine()
    a = engine.get_context(frame, 60_000.0, "long")
    other = frame.copy()
    other.iloc[3, other.columns.get_loc("high")] += 0.01
    b = engine.get_context(other, 60_000.0, "long")
    assert engine.cache_stats()["misses"] == 2
    assert a.to_dict()["timestamp"] == b.to_dict()["timestamp"]


def test_the_module_has_one_engine():
    assert barograph.get_engine() is barograph.get_engine()


def test_many_threads_get_what_one_gets(bars):
    engine = MarketContextEngine()
    frames = [bars.iloc[i : i + 500] for i in range(0, 1500, 100)]
    want = [engine.get_context(f, None, "long").to_dict() for f in frames]
    engine.clear_cache()
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: engine.get_context(frames[i % 15], None, "long").to_dict(), range(300)))
    assert got == [want[i % 15] for i in range(300)]
    assert engine.cache_stats()["lock_wait_p99_us"] < 1e6


def test_the_lock_of_the_interpreter_is_free_while_bars_are_worked_through(bars):
    big = pd.concat([bars] * 40)
    big.index = pd.date_range("2010-01-01", periods=len(big), freq="1h", tz="UTC")
    ticks, done = [0], threading.Event()

    def count():
        while not done.is_set():
            ticks[0] += 1

    other = threading.Thread(target=count)
    other.start()
    engine = MarketContextEngine(ttl=0)
    before = ticks[0]
    engine.get_context(big, None, "long")
    counted = ticks[0] - before
    done.set()
    other.join()
    assert counted > 0


def test_bar_by_bar_is_the_frame(bars):
    engine = MarketContextEngine()
    start, end = 600, 800
    assert engine.load("BTC", bars.iloc[start : start + 100]) == 100
    for stamp, row in bars.iloc[start + 100 : end].iterrows():
        bar = (int(stamp.timestamp() * 1000), row.open, row.high, row.low, row.close, row.volume)
        assert engine.update("BTC", bar)
    assert not engine.update("BTC", bar), "the same bar again changes nothing"
    live = engine.context("BTC", 70_000.0, "long").to_dict()
    batch = engine.get_context(bars.iloc[start:end], 70_000.0, "long", symbol="BTC").to_dict()
    assert live == batch
    with pytest.raises(FrameError, match="does not begin where"):
        engine.update("BTC", dict(timestamp=stamp + pd.Timedelta("61min"), open=1, high=1, low=1, close=1))
    with pytest.raises(FrameError, match="row|high the largest"):
        engine.update("BTC", dict(timestamp=stamp + pd.Timedelta("1h"), open=1, high=1, low=2, close=1))
    assert engine.forget("BTC") and not engine.forget("BTC")
    with pytest.raises(FrameError, match="no live market"):
        engine.update("BTC", bar)


def test_components_can_be_swapped(frame):
    base = MarketContextEngine(base_multipliers={"NY": 3.0, Session.ASIAN: 2.0})
    c = base.get_context(frame, None, "long")
    assert c.session.base_multiplier == 3.0 and not c.session.base_measured
    tokyo = MarketContextEngine(session_set="stocks").get_context(frame, None, "long")
    assert tokyo.session.start != c.session.start
    kde = MarketContextEngine(liquidity={"cluster_method": "kde", "swing_left": 3, "swing_right": 3})
    assert {l["level_id"] for l in kde.get_context(frame).levels} != {l["level_id"] for l in c.levels}
    seen = {}

    def calculator(inputs):
        seen.update(inputs)
        return {"stop_loss_atr_mult": 2.5, "risk_reward_ratio": 3.0}

    own = MarketContextEngine(risk_calculator=calculator, regime_classifier=lambda i: "STRONG_UPTREND")
    c = own.get_context(frame, 60_000.0, "long")
    assert c.market_regime.value == "STRONG_UPTREND" == seen["market_regime"]
    assert c.get_stop_loss(60_000.0, 100.0) == 59_750.0 and c.risk_params.risk_reward_ratio == 3.0


@pytest.mark.parametrize(
    "bad,text",
    [
        (dict(session_set="mars"), "no session set"),
        (dict(book="none"), "no rule book"),
        (dict(ttl=-1.0), "ttl is"),
        (dict(base_multipliers={"X": 1.0}), "no session 'X'"),
        (dict(base_multipliers=[1, 2, 3, 400]), "within 0.1 and 10"),
        (dict(liquidity={"nothing": 1}), "no liquidity option"),
        (dict(on_error="hide"), "on_error"),
    ],
)
def test_wrong_components_are_named(bad, text):
    with pytest.raises(FrameError, match=text):
        MarketContextEngine(**bad)


def test_a_component_that_fails_raises_or_is_left_out(frame, caplog):
    def broken(_):
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        MarketContextEngine(risk_calculator=broken).get_context(frame, None, "long")
    with pytest.raises(FrameError, match="must lie within"):
        MarketContextEngine(risk_calculator=lambda i: {"stop_loss_atr_mult": 9.0}).get_context(frame, None, "long")
    calm = MarketContextEngine(risk_calculator=broken, regime_classifier=broken, on_error="fallback")
    want = MarketContextEngine().get_context(frame, None, "long").to_dict()
    assert calm.get_context(frame, None, "long").to_dict() == want
    assert "risk_calculator failed" in caplog.text
