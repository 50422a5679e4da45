"""The flat map of all derivatives features: series go to the engine, forced closes and pairs to their own parts."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from . import _native
from ._tables import columns, numbers, pick, pick_or_none, stamps
from .functions import _events, _rates, compute_funding_metrics, compute_liquidation_metrics

Point = Tuple[int, float, float]

_HOUR = 3_600_000_000_000


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
    if current_oi is not None and not isinstance(current_oi, (int, float)):
        oi = columns(current_oi)
        names = ("open_interest", "openinterest", "sumopeninterest", "oi", "value")
        series.append(("open_interest", _points(oi, names, "open interest")))
    out: Dict[str, Any] = _native.engine_features(klines, series)
    if isinstance(current_oi, (int, float)):
        out["open_interest"] = float(current_oi)
        price = None
        bars = columns(klines)
        closes = pick_or_none(bars, ("close",)) if bars else None
        if closes:
            price = float(closes[-1])
        out["oi_usd"] = None if price is None else float(current_oi) * price
        if price is not None:
            out.pop("oi_usd_reason", None)
    if basis_history is not None:
        table = columns(basis_history)
        futures = numbers(pick(table, ("futures_price", "futures", "future_price", "mark_price"), "futures price"), "futures price")
        spot = numbers(pick(table, ("spot_price", "spot", "index_price"), "spot price"), "spot price")
        for key in ("basis", "basis_zscore_7d"):
            out.pop(f"{key}_reason", None)
        out.update(_native.basis_features(list(zip(stamps(table), futures, spot))))
    if liquidations is not None and _events(liquidations):
        found = compute_liquidation_metrics(liquidations)
        found.pop("timestamp", None)
        for key in found:
            out.pop(f"{key}_reason", None)
        out.update(found)
    if position_tiers is not None:
        out.update(_concentration(position_tiers))
    score = out.get("funding_zscore_24h")
    if running and score is None:
        score = compute_funding_metrics(funding_history).get("funding_zscore_24h")
    # Aliases of the original map.
    out["funding_rate_deviation_std"] = None if score is None else abs(score)
    flags = [out.get("liq_burst_flag"), out.get("liq_cascade_flag")]
    out["liquidation_cascade_detected"] = None if flags == [None, None] else any(bool(f) for f in flags)
    out.setdefault("basis_anomaly", None)
    return out


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
