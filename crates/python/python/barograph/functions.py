"""The original functions over plain frames and dicts, through the streaming detectors of the engine.

Tables may be pandas, Polars or Arrow frames, lists of dicts, or dicts of lists. Instants may be datetimes (naive is UTC),
ISO text, or numbers since 1970. A number that is not there is None, with ``<id>_reason`` beside it.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from . import _native
from ._native import FrameError
from ._tables import columns, numbers, pick, pick_or_none, stamps

_SIDES = ("liquidated_side", "side", "position_side")
_PRICES = ("price", "average_price", "ap", "p")
_SIZES = ("qty", "quantity", "size", "amount", "q", "executed_qty")


def _is_long(value: Any, forced_order: bool, row: int) -> bool:
    word = str(getattr(value, "value", value)).strip().lower()
    if word in ("long", "longs"):
        return True
    if word in ("short", "shorts"):
        return False
    # An order's side: a long is closed by selling.
    if word in ("sell", "s"):
        return forced_order
    if word in ("buy", "b"):
        return not forced_order
    raise FrameError(f"side of row {row} is {value!r}: give LONG or SHORT (whose position was closed), or the order's SELL or BUY")


def _events(liquidations: Any) -> List[Tuple[int, bool, float, float]]:
    table = columns(liquidations)
    if not table or not next(iter(table.values())):
        return []
    sides = pick(table, _SIDES, "side")
    longs = [_is_long(side, True, row) for row, side in enumerate(sides)]
    price = numbers(pick(table, _PRICES, "price"), "price")
    quantity = numbers(pick(table, _SIZES, "quantity"), "quantity")
    return list(zip(stamps(table), longs, price, quantity))


def _at(moment: Any) -> Optional[int]:
    return None if moment is None else _native.instant_ns(moment)


def detect_cascade_events(
    liquidations: Any, until: Any = None, *, own_history: bool = True, symbol: str = "FRAME"
) -> List[Dict[str, Any]]:
    """Liquidation cascades, burst and sustained: every record of every episode in order of time (R4.7).

    ``liquidations`` has a time, ``liquidated_side`` (LONG, SHORT; an order's SELL or BUY is understood), ``price`` and
    ``qty``, and is complete up to ``until``. ``own_history=False`` judges by the original floors alone.
    """
    found: List[Dict[str, Any]] = _native.cascade_events(_events(liquidations), _at(until), own_history, symbol)
    return found


def identify_liquidation_support_zones(liquidations: Any, at: Any = None) -> List[Dict[str, Any]]:
    """Price zones where most was liquidated within seven days, decayed by a day's half-life (R4.6); empty below 20 events."""
    found: List[Dict[str, Any]] = _native.liquidation_zones(_events(liquidations), _at(at))
    return found


def compute_liquidation_metrics(liquidations: Any, at: Any = None) -> Dict[str, Any]:
    """All liquidation features at ``at`` (default: the minute after the last event) from a list complete for the day before."""
    found: Dict[str, Any] = _native.liquidation_metrics(_events(liquidations), _at(at))
    return found


_RATES = ("funding_rate", "fundingrate", "rate", "value")


def _rates(funding: Any, interval_h: float) -> List[Tuple[int, float, float]]:
    table = columns(funding)
    if not table:
        return []
    rates = numbers(pick(table, _RATES, "funding rate"), "rate")
    hours = pick_or_none(table, ("interval_h", "interval_hours", "funding_interval_hours"))
    intervals = [interval_h] * len(rates) if hours is None else numbers(hours, "interval")
    return list(zip(stamps(table), rates, intervals))


def compute_funding_metrics(funding: Any, *, interval_h: float = 8.0) -> Dict[str, Any]:
    """Funding features at the last of these observations (R4.13): rates as fractions per interval."""
    found: Dict[str, Any] = _native.funding_metrics(_rates(funding, interval_h))
    return found


def detect_funding_anomalies(funding: Any, *, interval_h: float = 8.0, symbol: str = "FRAME") -> List[Dict[str, Any]]:
    """Funding far from its usual range, or moved fast, with reasons (R4.10, R4.12)."""
    found: List[Dict[str, Any]] = _native.funding_alerts(_rates(funding, interval_h), False, symbol)
    return found


def detect_reversal_signals(funding: Any, *, interval_h: float = 8.0, symbol: str = "FRAME") -> List[Dict[str, Any]]:
    """Changes of sign of funding, fast enough to matter (R4.9). An observation, not a signal to trade."""
    found: List[Dict[str, Any]] = _native.funding_alerts(_rates(funding, interval_h), True, symbol)
    return found


def compute_volatility_metrics(df: Any, *, timeframe: Any = None, last_bar_open: bool = False) -> Dict[str, Any]:
    """Volatility at the newest bar (R4.17): windows, class with multiplier and size factor, range estimators, rank."""
    found: Dict[str, Any] = _native.volatility_metrics(df, timeframe, last_bar_open)
    return found


def analyze_volatility_persistence(df: Any, *, timeframe: Any = None) -> Dict[str, Any]:
    """How long volatility lasts (R4.16): half-life and persistence of daily variance, and the HAR forecast of the next day."""
    found: Dict[str, Any] = _native.volatility_persistence(df, timeframe)
    return found


def compute_volatility_features(df: Any, *, timeframe: Any = None, last_bar_open: bool = False) -> Dict[str, Any]:
    """Metrics and persistence in one flat map (R4.17)."""
    out = compute_volatility_metrics(df, timeframe=timeframe, last_bar_open=last_bar_open)
    out.update(analyze_volatility_persistence(df, timeframe=timeframe))
    return out


def _prices(prices: Mapping[str, Any]) -> List[Tuple[str, List[int], List[float]]]:
    out = []
    if hasattr(prices, "iloc") or hasattr(prices, "get_columns") or hasattr(prices, "to_pydict"):
        table = columns(prices)
        times = stamps(table)
        for name, values in table.items():
            if name not in ("timestamp", "date", "time", "datetime"):
                out.append((name.upper(), times, numbers(values, name)))
        return out
    for name, series in prices.items():
        if hasattr(series, "index") and not hasattr(series, "columns") and hasattr(series, "tolist"):
            out.append((str(name), [_native.instant_ns(t) for t in series.index], numbers(series.tolist(), str(name))))
        else:
            table = columns(series)
            out.append((str(name), stamps(table), numbers(pick(table, ("close", "price", "value"), "price"), str(name))))
    return out


def compute_pairwise_correlations(prices: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Correlation of hourly returns of every pair at the last whole hour: 20 hours, 30 days, bands, state (R4.23, R4.24).

    ``prices`` maps names to series or frames with ``close``, or is a frame with a column for each name; stamps are the
    instants of the prices, on whole minutes. At most twelve names.
    """
    found: List[Dict[str, Any]] = _native.universe(_prices(prices))["pairs"]
    return found


def identify_leading_assets(prices: Mapping[str, Any]) -> Dict[str, Any]:
    """Who moves first (R4.25): lead scores over pairs from 24 hours of one-minute returns, with the test of significance."""
    row = _native.universe(_prices(prices))
    return {"timestamp": row["ts"], "leading": row["leading"], "scores": row["scores"], "pairs": row["leads"]}


def extract_all_futures_features(
    funding_history: Any = None,
    premium_data: Any = None,
    basis_history: Any = None,
    liquidations: Any = None,
    klines: Any = None,
    position_tiers: Any = None,
    current_oi: Any = None,
) -> Dict[str, Any]:
    """All derivatives features in one flat map, by the whole engine (R3.16).

    ``funding_history``: time, rate, ``interval_h`` (settled rates; running ones where they come at least hourly).
    ``premium_data``: time, ``mark_price``, ``index_price``. ``basis_history``: time, ``futures_price``, ``spot_price``.
    ``liquidations``: as elsewhere. ``klines``: a frame of bars. ``position_tiers``: exposures of the tiers.
    ``current_oi``: a number, or a table with time and ``open_interest``. What is left out is None with its reason.
    """
    from ._futures import extract

    return extract(funding_history, premium_data, basis_history, liquidations, klines, position_tiers, current_oi)
