"""The third original's analyzer, asked of a running barograph (R3.25, R3.27)."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

__all__ = [
    "analyze_futures_market",
    "detect_basis_manipulation",
    "detect_forced_liquidations",
    "detect_funding_farming",
    "detect_funding_manipulation",
    "detect_liquidation_cascades",
    "market_analysis",
]

_PATIENCE_S = 20.0
_URL = "http://127.0.0.1:8600"

# "BTC/USDT", "BTC/USDT:USDT" (settled in its quote), "BTC/USD:BTC" (inverse: settled in its base), "BTC/USD:BTC-241227" (dated).
_UNIFIED = re.compile(r"([^/:]+)/([^/:]+)(?::([^/:-]+)(?:-(\d{6}))?)?")

# What venues call the perpetual that is settled in its base. A bare "BTCUSD" would mean a spot market as well.
_INVERSE = {
    "binance-coinm": "{base}{quote}_PERP",
    "bybit": "{base}{quote}",
    "coinex": "{base}{quote}",
    "deribit": "{base}-PERPETUAL",
    "gate": "{base}_{quote}",
    "okx": "{base}-{quote}-SWAP",
}


def analyze_futures_market(
    symbol: str, *, url: str = _URL, open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of one market, newest first, each with ``pattern_type``, ``risk_level``, ``anomaly_score`` and ``explanation``.

    ``symbol`` is written as the originals do (``BTC/USDT``, ``BTC/USDT:USDT``, ``BTC/USD:BTC`` for the inverse contract), as the
    venue does, or as ``venue:symbol``. ``open_only=False`` takes episodes that are over as well. The rest of each dict is the event
    as ``/api/v1/events`` describes it.

    Raises ``ConnectionError`` when no barograph answers at ``url``, ``ValueError`` with its words when it refuses the question or
    when it has no such contract or several, and ``PermissionError`` when it requires a token.
    """
    return _alerts(symbol, None, url, open_only, token)


def market_analysis(
    symbol: str, *, url: str = _URL, as_of: str | None = None, token: str | None = None
) -> dict[str, Any]:
    """One market checked (R3.28): ``health`` from 0 to 100 with its parts, open ``alerts``, every pattern in ``patterns`` with its
    statistic, quiet ones too, and ``sources``, as ``/api/v1/markets/{id}/analysis`` describes them.

    ``as_of`` is a moment as in ``2026-02-05T15:30:00Z``: what was known then. ``symbol`` and errors are those of
    :func:`analyze_futures_market`.
    """
    market = urllib.parse.quote(_market(symbol, url, token), safe=":")
    found: dict[str, Any] = _asked(url, f"markets/{market}/analysis", {"as_of": as_of} if as_of else {}, token)
    return found


def detect_funding_manipulation(
    symbol: str, *, url: str = _URL, open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of :func:`analyze_futures_market` of funding beyond 3 σ of its day (R3.18)."""
    return _alerts(symbol, "FUNDING_MANIPULATION", url, open_only, token)


def detect_funding_farming(
    symbol: str, *, url: str = _URL, open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of :func:`analyze_futures_market` of funding that was beyond its threshold, one way, for most of a week (R3.19)."""
    return _alerts(symbol, "FUNDING_FARMING", url, open_only, token)


def detect_liquidation_cascades(
    symbol: str, *, url: str = _URL, open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of :func:`analyze_futures_market` of liquidations that came fast or were much (R3.20)."""
    return _alerts(symbol, "LIQUIDATION_CASCADE", url, open_only, token)


def detect_forced_liquidations(
    symbol: str, *, url: str = _URL, open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of :func:`analyze_futures_market` of liquidations that were nearly all on one side (R3.23)."""
    return _alerts(symbol, "FORCED_LIQUIDATIONS", url, open_only, token)


def detect_basis_manipulation(
    symbol: str, *, url: str = _URL, open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of :func:`analyze_futures_market` of futures far from spot (R3.21)."""
    return _alerts(symbol, "BASIS_MANIPULATION", url, open_only, token)


def _alerts(symbol: str, pattern: str | None, url: str, open_only: bool, token: str | None) -> list[dict[str, Any]]:
    """Alerts of one market and, where one is named, of one pattern."""
    query = {"market": _market(symbol, url, token), "order": "desc"}
    query |= {"open": "true"} if open_only else {}
    query |= {"pattern": pattern} if pattern else {}
    return [{"pattern_type": event["event_type"], **event} for event in _items(url, "events", query, token)]


def _market(symbol: str, url: str, token: str | None) -> str:
    """The market as the server is asked for it."""
    unified = _UNIFIED.fullmatch(symbol)
    if unified is None:
        return symbol
    base, quote, settle, expiry = unified.groups()
    if settle is None or settle.upper() == quote.upper() or expiry:
        # A date is part of a contract's name, and says enough.
        return f"{base}{quote}{expiry or ''}"
    if settle.upper() != base.upper():
        raise ValueError(f"'{symbol}': a contract is settled in its base or its quote; write venue:symbol")
    base, quote = base.upper(), quote.upper()
    wanted = [f"{venue}:{name.format(base=base, quote=quote)}" for venue, name in _INVERSE.items()]
    there = {market["instrument"] for market in _items(url, "markets", {}, token)}
    found = [name for name in wanted if name in there]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"'{symbol}' is at several venues; write one of {', '.join(found)}")
    raise ValueError(f"{url} has no market that is '{symbol}'; it would be one of {', '.join(wanted)}")


def _items(url: str, path: str, query: dict[str, str], token: str | None) -> list[dict[str, Any]]:
    """The items of one answer."""
    items: list[dict[str, Any]] = _asked(url, path, query, token)["items"]
    return items


def _asked(url: str, path: str, query: dict[str, str], token: str | None) -> Any:
    """One answer."""
    asked = f"{url.rstrip('/')}/api/v1/{path}?{urllib.parse.urlencode(query)}".rstrip("?")
    request = urllib.request.Request(asked)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (401, 403):
                raise PermissionError(f"{url} requires a token it knows (it answered {error.code})") from error
            raise ValueError(f"{url} answered {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"no barograph answers at {url}: {error}") from error
