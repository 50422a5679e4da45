"""Whatever table somebody has, as lists of plain values: frames of pandas, Polars and Arrow, lists of dicts, dicts of lists."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from ._native import FrameError, instant_ns


def columns(table: Any) -> Dict[str, List[Any]]:
    """Columns by lower-case name. A pandas index of instants is the column ``timestamp``."""
    if table is None:
        return {}
    if hasattr(table, "iloc"):
        out = {str(name): table[name].tolist() for name in table.columns}
        if type(table.index).__name__ == "DatetimeIndex":
            out.setdefault("timestamp", list(table.index))
    elif hasattr(table, "get_columns"):
        out = table.to_dict(as_series=False)
    elif hasattr(table, "to_pydict"):
        out = table.to_pydict()
    elif isinstance(table, dict):
        out = {str(k): (v.tolist() if hasattr(v, "tolist") else list(v)) for k, v in table.items()}
    elif isinstance(table, (list, tuple)):
        rows = list(table)
        if any(not isinstance(row, dict) for row in rows):
            raise FrameError("a list must hold dicts, one for each row")
        names = {str(k): None for row in rows for k in row}
        out = {name: [row.get(name) for row in rows] for name in names}
    else:
        raise FrameError(f"a table must be a frame, a list of dicts or a dict of lists, not {type(table).__name__}")
    return {name.lower(): list(values) for name, values in out.items()}


def pick(table: Dict[str, List[Any]], names: Sequence[str], what: str) -> List[Any]:
    """The first column of these names."""
    found = pick_or_none(table, names)
    if found is None:
        there = ", ".join(table) or "no columns"
        raise FrameError(f"no {what}: the table has {there}; give one of {', '.join(names)}")
    return found


def pick_or_none(table: Dict[str, List[Any]], names: Sequence[str]) -> Optional[List[Any]]:
    """The first column of these names, if there is one."""
    for name in names:
        if name.lower() in table:
            return table[name.lower()]
    return None


TIMES = ("timestamp", "date", "time", "datetime", "fundingtime", "funding_time", "open_time", "ts")


def stamps(table: Dict[str, List[Any]]) -> List[int]:
    """Nanoseconds since 1970 of the time column."""
    return [instant_ns(x) for x in pick(table, TIMES, "time column")]


def numbers(values: Sequence[Any], what: str) -> List[float]:
    """Floats; what is no number is named with its row."""
    out = []
    for row, value in enumerate(values):
        try:
            out.append(float(value))
        except (TypeError, ValueError):
            raise FrameError(f"{what} of row {row} is {value!r}: give a number") from None
    return out
