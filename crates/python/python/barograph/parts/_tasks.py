"""What comes of a task, wherever it was done."""

from __future__ import annotations

import dataclasses
from typing import Optional, Sequence

from ._kept import Files
from ._partition import Partition


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A digest, or why there is none."""

    part: Partition
    digest: Optional[str] = None
    files: Optional[Files] = None
    """The result itself, where no folder is shared."""
    error: Optional[str] = None


def lost(ends: Sequence[str]) -> str:
    """A worker died over a partition, and so did the one that tried again."""
    return f"its worker was lost ({', then '.join(ends)}); it is tried twice: is there memory enough, and does it end by itself?"
