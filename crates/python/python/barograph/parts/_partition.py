"""A partition: a piece of batch work that depends on no other, written down so that any process can do it and find it again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

from .._native import FrameError

Path = Union[str, "os.PathLike[str]"]
KINDS = ("dataset", "labels", "study", "kpi", "whatif", "own")
"""What a partition can be; ``_work.py`` does each."""
_BLOCK = 1 << 20


class PartsError(RuntimeError):
    """Partitions that could not be made, or input that is another than the plan's; the text names them."""


@dataclasses.dataclass(frozen=True)
class Input:
    """A file that a partition reads."""

    path: str
    """Where the planner found it; every worker sees it there, unless inputs travel as bytes."""
    name: str
    """What it is called for the task, relative to a folder of the task's own, with ``/`` between folders."""
    sha256: str
    """Digest of its bytes; a task whose file has another does not begin."""
    size: int
    """Bytes."""


@dataclasses.dataclass(frozen=True)
class Partition:
    """One independent task: equal partitions give equal bytes, wherever they are done."""

    kind: str
    """One of :data:`KINDS`."""
    market: str
    """``venue:symbol``."""
    start: Optional[str]
    """First instant it is about, ISO-8601; None: from the first that there is."""
    end: Optional[str]
    """First instant it is no longer about; None: to the last that there is."""
    arguments: str
    """Everything else that decides the result, as JSON with sorted keys."""
    inputs: Tuple[Input, ...]
    """Files it reads, by name; it sees no other."""
    made_by: str
    """Digest of the program that does it: the native module, or the ``barograph`` given by path."""

    def settings(self) -> Dict[str, Any]:
        """The arguments as they were given."""
        found: Dict[str, Any] = json.loads(self.arguments)
        return found

    @property
    def name(self) -> str:
        """Kind, market, stretch and arguments in one line for people. The same on every machine."""
        stretch = f" {self.start or ''}..{self.end or ''}" if self.start or self.end else ""
        words = " ".join(f"{key}={_word(value)}" for key, value in self.settings().items() if value not in (None, [], {}, ""))
        return f"{self.kind} {self.market}{stretch}{' ' if words else ''}{words}"

    @property
    def key(self) -> str:
        """Digest of everything that decides the bytes of the result, the program too; paths are no part of it."""
        inputs = [[i.name, i.sha256, i.size] for i in self.inputs]
        decisive = [self.kind, self.market, self.start, self.end, self.arguments, self.made_by, inputs]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()

    @property
    def folder(self) -> str:
        """Name of the folder that holds its result."""
        about = re.sub(r"[^A-Za-z0-9]+", "_", f"{self.kind} {self.market} {self.start or ''}").strip("_")
        return f"{about[:80]}-{self.key[:16]}"

    def record(self) -> Dict[str, Any]:
        """As plain types, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, record: Dict[str, Any]) -> "Partition":
        """From what :meth:`record` gave."""
        try:
            inputs = tuple(Input(**found) for found in record["inputs"])
            return cls(**{**record, "inputs": inputs})
        except (KeyError, TypeError) as e:
            raise FrameError(f"this is no partition ({e}); write plans with: python -m barograph.parts plan") from None


def partition(
    kind: str,
    market: str,
    inputs: Iterable[Input],
    made_by: str,
    arguments: Dict[str, Any],
    stretch: Tuple[Optional[str], Optional[str]] = (None, None),
) -> Partition:
    """A partition with its parts checked and in order."""
    if kind not in KINDS:
        raise FrameError(f"no kind '{kind}'; there are {', '.join(KINDS)}")
    if ":" not in market:
        raise FrameError(f"'{market}' names no venue: write venue:symbol, as in binance-usdm:{market}")
    ordered = tuple(sorted(inputs, key=lambda i: i.name))
    twice = [a.name for a, b in zip(ordered, ordered[1:]) if a.name == b.name]
    if twice:
        raise FrameError(f"two inputs of {market} are called {twice[0]}: give files of different names")
    try:
        words = json.dumps(arguments, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as e:
        raise FrameError(f"arguments of a partition are texts, numbers, lists and mappings: {e}") from None
    return Partition(kind, market, stretch[0], stretch[1], words, ordered, made_by)


def digest_of_file(path: Path) -> Tuple[str, int]:
    """SHA-256 and size of a file."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def input_of(path: Path, name: str) -> Input:
    """A file as an input of that name."""
    whole = os.path.abspath(os.fspath(path))
    sha256, size = digest_of_file(whole)
    return Input(whole, name, sha256, size)


def digest_of_all(named: Sequence[Tuple[Partition, str]]) -> str:
    """Digest over partitions and the digests of their results, in the order given. The program is no part of it, so that two builds can be
    compared."""
    lines: List[str] = [f"{digest}  {part.name}\n" for part, digest in named]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
