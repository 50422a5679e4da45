"""The originals' own code, typed as their users type it: five steps, the fallback, names of functions."""

import json
import pathlib
import socket
import time

import pandas as pd
import pytest

import barograph

OPENAPI = pathlib.Path(__file__).resolve().parents[3] / "crates/api/openapi.json"
T0 = pd.Timestamp("2026-02-05T00:00:00Z")


class Strategy:
    """A strategy of the second original after its integration guide, with its own way back."""

    base_size = 0.5

    def __init__(self, engine):
        self.engine = engine

    def signal(self, df, entry_price, atr, side):
        # Step 1 and 2: the engine, and one context.
        context = self.engine.get_context(df=df, current_price=entry_price, signal_direction=side)
        # Step 3: may this be traded at all?
        should_trade, reason = context.should_trade()
        if not should_trade:
            return {"skipped": reason}
        # Step 4: stop, target and size.
        trade = {
            "stop_loss": context.get_stop_loss(entry_price, atr, side),
            "take_profit": context.get_take_profit(entry_price, atr, side),
            "position_size": context.get_position_size(self.base_size),
            "reason": reason,
        }
        # Step 5: the record.
        trade["metadata"] = {
            "session": context.session.name.value if context.session else None,
            "regime": context.risk_params.market_regime.value,
            "confidence": context.risk_params.confidence,
            "stop_multiplier": context.risk_params.stop_loss_atr_mult,
            "context": context.to_dict(),
        }
        return trade


def test_the_five_steps(frame):
    entry = float(frame.close.iloc[-1])
    trades = [Strategy(barograph.get_engine()).signal(frame.iloc[:n], entry, 400.0, side) for n in (300, 400, 500) for side in ("BUY", "SELL")]
    for trade, side in zip(trades, ["BUY", "SELL"] * 3):
        if "skipped" in trade:
            assert trade["skipped"] in json.loads(OPENAPI.read_text())["components"]["schemas"]["ReasonCode"]["enum"]
            continue
        sign = 1 if side == "BUY" else -1
        assert (entry - trade["stop_loss"]) * sign > 0 and (trade["take_profit"] - entry) * sign > 0
        assert 0 < trade["position_size"] <= 0.5
        assert trade["metadata"]["session"] in ("ASIAN", "LONDON", "NY", "ROLLOVER")
        assert json.loads(json.dumps(trade["metadata"]))["stop_multiplier"] > 0
    assert any("skipped" not in t for t in trades) and any("skipped" in t for t in trades), "both ways are gone"


@pytest.mark.parametrize("broken", [None, pd.DataFrame(), pd.DataFrame({"price": [1.0, 2.0]}), "no frame at all"])
def test_the_fallback_trades_with_the_legacy_parameters(broken):
    engine = barograph.MarketContextEngine(on_error="fallback")
    trade = Strategy(engine).signal(broken, 50_000.0, 400.0, "BUY")
    assert (trade["stop_loss"], trade["take_profit"], trade["position_size"]) == (49_400.0, 51_200.0, 0.5)
    assert trade["reason"] == "fallback_no_data"
    assert trade["metadata"]["stop_multiplier"] == 1.5 and trade["metadata"]["context"]["risk_reward_ratio"] == 1.5
    target = engine.get_context(broken, 50_000.0, "long").get_target(50_000.0, 400.0)
    assert "3 ATR from the entry" in target["text"] or "ratio" in target["text"], target
    short = Strategy(engine).signal(broken, 50_000.0, 400.0, "SELL")
    assert (short["stop_loss"], short["take_profit"]) == (50_600.0, 48_800.0)


def test_a_target_offers_at_least_half_of_what_the_ratio_says(markets):
    met = {}
    for df in markets.values():
        for end in range(500, len(df), 61):
            for side in ("long", "short"):
                c = barograph.get_context(df.iloc[end - 500 : end], None, side)
                target = c.get_target()
                met[target["target_source"]] = met.get(target["target_source"], 0) + 1
                entry = c.current_price
                rr = abs(c.get_take_profit() - entry) / abs(c.get_stop_loss() - entry)
                assert f"{target['effective_rr']:.2f} times the risk" in target["text"] and target["text"] == c.advice()["target"]["text"]
                assert target["effective_rr"] == pytest.approx(rr) == pytest.approx(c.effective_rr)
                assert target["risk_reward_ratio"] == c.risk_params.risk_reward_ratio
                assert rr >= 0.5 * c.risk_params.risk_reward_ratio - 1e-9, (end, side)
                assert c.to_dict()["effective_rr"] == c.effective_rr and c.advice()["target"]["effective_rr"] == pytest.approx(rr)
    assert met.keys() == {"liquidity", "ratio"}, met


def test_each_verdict_says_something_on_frames(markets, capsys):
    counts, rates = {}, {}
    for df in markets.values():
        for end in range(300, len(df)):
            for side in ("long", "short"):
                c = barograph.get_context(df.iloc[max(0, end - 1000) : end], None, side)
                word = c.verdict.value
                counts[word] = counts.get(word, 0) + 1
                rates[word] = c.verdict_base_rate
    total = sum(counts.values())
    shares = {word: n / total for word, n in counts.items()}
    with capsys.disabled():
        print("\nverdicts on frames:", {word: f"{share:.3f}" for word, share in sorted(shares.items())}, f"of {total}")
    for word in ("ALLOW", "CAUTION", "AVOID"):
        assert 0.10 <= shares[word] <= 0.70, shares
        assert rates[word] == pytest.approx(shares[word], abs=0.006), "the rate beside the verdict is the measured one"


def test_one_word_for_stops_falls_into_thirds_and_sides_are_apart(markets):
    words = {key: {} for key in ("vulnerability_long", "vulnerability_short", "vulnerability")}
    for df in markets.values():
        for end in range(300, len(df), 23):
            stops = barograph.get_context(df.iloc[max(0, end - 500) : end]).stops
            for key, count in words.items():
                count[stops[key]] = count.get(stops[key], 0) + 1
    for key, count in words.items():
        total = sum(count.values())
        assert all(0.22 <= n / total <= 0.47 for n in count.values()) and len(count) == 3, (key, count)


def test_levels_have_the_fields_they_have_over_http(bars):
    want = set(json.loads(OPENAPI.read_text())["components"]["schemas"]["LevelView"]["properties"])
    levels = barograph.get_context(bars.iloc[:800]).levels
    assert all(set(level) == want for level in levels)
    # Volume nodes need sixty bars in a day: the same history as if each hour had been four quarters.
    quarters = pd.concat([bars.iloc[:600].set_index(bars.index[:600] + pd.Timedelta(minutes=15 * k)) for k in range(4)]).sort_index()
    kinds = {level["type"] for level in barograph.get_context(quarters).levels}
    seven = {"EQUAL_HIGHS", "EQUAL_LOWS", "BULLISH_OB", "BEARISH_OB", "BULLISH_FVG", "BEARISH_FVG", "VOLUME_NODE"}
    assert seven <= kinds | {level["type"] for level in levels}, kinds
    node = next(level for level in barograph.get_context(quarters).levels if level["type"] == "VOLUME_NODE")
    assert node["side"] is None and node["timeframe"] == "15m" and 0 < node["strength"] <= 1


def test_bar_by_bar_and_at_once_find_the_same_nodes(bars):
    df = bars.iloc[:120]
    quarters = pd.concat([df.set_index(df.index + pd.Timedelta(minutes=15 * k)) for k in range(4)]).sort_index()
    whole = barograph.get_context(quarters, symbol="BTC").to_dict()
    engine = barograph.MarketContextEngine()
    engine.load("BTC", quarters.iloc[:37])
    for t, r in quarters.iloc[37:].iterrows():
        engine.update("BTC", (int(t.value // 1_000_000), r.open, r.high, r.low, r.close, r.volume))
    assert engine.context("BTC").to_dict()["levels"] == whole["levels"]


def liquidations(n=30, minutes=2.0):
    at = lambda i: T0 + pd.Timedelta(minutes=minutes * i / n)
    return [dict(timestamp=at(i), liquidated_side="LONG", price=60_000.0 - i, qty=5.0) for i in range(n)]


def test_the_third_originals_map_is_typed(bars, funding):
    """Every id has a value or a reason, never both and never neither; flags are bools."""
    stamp = next(c for c in funding.columns if "time" in c or "date" in c)
    rate = next(c for c in funding.columns if "rate" in c)
    t = bars.index[-1] + pd.Timedelta("1h")
    with_oi = bars.assign(open_interest=[1000.0 + (i % 50) for i in range(len(bars))])
    minutes = [t - pd.Timedelta(minutes=m) for m in range(60, -1, -1)]
    calls = [
        {},
        {"klines": bars, "current_oi": 1234.5},
        {
            "funding_history": funding.rename(columns={stamp: "timestamp", rate: "funding_rate"}),
            "premium_data": [dict(timestamp=m, mark_price=100.5, index_price=100.0) for m in minutes],
            "basis_history": [dict(timestamp=m, futures_price=103.0, spot_price=100.0) for m in minutes],
            "liquidations": liquidations(),
            "klines": with_oi,
            "position_tiers": [60.0, 30.0, 10.0],
        },
    ]
    flags = {"funding_extreme_flag", "basis_anomaly", "premium_deviation_flag", "liq_burst_flag", "liq_cascade_flag", "liquidation_cascade_detected"}
    for call in calls:
        out = barograph.extract_all_futures_features(**call)
        for key, value in out.items():
            if not key.endswith("_reason") and key not in ("timestamp", "uncalibrated"):
                assert (value is None) == (f"{key}_reason" in out), key
            if key in flags and value is not None:
                assert isinstance(value, bool), key
            assert isinstance(value, (int, float, str, bool, type(None))), key
            assert value not in ("true", "false"), key
        assert flags <= out.keys()
    assert out["oi_delta_4h"] is not None, "open interest of the bars"
    assert out["basis_anomaly"] is True and out["liquidation_cascade_detected"] is True
    assert barograph.extract_all_futures_features(klines=with_oi)["oi_delta_1h"] == pytest.approx(
        with_oi.open_interest.iloc[-1] / with_oi.open_interest.iloc[-2] - 1
    )


def test_events_are_plain_values():
    found = barograph.detect_cascade_events(liquidations(200), own_history=False)
    assert found and all(isinstance(e["data"], dict) for e in found)
    last = found[-1]["data"]
    assert last["total_liquidated_usd"] > 0 and last["severity"] == last["severity_ratio"]

    def plain(x):
        if isinstance(x, dict):
            return not ({"Number", "Word", "Words", "Missing"} & x.keys()) and all(map(plain, x.values()))
        return all(map(plain, x)) if isinstance(x, list) else isinstance(x, (str, int, float, bool, type(None)))

    assert plain(found) and json.loads(json.dumps(found)) == found
    rates = [dict(timestamp=T0 + pd.Timedelta(hours=i), funding_rate=r) for i, r in enumerate([1e-4 + 1e-6 * (i % 5) for i in range(40)] + [2e-3])]
    anomaly = barograph.detect_funding_anomalies(rates)[0]
    assert plain(anomaly) and anomaly["data"]["reasons"] and anomaly["data"]["score_100"] == anomaly["score"]


def test_closes_at_one_price_are_a_zone():
    one = [dict(timestamp=T0 + pd.Timedelta(minutes=i), liquidated_side="LONG", price=60_000.0, qty=1.0) for i in range(40)]
    (zone,) = barograph.identify_liquidation_support_zones(one)
    assert zone["bottom"] <= 60_000.0 <= zone["top"] and zone["liquidated_side"] == "LONG" and zone["share"] == pytest.approx(1.0)


def test_the_fourth_originals_classifier_needs_no_heat():
    assert barograph.classify_regime_simple(2.0, 0.0) == ("NEUTRAL", 1.0)
    assert barograph.classify_regime_simple(2.0, 0.0, heat=0.85)[0] == "SUPER_HOT"


def test_the_third_originals_analyzer_asks_a_running_barograph(program):
    until, found = time.monotonic() + 100, []
    while not found:
        assert time.monotonic() < until, "no alert of the book's own rule"
        time.sleep(0.5)
        try:
            found = barograph.analyze_futures_market("BTC/USDT", url=program)
        except ValueError as error:
            assert "nothing-yet" in str(error), "before its first minute a market has no answer"
    rule = next(a for a in found if a["pattern_type"] == "ALERT_RULE")
    assert (rule["risk_level"], rule["instrument"], rule["rule"]) == ("HIGH", "binance-usdm:BTCUSDT", "heard")
    assert 0 <= rule["anomaly_score"] <= 100 and "funding_rate_8h is" in rule["explanation"]
    known = lambda alerts: {a["alert_id"] for a in alerts}  # noqa: E731
    everything = barograph.analyze_futures_market("binance-usdm:BTCUSDT", url=program, open_only=False)
    assert known(found) <= known(everything)
    for pattern, detect in [
        ("FUNDING_MANIPULATION", barograph.detect_funding_manipulation),
        ("FUNDING_FARMING", barograph.detect_funding_farming),
        ("LIQUIDATION_CASCADE", barograph.detect_liquidation_cascades),
        ("FORCED_LIQUIDATIONS", barograph.detect_forced_liquidations),
        ("BASIS_MANIPULATION", barograph.detect_basis_manipulation),
    ]:
        own = detect("BTC/USDT:USDT", url=program, open_only=False)
        assert {a["pattern_type"] for a in own} <= {pattern} and known(own) >= {a["alert_id"] for a in everything if a["pattern_type"] == pattern}
    with pytest.raises(ValueError, match="NOPE"):
        barograph.analyze_futures_market("NOPE", url=program)
    checked = barograph.market_analysis("BTC/USDT", url=program)
    health = checked["health"]
    assert checked["instrument"] == "binance-usdm:BTCUSDT" and checked["sources"]
    assert health["score"] == pytest.approx(max(0.0, 100 - health["alert_points"] - health["data_points"]))
    assert {"FUNDING_MANIPULATION", "LIQUIDATION_CASCADE"} <= {check["pattern"] for check in checked["patterns"]}
    with pytest.raises(ValueError, match="had no snapshot|nothing-yet"):
        barograph.market_analysis("BTC/USDT", url=program, as_of="2020-01-01T00:00:00Z")


def test_the_analyzer_says_when_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ConnectionError, match="no barograph answers"):
        barograph.analyze_futures_market("BTC/USDT", url=url)


@pytest.mark.parametrize(
    ("symbol", "there", "market"),
    [
        ("BTC/USDT:USDT", [], "BTCUSDT"),
        ("BTC/USDC:USDC", [], "BTCUSDC"),
        ("BTC/USDT:USDT-261225", [], "BTCUSDT261225"),
        ("BTC/USD:BTC-261225", [], "BTCUSD261225"),
        ("bybit:btc/usdt", [], "bybit:btc/usdt"),
        ("BTC/USD:BTC", ["coinbase:BTC-USD", "dydx:BTC-USD", "bybit:BTCUSD"], "bybit:BTCUSD"),
        ("btc/usd:btc", ["coinbase:BTC-USD", "okx:BTC-USD-SWAP"], "okx:BTC-USD-SWAP"),
        ("ETH/USD:ETH", ["binance-coinm:BTCUSD_PERP", "binance-coinm:ETHUSD_PERP"], "binance-coinm:ETHUSD_PERP"),
        ("BTC/USD:BTC", ["coinbase:BTC-USD", "binance-usdm:BTCUSDT"], "no market that is"),
        ("BTC/USD:BTC", ["bybit:BTCUSD", "okx:BTC-USD-SWAP"], "write one of bybit:BTCUSD, okx:BTC-USD-SWAP"),
        ("BTC/USD:ETH", [], "settled in its base or its quote"),
    ],
)
def test_a_contract_is_asked_for_by_what_it_is_settled_in(monkeypatch, symbol, there, market):
    asked = []

    def items(url, path, query, token):
        if path == "markets":
            return [{"instrument": name, "kind": "perpetual"} for name in there]
        asked.append(query["market"])
        return []

    monkeypatch.setattr(barograph.futures_market, "_items", items)
    if " " in market:
        with pytest.raises(ValueError, match=market):
            barograph.analyze_futures_market(symbol)
        assert asked == []
    else:
        assert barograph.analyze_futures_market(symbol) == []
        assert asked == [market]


def test_every_name_of_the_originals_is_there():
    names = """
        get_engine get_context extract_all_futures_features analyze_futures_market
        detect_funding_manipulation detect_funding_farming detect_liquidation_cascades detect_forced_liquidations detect_basis_manipulation
        detect_cascade_events identify_liquidation_support_zones compute_liquidation_metrics
        detect_funding_anomalies detect_reversal_signals compute_funding_metrics
        compute_volatility_metrics analyze_volatility_persistence compute_volatility_features
        classify_regime_simple compute_pairwise_correlations identify_leading_assets
    """
    for name in names.split():
        assert callable(getattr(barograph, name)) and name in barograph.__all__
