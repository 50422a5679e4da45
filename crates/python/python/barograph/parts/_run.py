"""Runs a plan: finds what is there, has the rest made, and puts results into the order of the plan."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Callable, Dict, Iterator, List, Optional, Sequence

from .._native import FrameError
from ._kept import alone, scratch, settle, unpack, verified
from ._partition import Partition, PartsError, Path, digest_of_all
from ._processes import on_processes
from ._ray import on_ray
from ._tasks import Outcome
from ._work import do

PLACES = ("here", "processes", "ray")


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of one partition."""

    partition: Partition
    """Which."""
    folder: pathlib.Path
    """Where its files are."""
    digest: Optional[str]
    """SHA-256 over names and bytes of its files; None where it could not be made."""
    was_there: bool
    """Whether an earlier run had made it."""
    error: Optional[str]
    """Why it could not be made."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A plan and what came of it, in the order of the plan."""

    results: List[Result]

    @property
    def failed(self) -> List[Result]:
        """Those that could not be made."""
        return [result for result in self.results if result.digest is None]

    @property
    def digest(self) -> Optional[str]:
        """SHA-256 over all partitions and their digests: the same for every place, number of workers and order of completion. None as long
        as one is missing."""
        named = [(result.partition, result.digest) for result in self.results if result.digest is not None]
        return digest_of_all(named) if len(named) == len(self.results) else None


class PartsFailed(PartsError):
    """Some partitions could not be made; the others are kept, and a second run goes on with what is missing."""

    def __init__(self, run: Run) -> None:
        listed = "\n".join(f"  {result.partition.name}: {result.error}" for result in run.failed)
        super().__init__(f"{len(run.failed)} of {len(run.results)} partitions could not be made; run the plan again for these:\n{listed}")
        self.run = run
        """What came of all of them."""


def run(
    partitions: Sequence[Partition],
    out: Path,
    *,
    on: str = "processes",
    workers: Optional[int] = None,
    program: Path = "barograph",
    inputs: str = "paths",
    address: Optional[str] = None,
    watch: Optional[Callable[[Result], None]] = None,
) -> Run:
    """Makes each partition as a task of its own, and leaves its files in a folder of ``out``.

    ``on``: ``here`` (this process, one after another), ``processes`` (of this machine) or ``ray``. ``workers``: how many at a time; without
    it a processor each. ``program`` is the ``barograph`` that ``kpi`` and ``whatif`` ask, on every node under this path. On Ray ``inputs``
    are ``paths``, which with ``out`` every node sees under the same name, or ``bytes``: then inputs and results travel through the object
    store and nothing is shared. ``address`` is that of a cluster (``auto``: the one of this machine); without it one is begun for this run,
    or the one that this process is connected to is used. ``watch`` is called with each result as it comes.

    What is in ``out`` already and whole, by its digest, is not made again; what is damaged is. Raises :class:`PartsFailed` where some could
    not be made, after all others were.
    """
    if on not in PLACES:
        raise FrameError(f"on is '{on}': give {', '.join(PLACES)}")
    if inputs not in ("paths", "bytes") or (inputs == "bytes" and on != "ray"):
        raise FrameError(f"inputs is '{inputs}' on {on}: give paths, or on ray paths or bytes")
    if workers is not None and workers < 1:
        raise FrameError(f"workers is {workers}: give 1 or more, or leave it out")
    place = pathlib.Path(out).absolute()
    seen = watch or _unwatched
    found: Dict[str, Result] = {}
    with alone(place):
        missing: List[Partition] = []
        for part in {p.key: p for p in partitions}.values():
            digest = verified(place, part)
            if digest is None:
                missing.append(part)
            else:
                found[part.key] = Result(part, place / part.folder, digest, True, None)
                seen(found[part.key])
        for outcome in _outcomes(missing, place, on, workers, os.fspath(program), inputs, address):
            result = _settled(outcome, place)
            found[result.partition.key] = result
            seen(result)
    whole = Run([found[part.key] for part in partitions])
    if whole.failed:
        raise PartsFailed(whole)
    return whole


def _outcomes(
    parts: Sequence[Partition],
    out: pathlib.Path,
    on: str,
    workers: Optional[int],
    program: str,
    inputs: str,
    address: Optional[str],
) -> Iterator[Outcome]:
    if not parts:
        return iter(())
    if on == "ray":
        return on_ray(parts, out, program, workers, inputs, address)
    if on == "processes":
        return on_processes(parts, out, program, workers or os.cpu_count() or 1)
    return _here(parts, out, program)


def _here(parts: Sequence[Partition], out: pathlib.Path, program: str) -> Iterator[Outcome]:
    for part in parts:
        try:
            yield Outcome(part, digest=do(part, out, program))
        except Exception as e:
            yield Outcome(part, error=f"{type(e).__name__}: {e}")


def _settled(outcome: Outcome, out: pathlib.Path) -> Result:
    """A result is what lies in the folder, and has to be what the task answered."""
    part, folder, error = outcome.part, out / outcome.part.folder, outcome.error
    if outcome.digest is not None and outcome.files is not None:
        made = scratch(out, part)
        unpack(outcome.files, made)
        settle(made, out, part)
    if error is None and verified(out, part) != outcome.digest:
        error = f"its result is not in {folder} as its worker made it: does every node see that folder? else let inputs travel (inputs='bytes')"
    return Result(part, folder, None if error else outcome.digest, False, error)


def _unwatched(_: Result) -> None:
    return None
