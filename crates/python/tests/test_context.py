"""The contract of a context, on real bars."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import barograph
from barograph import FrameError, MarketContextEngine, Session, TrendRegime


def test_the_contract(frame):
    price = float(frame.close.iloc[-1])
    c = barograph.get_context(frame, price, "long")
    assert c.session.name.value == "NY" and c.session.name is Session.NY
    p = c.risk_params
    assert 0.5 <= p.stop_loss_atr_mult <= 4.0
    assert p.risk_reward_ratio in (1.5, 2.5, 4.0)
    assert p.market_regime in TrendRegime and p.market_regime.value == c.market_regime.value
    assert 0.0 < p.confidence <= 1.0 and p.confidence_kind == "heuristic"
    assert not p.fallback and p.fallback_reasons == {}
    stop = c.get_stop_loss(price, c.atr, "long")
    assert stop == pytest.approx(price - p.stop_loss_atr_mult * c.atr)
    target = c.get_take_profit(price, c.atr, "long")
    assert price < target <= price + 10 * c.atr
    assert c.get_stop_loss(price, c.atr, "short") > price > c.get_take_profit(price, c.atr, "short")
    allowed, reason = c.should_trade()
    assert allowed == (c.verdict.value != "AVOID") and reason in [r["code"] for r in c.reasons]
    assert c.get_position_size(2.0) == pytest.approx(2.0 * p.size_factor * min(1.0, p.posture_factor))
    assert c.timestamp == frame.index[-1].to_pydatetime() + pd.Timedelta("1h")


def test_to_dict_is_plain_and_has_the_fields(frame):
    d = barograph.get_context(frame, None, 1).to_dict()
    wanted = "session market_regime regimes confidence stop_loss_atr_mult risk_reward_ratio levels reasons logic_version"
    assert set(wanted.split()) <= set(d)
    assert json.loads(json.dumps(d)) == d
    assert d["regimes"].keys() == {"risk", "trend", "volatility"} and d["levels"]


def test_the_trend_is_the_regression_of_the_last_fifty_closes(frame):
    c = barograph.get_context(frame, None, None)
    y = frame.close.to_numpy()[-50:]
    slope, intercept = np.polyfit(np.arange(50), y, 1)
    assert c.trend["slope_pct"] == pytest.approx(slope / y[-1] * 100, rel=1e-9)
    assert c.trend["r2"] == pytest.approx(np.corrcoef(np.arange(50), y)[0, 1] ** 2, rel=1e-9)


def test_the_average_range_and_the_volatility_are_those_of_a_plain_loop(frame):
    c = barograph.get_context(frame, None, None)
    h, l, k = (frame[n].to_numpy() for n in ("high", "low", "close"))
    tr = np.maximum(h[1:] - l[1:], np.maximum(abs(h[1:] - k[:-1]), abs(l[1:] - k[:-1])))
    atr = tr[:14].mean()
    for x in tr[14:]:
        atr += (x - atr) / 14
    assert c.atr == pytest.approx(atr, rel=1e-12)
    r = np.log(k[-24:] / k[-25:-1])
    assert c.volatility["realized_vol_24h"] == pytest.approx(np.sqrt((r**2).mean() * 8760), rel=1e-12)
    assert c.volatility["vol_daily"] == pytest.approx(np.sqrt((r**2).sum()), rel=1e-12)
    span = np.log(h[-1] / l[-1])
    assert c.volatility["realized_vol_1h"] == pytest.approx(np.sqrt(span**2 / (4 * np.log(2)) * 8760), rel=1e-12)


def test_the_session_multiplier_comes_from_the_frames_own_history(frame):
    c = barograph.get_context(frame, None, "long")
    s = c.session
    assert s.base_measured, "500 hours hold more than ten sessions of each name"
    k = frame.close
    r2 = np.log(k / k.shift()).pow(2)
    # A bar of 12:00 closes at 13:00 and is the last of London: the New York session holds bars opening from 13 to 20.
    ny = [g for _, g in r2[(k.index.hour >= 13) & (k.index.hour < 21)].groupby(r2.index[(k.index.hour >= 13) & (k.index.hour < 21)].date)]
    whole = [np.sqrt(g.mean() * 8760) for g in ny[:-1] if len(g) == 8 and g.notna().all()]
    days = [g.index[0].day_of_week < 5 for g in ny[:-1] if len(g) == 8 and g.notna().all()]
    weekdays = [v for v, weekday in zip(whole, days) if weekday][-20:]
    assert s.vol_ratio == pytest.approx(c.volatility["realized_vol_1h"] / np.median(weekdays), rel=1e-9)
    assert s.adaptive_multiplier == pytest.approx(
        np.clip(s.base_multiplier * s.vol_adjustment * s.volume_adjustment, 0.5, 4.0)
    )


def test_levels_are_known_when_they_say_so(bars):
    """A level shown by the shorter frame is shown by the longer one with the same birth, until it is used up."""
    early, late = bars.iloc[500:900], bars.iloc[500:930]
    one = {l["level_id"]: l for l in barograph.get_context(early).levels}
    two = {l["level_id"]: l for l in barograph.get_context(late).levels}
    both = set(one) & set(two)
    assert len(both) > 20
    for key in both:
        assert one[key]["formed_at"] == two[key]["formed_at"] and one[key]["confirmed_at"] == two[key]["confirmed_at"]
    end = early.index[-1] + pd.Timedelta("1h")
    assert all(pd.Timestamp(l["known_at"]) <= end for l in one.values())
    new = [l for k, l in two.items() if k not in one]
    assert all(pd.Timestamp(l["known_at"]) > end for l in new)


def test_the_side_changes_what_is_said_and_none_is_no_side(frame):
    price = float(frame.close.iloc[-1])
    of = lambda side: barograph.get_context(frame, price, side)
    assert of("long").side == "long" and of(-1).side == "short" and of(None).side is None
    # In the fall the trend is down: the ratio of a short is larger than that of a long.
    assert of("short").market_regime.value in ("DOWNTREND", "STRONG_DOWNTREND")
    assert of("short").risk_params.risk_reward_ratio > of("long").risk_params.risk_reward_ratio == 1.5
    assert of(None).risk_params.risk_reward_ratio == 1.5
    with pytest.raises(FrameError, match="side is None"):
        of(None).get_stop_loss()
    advice = of("short").advice()
    assert advice["verdict"] in ("ALLOW", "CAUTION", "AVOID") and advice["stop"]["used"] > price
    stop = advice["stop"]
    assert stop["r_atr"] == stop["r"] / stop["atr"] and stop["r"] == stop["used"] - advice["entry"]


@pytest.mark.parametrize("word", ["long", "LONG", "BUY", "buy", 1, 1.0, np.int64(1)])
def test_words_of_a_long(frame, word):
    assert barograph.get_context(frame, None, word).side == "long"


@pytest.mark.parametrize("word", ["up", 2, 0.2, True, object()])
def test_words_of_no_side(frame, word):
    with pytest.raises(FrameError, match="side is"):
        barograph.get_context(frame, None, word)


def test_nothing_known_gives_the_legacy_parameters_with_the_reason(frame, caplog):
    for nothing in (None, frame.iloc[:0]):
        c = barograph.get_context(nothing, 50_000.0, "long")
        assert c.is_fallback and c.session is None
        assert c.risk_params.stop_loss_atr_mult == c.risk_params.risk_reward_ratio == 1.5
        assert c.risk_params.fallback_reasons["stop_loss_atr_mult"] == "no_snapshot"
        assert c.get_stop_loss(50_000.0, 400.0) == 49_400.0 and c.get_take_profit(50_000.0, 400.0) == 51_200.0
        # The strategy goes on as it did before there was an engine; the gate still says what it does not know.
        assert c.should_trade() == (True, "fallback_no_data") and c.get_position_size(2.0) == 2.0
        assert c.verdict.value == "AVOID" and c.advice()["error"] == "no_snapshot"
        assert c.to_dict()["fallback"] is True
    assert "legacy parameters" in caplog.text


@pytest.mark.parametrize("few", [1, 2, 3, 14])
def test_too_few_bars_are_a_refusal_and_no_calm(frame, few):
    c = barograph.get_context(frame.iloc[:few], None if few > 1 else 50_000.0, "long")
    assert c.should_trade() == (False, "no_data") and c.verdict.value == "AVOID"
    assert not c.is_fallback and c.regimes["risk"].value == "UNKNOWN" and c.atr is None


def test_confidence_is_the_agreement_of_the_timeframes(bars):
    seen = set()
    for end in range(300, 1100, 40):
        c = barograph.get_context(bars.iloc[end - 300 : end], None, "long")
        labels = [l for l in c.trend["timeframes"].values() if l is not None]
        assert len(labels) == 2, "300 hours hold fifty bars of 1 h and of 4 h"
        assert c.confidence == pytest.approx((2.5 if labels[0] == labels[1] else 1.5) / 3)
        seen.add(c.confidence)
    assert len(seen) == 2


def test_a_stale_frame_and_a_calendar_event_say_avoid(frame):
    now = frame.index[-1] + pd.Timedelta("1h")
    assert barograph.get_context(frame, None, "long", now=now).should_trade()[1] != "data_stale"
    late = barograph.get_context(frame, None, "long", now=now + pd.Timedelta("3h"))
    assert late.should_trade() == (False, "data_stale")
    news = barograph.get_context(frame, None, "long", minutes_to_event=30.0, event_name="CPI")
    assert news.should_trade() == (False, "pre_news_blackout")
    assert "CPI in 30 min" in news.advice()["reasons"][0]["text"]


def test_contexts_are_frozen(frame):
    c = barograph.get_context(frame)
    for owner, name in ((c, "confidence"), (c.session, "vol_ratio"), (c.risk_params, "confidence")):
        with pytest.raises(AttributeError):
            setattr(owner, name, 1.0)


def test_ticks_round_away_from_the_entry(frame):
    c = barograph.get_context(frame, 50_000.0, "long", tick_size=10.0)
    stop = c.get_stop_loss(50_000.0, 333.3)
    assert stop % 10 == 0 and stop <= 50_000.0 - c.risk_params.stop_loss_atr_mult * 333.3


def test_the_headline_has_the_move_of_the_day(bars):
    """By hand: the newest close over the one 24 bars before it."""
    told = 0
    for end in range(600, 2100, 50):
        frame = bars.iloc[end - 500 : end]
        said = re.search(r"([+−-]?)([\d.]+) % in 24 h", barograph.get_context(frame, None, "long").headline)
        if said is None:
            continue
        change = 100.0 * (frame.close.iloc[-1] / frame.close.iloc[-25] - 1.0)
        size = float(said[2]) if said[1] in ("", "+") else -float(said[2])
        assert size == pytest.approx(change, abs=0.06)
        told += 1
    assert told > 10
    short = barograph.get_context(bars.iloc[:24], None, "long").headline
    assert "in 24 h" not in short, "the close of a day before is not there"


def test_the_headline_says_when_moves_are_larger_than_usual():
    """By hand: 600 hours of swings of 0.1 %, then a day of 0.6 %: 56 % a year, more than ever before."""
    sizes = np.where(np.arange(624) < 600, 0.001, 0.006)
    up = np.arange(624) % 2 == 0
    low, high = np.full(624, 100.0), 100.0 * (1.0 + sizes)
    index = pd.date_range("2026-01-05", periods=624, freq="1h", tz="UTC")
    columns = {
        "open": np.where(up, low, high),
        "high": high,
        "low": low,
        "close": np.where(up, high, low),
        "volume": np.full(624, 10.0),
    }
    c = barograph.get_context(pd.DataFrame(columns, index=index), None, "long")
    assert c.regimes["volatility"].value == "HIGH_VOL"
    assert "oves larger than usual (24 h vol 56 % annualised)" in c.headline
