"""The flat map of all derivatives features: series go to the engine, forced closes and pairs to their own parts."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from . import _native
from ._tables import columns, numbers, pick, pick_or_none, stamps
from .functions import _events, _rates, compute_funding_metrics, compute_liquidation_metrics

Point = Tuple[int, float, float]

_HOUR = 3_600_000_000_000
_INTEREST = ("open_interest", "openinterest", "sum_open_interest", "sumopeninterest", "oi")
_MISSING = "missing_input"


def _points(table: Dict[str, List[Any]], names: Tuple[str, ...], what: str) -> List[Point]:
    values = numbers(pick(table, names, what), what)
    return [(t, v, 8.0) for t, v in zip(stamps(table), values)]


def extract(
    funding_history: Any,
    premium_data: Any,
    basis_history: Any,
    liquidations: Any,
    klines: Any,
    position_tiers: Any,
    current_oi: Any,
) -> Dict[str, Any]:
    """See :func:`barograph.extract_all_futures_features`."""
    series: List[Tuple[str, List[Point]]] = []
    funding = _rates(funding_history, 8.0)
    times = sorted(t for t, _, _ in funding)
    steps = sorted(b - a for a, b in zip(times, times[1:]))
    running = bool(steps) and steps[len(steps) // 2] <= _HOUR // 2
    if funding:
        series.append(("funding_rate" if running else "funding_rate_settled", funding))
    premium = columns(premium_data)
    if premium:
        series.append(("mark_price", _points(premium, ("mark_price", "markprice", "mark"), "mark price")))
        series.append(("index_price", _points(premium, ("index_price", "indexprice", "index"), "index price")))
    interest = _open_interest(klines, current_oi)
    if interest:
        series.append(("open_interest", interest))
    out: Dict[str, Any] = _native.engine_features(klines, series)
    if isinstance(current_oi, (int, float)):
        _take(out, {"open_interest": float(current_oi)})
        bars = columns(klines)
        closes = pick_or_none(bars, ("close",)) if bars else None
        if closes:
            _take(out, {"oi_usd": float(current_oi) * float(closes[-1])})
    if basis_history is not None:
        table = columns(basis_history)
        futures = numbers(pick(table, ("futures_price", "futures", "future_price", "mark_price"), "futures price"), "futures price")
        spot = numbers(pick(table, ("spot_price", "spot", "index_price"), "spot price"), "spot price")
        _take(out, _native.basis_features(list(zip(stamps(table), futures, spot))))
    if liquidations is not None and _events(liquidations):
        found = compute_liquidation_metrics(liquidations)
        found.pop("timestamp", None)
        _take(out, found)
    if position_tiers is not None:
        _take(out, _concentration(position_tiers))
    if running and out.get("funding_zscore_24h") is None:
        computed = compute_funding_metrics(funding_history)
        _take(out, {k: v for k, v in computed.items() if k.startswith("funding_zscore_24h")})
    # Aliases of the original map.
    score = out.get("funding_zscore_24h")
    out.pop("funding_rate_deviation_std_reason", None)
    out["funding_rate_deviation_std"] = None if score is None else abs(score)
    if score is None:
        out["funding_rate_deviation_std_reason"] = out.get("funding_zscore_24h_reason", _MISSING)
    flags = [out.get("liq_burst_flag"), out.get("liq_cascade_flag")]
    out["liquidation_cascade_detected"] = None if flags == [None, None] else any(flags)
    if flags == [None, None]:
        out["liquidation_cascade_detected_reason"] = out.get("liq_burst_flag_reason", _MISSING)
    return out


def _take(out: Dict[str, Any], found: Dict[str, Any]) -> None:
    """Puts values in the place of what stood there: a value goes without a reason, None goes with one."""
    for key, value in found.items():
        if key.endswith("_reason"):
            continue
        out[key] = value
        out.pop(f"{key}_reason", None)
        if value is None:
            out[f"{key}_reason"] = found.get(f"{key}_reason", _MISSING)


def _open_interest(klines: Any, current_oi: Any) -> List[Point]:
    """The table of open interest, or the column of the bars, each at the close of its bar."""
    if current_oi is not None and not isinstance(current_oi, (int, float)):
        return _points(columns(current_oi), (*_INTEREST, "value"), "open interest")
    bars = columns(klines)
    found = pick_or_none(bars, _INTEREST) if bars else None
    if found is None:
        return []
    opens = stamps(bars)
    steps = sorted(b - a for a, b in zip(opens, opens[1:]))
    if not steps:
        return []
    values = ((t + steps[len(steps) // 2], v) for t, v in zip(opens, found))
    there = [(t, v) for t, v in values if v is not None and v == v]
    return [(t, v, 8.0) for (t, _), v in zip(there, numbers([v for _, v in there], "open interest"))]


def _concentration(position_tiers: Any) -> Dict[str, Any]:
    if isinstance(position_tiers, (list, tuple)) and all(isinstance(x, (int, float)) for x in position_tiers):
        exposures = [float(x) for x in position_tiers]
    else:
        table = columns(position_tiers)
        names = ("exposure", "notional", "size", "open_interest")
        exposures = numbers(pick(table, names, "exposure"), "exposure")
    largest, hhi = _native.concentration(exposures)
    out: Dict[str, Any] = {"position_concentration": largest, "position_hhi": hhi}
    if largest is None:
        out["position_concentration_reason"] = "out_of_domain"
        out["position_hhi_reason"] = "out_of_domain"
    return out
