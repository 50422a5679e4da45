"""Whatever frame somebody has, as something that offers the Arrow C stream interface."""

from __future__ import annotations

import importlib
from typing import Any

from ._native import FrameError


def arrow(frame: Any, what: str = "rows") -> Any:
    """The frame itself where it offers Arrow; pandas frames and mappings of arrays through pyarrow; lazy frames collected."""
    if hasattr(frame, "collect") and hasattr(frame, "sink_parquet"):
        frame = frame.collect()
    if hasattr(frame, "iloc"):
        return _pandas(frame, what)
    if hasattr(frame, "__arrow_c_stream__"):
        return frame
    if isinstance(frame, dict):
        return _pyarrow(what).table(frame)
    raise FrameError(
        f"{what} must be a Polars or pandas frame, an Arrow table, or a mapping of arrays, not {type(frame).__name__}"
    )


def _pandas(frame: Any, what: str) -> Any:
    pyarrow = _pyarrow(what)
    # An index of instants is the time of the rows.
    if type(frame.index).__name__ == "DatetimeIndex" and not any(name in frame.columns for name in ("ts", "timestamp")):
        frame = frame.rename_axis("ts").reset_index()
    return pyarrow.Table.from_pandas(frame, preserve_index=False)


def _pyarrow(what: str) -> Any:
    try:
        # By name: pyarrow has no types of its own.
        return importlib.import_module("pyarrow")
    except ImportError:
        raise FrameError(f"{what}: pandas frames and mappings are read through pyarrow; run: pip install pyarrow") from None
