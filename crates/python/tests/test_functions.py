"""The original functions over plain frames and dicts."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import barograph as b

T0 = pd.Timestamp("2026-02-05T00:00:00Z")


def burst(n=200, start=T0, price=60_000.0, side="LONG", minutes=2.0, usd=20_000.0):
    return [
        dict(timestamp=start + pd.Timedelta(minutes=minutes * i / n), liquidated_side=side, price=price - i, qty=usd / price)
        for i in range(n)
    ]


def test_metrics_count_both_sides():
    events = burst(60, side="LONG") + burst(20, side="SHORT", price=61_000.0)
    m = b.compute_liquidation_metrics(events)
    long = sum(e["price"] * e["qty"] for e in events if e["liquidated_side"] == "LONG")
    assert m["liq_long_usd_1h"] == pytest.approx(long, rel=1e-9)
    assert m["liq_long_share_1h"] == pytest.approx(long / (long + m["liq_short_usd_1h"]))
    assert m["liq_velocity_4h"] == pytest.approx(long + m["liq_short_usd_1h"]), "an hour at least"
    same = b.compute_liquidation_metrics(pd.DataFrame(events))
    assert same == m == b.compute_liquidation_metrics(pl.DataFrame(events))


def test_an_orders_side_closes_the_other_one():
    events = burst(30)
    orders = [{**e, "side": "SELL"} for e in events]
    for e in orders:
        del e["liquidated_side"]
    assert b.compute_liquidation_metrics(orders) == b.compute_liquidation_metrics(events)
    with pytest.raises(b.FrameError, match="side of row 0"):
        b.compute_liquidation_metrics([{**events[0], "liquidated_side": "up"}])


def test_a_cascade_is_an_event_and_calm_is_none():
    found = b.detect_cascade_events(burst(), own_history=False, symbol="BTC/USDT")
    assert found and {e["event_type"] for e in found} == {"LIQUIDATION_CASCADE"}
    assert {e["trigger"] for e in found} >= {"burst", "sustained"}
    assert found[0]["symbol"] == "BTC/USDT" and found[0]["title"] and found[0]["description"]
    assert b.detect_cascade_events(burst(3, minutes=600.0, usd=100.0)) == []
    assert b.detect_cascade_events([]) == []


def test_zones_lie_where_most_was_closed():
    zones = b.identify_liquidation_support_zones(burst(100, price=60_000.0) + burst(10, price=70_000.0))
    top = max(zones, key=lambda z: z["usd"])
    assert 59_800 < top["price"] < 60_100 and top["liquidated_side"] == "LONG"
    assert b.identify_liquidation_support_zones(burst(5)) == []


def hourly(rates):
    return [dict(timestamp=T0 + pd.Timedelta(hours=i), funding_rate=r) for i, r in enumerate(rates)]


def test_funding_metrics_are_those_of_numpy():
    rng = np.random.default_rng(3)
    rates = 0.0001 + 0.00002 * rng.standard_normal(48)
    m = b.compute_funding_metrics(hourly(rates))
    day = rates[-24:]
    assert m["funding_rate_8h"] == pytest.approx(rates[-1])
    assert m["funding_mean_24h"] == pytest.approx(day.mean())
    assert m["funding_zscore_24h"] == pytest.approx((rates[-1] - day.mean()) / day.std(), rel=1e-9)
    assert m["funding_pct_30d"] is None and m["funding_pct_30d_reason"] == "warming"


def test_anomalies_and_reversals():
    rates = [0.0001 + 1e-6 * (i % 5) for i in range(40)] + [0.002]
    found = b.detect_funding_anomalies(hourly(rates))
    assert found and found[0]["event_type"] == "FUNDING_ANOMALY"
    assert b.detect_reversal_signals(hourly(rates)) == []
    turned = b.detect_reversal_signals(hourly([0.0006] * 30 + [-0.0006] * 10))
    assert turned and turned[0]["event_type"] == "FUNDING_REVERSAL"


def test_volatility(bars):
    m = b.compute_volatility_metrics(bars)
    assert m["vol_class"] in ("STABLE", "HIGH_VOL", "EXPLOSIVE", "EXTREME")
    assert 0 <= m["vol_pct_rank"] <= 1 and m["vol_class_pct"]
    k = bars.close.to_numpy()
    r2 = pd.Series(np.log(k[1:] / k[:-1]) ** 2)
    day = r2.rolling(24).mean().dropna().to_numpy()[-2160:]
    assert m["vol_pct_rank"] == pytest.approx((np.sum(day < day[-1]) + 0.5) / len(day), abs=0.01)
    h, l, o = (bars[n].to_numpy()[-24:] for n in ("high", "low", "open"))
    assert m["vol_parkinson"] == pytest.approx(np.sqrt(np.mean(np.log(h / l) ** 2) / (4 * np.log(2)) * 8760), rel=1e-9)
    c = k[-24:]
    rs = np.mean(np.log(h / c) * np.log(h / o) + np.log(l / c) * np.log(l / o))
    assert m["vol_rogers_satchell"] == pytest.approx(np.sqrt(rs * 8760), rel=1e-9)
    assert set(m) < set(b.compute_volatility_features(bars))


def test_persistence_is_the_autoregression_of_daily_variance(bars):
    p = b.analyze_volatility_persistence(bars)
    r2 = np.log(bars.close / bars.close.shift()).pow(2)
    closes = bars.index + pd.Timedelta("1h")
    days = r2.groupby((closes - pd.Timedelta("1ns")).floor("1D")).sum()
    whole = days[(closes.max() >= days.index + pd.Timedelta("1D"))]
    y = np.log(whole.to_numpy()[-60:])
    phi = np.polyfit(y[:-1], y[1:], 1)[0]
    if 0 < phi < 1:
        assert p["phi"] == pytest.approx(phi, rel=1e-6)
        assert p["vol_halflife"] == pytest.approx(-np.log(2) / np.log(phi), rel=1e-6)
    else:
        assert p["phi"] is None and p["phi_reason"] == "out_of_domain"
    assert p["vol_har_forecast"] is None and p["vol_har_forecast_reason"] == "warming", "88 days are fewer than 90"


@pytest.mark.parametrize(
    "inputs,want",
    [
        ((2.0, 0.0, 0.85), ("SUPER_HOT", 0.95)),
        ((1.0, 0.0, 0.85), ("HOT", 0.85)),
        ((-1.2, 0.0, 0.7), ("HOT", 0.7)),
        ((0.0, -0.1, 0.1), ("COLD", 0.9)),
        ((0.0, 0.1, 0.1), ("COOL", 0.9)),
        ((0.0, 0.0, 0.3), ("COOL", 0.7)),
        ((0.0, 0.0, 0.5), ("NEUTRAL", 1.0)),
        ((0.5, 0.0, 0.7), ("NEUTRAL", 0.6)),
    ],
)
def test_the_simple_classifier(inputs, want):
    label, score = b.classify_regime_simple(*inputs)
    assert label == want[0] and score == pytest.approx(want[1])


def test_correlations_of_real_markets(markets):
    prices = {m: f.set_axis(f.index + pd.Timedelta("1h")) for m, f in markets.items()}
    pairs = {(p["a"], p["b"]): p for p in b.compute_pairwise_correlations(prices)}
    r = pd.DataFrame({m: np.log(f.close).diff() for m, f in prices.items()})
    got = pairs[("BTC", "ETH")]
    assert got["corr_20"]["value"] == pytest.approx(r.BTC.iloc[-20:].corr(r.ETH.iloc[-20:]), abs=1e-9)
    assert got["corr_30d"]["value"] == pytest.approx(r.BTC.iloc[-720:].corr(r.ETH.iloc[-720:]), abs=1e-9)
    assert got["band"]["source"] == "stated" and got["state"] in ("NORMAL", "WATCH", "BREAK")
    wide = pd.DataFrame({m: f.close for m, f in prices.items()})
    assert len(b.compute_pairwise_correlations(wide)) == 3


def test_who_leads():
    rng = np.random.default_rng(5)
    r = rng.standard_normal(3 * 1440) * 1e-4
    late = np.concatenate([[0.0] * 2, r[:-2]]) + rng.standard_normal(len(r)) * 2e-5
    t = pd.date_range("2026-01-01", periods=len(r), freq="1min", tz="UTC")
    first, second = (pd.Series(100 * np.exp(np.cumsum(x)), index=t) for x in (r, late))
    out = b.identify_leading_assets({"AAA": first, "BBB": second})
    assert out["leading"] == "AAA" and out["scores"]["AAA"] > 0 > out["scores"]["BBB"]
    lead = out["pairs"][0]["lead"]
    assert abs(lead["best"]["lag"]) == 2 and lead["significant"] is True


def test_the_flat_map(bars, funding):
    stamp = next(c for c in funding.columns if "time" in c or "date" in c)
    rate = next(c for c in funding.columns if "rate" in c)
    t = bars.index[-1] + pd.Timedelta("1h")
    oi = [dict(timestamp=t - pd.Timedelta(hours=h), open_interest=1000.0 + h) for h in range(48, -1, -1)]
    marks = [dict(timestamp=t - pd.Timedelta(minutes=m), mark_price=100.5, index_price=100.0) for m in range(60, -1, -1)]
    basis = [dict(timestamp=t - pd.Timedelta(minutes=m), futures_price=103.0, spot_price=100.0) for m in range(60, -1, -1)]
    out = b.extract_all_futures_features(
        funding_history=funding.rename(columns={stamp: "timestamp", rate: "funding_rate"}),
        premium_data=marks,
        basis_history=basis,
        liquidations=burst(30, start=t - pd.Timedelta("10min")),
        klines=bars,
        position_tiers=[60.0, 30.0, 10.0],
        current_oi=oi,
    )
    assert out["oi_delta_4h"] == pytest.approx(1000.0 / 1004.0 - 1.0)
    assert out["premium"] == pytest.approx(0.005) and out["basis"] == pytest.approx(0.03) and out["basis_anomaly"] is True
    assert out["position_concentration"] == pytest.approx(0.6) and out["position_hhi"] == pytest.approx(0.46)
    assert out["liquidation_cascade_detected"] is True
    assert out["funding_rate_settled_8h"] is not None
    for key, value in out.items():
        assert isinstance(value, (int, float, str, bool, type(None))), key
    nothing = b.extract_all_futures_features()
    assert nothing["funding_rate_8h"] is None and nothing["liquidation_cascade_detected"] is None
