"""Feature rows from one's own frames, and stored minutes as tables."""

from __future__ import annotations

import os
from typing import Any, Optional, Sequence, Union

from . import _native
from ._frames import arrow
from ._native import Table


def features(df: Any, trades: Any = None, *, tick: Optional[float] = None) -> Table:
    """The 197 columns of the research data set from wide snapshots of a book and, where there are any, trades: a row each second.

    ``df`` has a row for each state of the book in the order of receipt: a time (``ts``, ``timestamp`` …), ``known_ts`` where the time of receipt
    is known, and ``bid_price_L0``, ``bid_size_L0``, ``ask_price_L0``, ``ask_size_L0`` up to ``L19`` (or Tardis' ``bids[0].price``,
    ``bids[0].amount``); sizes in base. Cells that are null or not above zero are levels that do not exist. ``gap`` says that nothing is known
    between a row and the one before it; without that column a minute without a row is a gap. ``trades`` has a time, ``price``, ``size``
    and ``is_buy`` or ``side`` (who took). ``tick`` is the smallest step of prices.

    The arithmetic is that of ``barograph lab dataset``. Returns ``ts``, ``known_ts``, ``row_valid``, ``reason_mask`` and the 197 columns
    (``barograph.lab.columns()``); the second under way at the end has no row. For bars there is ``compute_volatility_features``.
    """
    return _native.held_features(arrow(df, "snapshots"), None if trades is None else arrow(trades, "trades"), tick)


def minute_features(
    data: "Union[str, os.PathLike[str]]",
    market: str,
    start: Any = None,
    end: Any = None,
    *,
    every: Any = None,
    features: Optional[Sequence[str]] = None,
) -> Table:
    """Stored minutes of a market as a table: ``ts``, ``known_ts``, ``price``, the published labels and every reading, or only ``features``.

    ``data`` is a data folder, or ``postgres://…``; ``market`` is ``venue:symbol``, or a symbol that only one stored market answers to. ``end``
    is exclusive; ``every="1h"`` takes whole hours only. A reading that had no number is null. A row may be used from ``known_ts`` on. Write it
    with ``.write_parquet(path)``, take it with ``.to_polars()``. Ids are those of ``barograph features``.
    """
    wanted = None if features is None else [str(name) for name in features]
    return _native.stored_minutes(os.fspath(data), market, start, end, every, wanted)
