"""The third original's analyzer, asked of a running barograph (R3.25, R3.27)."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

__all__ = ["analyze_futures_market"]

_PATIENCE_S = 20.0


def analyze_futures_market(
    symbol: str, *, url: str = "http://127.0.0.1:8600", open_only: bool = True, token: str | None = None
) -> list[dict[str, Any]]:
    """Alerts of one market, newest first, each with ``pattern_type``, ``risk_level``, ``anomaly_score`` and ``explanation``.

    ``symbol`` is written as the originals do (``BTC/USDT``), as the venue does, or as ``venue:symbol``. ``open_only=False`` takes
    episodes that are over as well. The rest of each dict is the event as ``/api/v1/events`` describes it.

    Raises ``ConnectionError`` when no barograph answers at ``url``, ``ValueError`` with its words when it refuses the question, and
    ``PermissionError`` when it wants a token.
    """
    market = symbol.replace("/", "").removesuffix(":USDT") if "/" in symbol else symbol
    query = urllib.parse.urlencode({"market": market, "order": "desc", **({"open": "true"} if open_only else {})})
    request = urllib.request.Request(f"{url.rstrip('/')}/api/v1/events?{query}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as reply:
            items: list[dict[str, Any]] = json.load(reply)["items"]
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (401, 403):
                raise PermissionError(f"{url} wants a token that it knows (it answered {error.code})") from error
            raise ValueError(f"{url} answered {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"no barograph answers at {url}: {error}") from error
    return [{"pattern_type": event["event_type"], **event} for event in items]
