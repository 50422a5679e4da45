"""Plans: the partitions that lab and what-if work falls into by itself, in an order that depends on the question alone."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .. import lab
from .._native import FrameError, instant_ns
from ._partition import Input, Partition, Path, input_of, partition
from ._work import native_digest, program_digest, pyarrow_version

Stretch = Tuple[str, str]
_HOUR = 3_600_000_000_000
_FEATURES = ("silver", "features")
# Of targets whose horizon is counted in changes of the book.
_TICKS_END_WITHIN_S = 3_600.0


def months(first: str, last: str) -> List[Stretch]:
    """Calendar months (UTC) from ``first`` to ``last``, both as in ``2026-02`` and both included, as ``(start, end)``."""
    try:
        (year, month), until = ([int(x) for x in text.split("-")] for text in (first, last))
        found = []
        while [year, month] <= until:
            after = (year + month // 12, month % 12 + 1)
            found.append((_iso(datetime.datetime(year, month, 1)), _iso(datetime.datetime(*after, 1))))
            year, month = after
    except ValueError:
        raise FrameError(f"'{first}' and '{last}' are no months: write them as in 2026-02") from None
    if not found:
        raise FrameError(f"{first} comes after {last}: give the earlier month first")
    return found


def days(start: Any, end: Any) -> List[Stretch]:
    """Days (UTC) from the one of ``start`` until before ``end``, as ``(start, end)``."""
    first, last = instant_ns(start) // (24 * _HOUR), -(-instant_ns(end) // (24 * _HOUR))
    return [(_at(day * 24 * _HOUR), _at((day + 1) * 24 * _HOUR)) for day in range(first, last)]


def dataset(
    recordings: Mapping[str, Sequence[Sequence[Path]]], *, tick: Optional[float] = None, contract_size: Optional[float] = None
) -> List[Partition]:
    """The 197 columns of recordings: of each market a lake for each group of files, as :func:`barograph.lab.record` makes it.

    A group is what one run would be given, such as the files of a day. Each is a run of its own: its first row stands behind a gap and its
    windows begin anew (ADR 37). Give the files of a market in one group where they are to be one run.
    """
    made_by, found = native_digest(), []
    for market in sorted(recordings):
        for files in recordings[market]:
            if isinstance(files, (str, os.PathLike)):
                raise FrameError(f"groups of {market} are lists of files: write [[file, file], [file]]")
            inputs = [input_of(file, pathlib.Path(file).name) for file in files]
            found.append(partition("dataset", market, inputs, made_by, {"tick": tick, "contract_size": contract_size}))
    return found


def labels(lake: Path, markets: Sequence[str], targets: Sequence[str], *, every: str = "day") -> List[Partition]:
    """Labels of targets: a partition for each market, target and ``hour``, ``day`` or ``month`` (UTC) that the lake has rows of.

    Each reads as far behind its stretch as the target reaches ahead, so that together they are what one call over everything gives. Labels by
    changes of the book (``*tick``) are read an hour ahead.
    """
    made_by, found = native_digest(), []
    horizons = {t.name: t.horizon_s for t in lab.target_list()}
    held = {market: _hours(pathlib.Path(lake), market) for market in _once(markets)}
    for market, hours in held.items():
        for target in _once(targets):
            if target not in horizons:
                raise FrameError(f"there is no target '{target}'; there are {', '.join(horizons)}")
            ahead = int((horizons[target] or _TICKS_END_WITHIN_S) * 1e9) + 60_000_000_000
            for start, end in _stretches(list(hours), every):
                inputs = [one for hour, files in hours.items() if start <= hour < end + ahead for one in files]
                given = {"target": target, "read_to": _at(end + ahead), "pyarrow": pyarrow_version()}
                found.append(partition("labels", market, inputs, made_by, given, (_at(start), _at(end))))
    return found


def studies(lake: Path, markets: Sequence[str], targets: Sequence[str], **settings: Any) -> List[Partition]:
    """Studies of the lab's own models: a partition for each market and target, with the settings of :func:`barograph.lab.train`.

    What is kept of each is its board and its folds. The folds of one study are not divided: a study chooses and calibrates over all of them.
    """
    known = {"folds", "embargo", "rows_min", "preset", "seed", "models", "weights"}
    for name in settings:
        if name not in known:
            raise FrameError(f"lab.train has no setting '{name}'; there are {', '.join(sorted(known))}")
    made_by, found = native_digest(), []
    for market in _once(markets):
        inputs = [one for files in _hours(pathlib.Path(lake), market).values() for one in files]
        found += [partition("study", market, inputs, made_by, {**settings, "target": target}) for target in _once(targets)]
    return found


def kpi(
    history: Path,
    stretches: Sequence[Stretch],
    grid: Sequence[Mapping[str, Any]] = ({},),
    *,
    program: Path = "barograph",
    markets: Optional[Sequence[str]] = None,
) -> List[Partition]:
    """What context was worth to strategies (``barograph kpi``): a partition for each market, stretch and entry of the grid.

    ``history`` has a folder ``venue/symbol`` for each market, and files that describe them beside those folders. An entry of the grid
    is a mapping of options of that command, as in ``{"horizon": "24h", "strategy": "all"}``.
    """
    made_by, found, root = program_digest(program), [], pathlib.Path(history)
    beside = [p for p in sorted(root.iterdir()) if p.is_file()]
    there = {f"{p.parent.name}:{p.name}": p for p in sorted(root.glob("*/*")) if p.is_dir()}
    for market in _once(there if markets is None else markets):
        if market not in there:
            raise FrameError(f"{root} has no folder of {market}; there are {', '.join(there)}")
        files = [*beside, *(p for p in sorted(there[market].rglob("*")) if p.is_file())]
        inputs = [input_of(p, p.relative_to(root).as_posix()) for p in files]
        found += [partition("kpi", market, inputs, made_by, dict(words), stretch) for stretch in stretches for words in grid]
    return found


def whatif(
    data: Path,
    markets: Sequence[str],
    stretches: Sequence[Stretch],
    changes: Sequence[Sequence[str]],
    *,
    program: Path = "barograph",
    book: Optional[Path] = None,
    base: Optional[str] = None,
) -> List[Partition]:
    """A changed rule book over stored minutes (``barograph rules whatif``): a partition for each market, stretch and change.

    A change is a list of thresholds, as in ``["HIGH_VOL.realized_vol_1h=1.0"]``; ``[]`` is the book as it is. ``book`` is a file, or the name
    of a book that comes with the program. Labels of a stretch begin with it, as in the command. The data folder must be at rest.
    """
    made_by, found, folder = program_digest(program), [], pathlib.Path(data)
    waiting = folder / "barograph.db-wal"
    if waiting.is_file() and waiting.stat().st_size > 0:
        raise FrameError(f"a process writes into {folder}, or was killed there: end it, or run: barograph db check --data {folder}")
    if not (folder / "barograph.db").is_file():
        raise FrameError(f"{folder} has no barograph.db: fill it with barograph collect")
    inputs = [input_of(folder / "barograph.db", "barograph.db")]
    named = None if book is None else os.fspath(book)
    if named is not None and pathlib.Path(named).is_file():
        inputs.append(input_of(named, "book.toml"))
        named = "book.toml"
    for market in _once(markets):
        for stretch in stretches:
            for change in changes:
                given = {"set": list(change), "book": named, "base": base}
                found.append(partition("whatif", market, inputs, made_by, given, stretch))
    return found


def own(
    call: str, markets: Sequence[str], inputs: Mapping[str, Sequence[Path]], grid: Sequence[Mapping[str, Any]] = ({},)
) -> List[Partition]:
    """A function of your own: a partition for each market and entry of the grid.

    ``call`` is ``module:function``, which every worker can import. It is given two folders, one with the inputs of the market (by file name)
    and an empty one for what it makes, the market, and the entry of the grid as keywords. Equal input has to give equal bytes: seed what
    draws.
    """
    made_by, found = native_digest(), []
    for market in _once(markets):
        files = [input_of(file, pathlib.Path(file).name) for file in inputs.get(market, ())]
        for given in grid:
            found.append(partition("own", market, files, made_by, {"call": call, "given": dict(given)}))
    return found


def write_plan(parts: Sequence[Partition], path: Path) -> None:
    """Keeps a plan as JSON lines, a partition each."""
    lines = "".join(json.dumps(part.record(), sort_keys=True) + "\n" for part in parts)
    pathlib.Path(path).write_text(lines, encoding="utf-8")


def read_plan(path: Path) -> List[Partition]:
    """A plan as it was kept."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    try:
        return [Partition.of(json.loads(line)) for line in text.splitlines() if line]
    except json.JSONDecodeError as e:
        raise FrameError(f"{os.fspath(path)} is no plan ({e}); write plans with: python -m barograph.parts plan") from None


def _once(names: Any) -> List[str]:
    if isinstance(names, str):
        return [names]
    return sorted({str(name) for name in names})


def _hours(lake: pathlib.Path, market: str) -> Dict[int, List[Input]]:
    """Files of a market's feature rows, by the hour they are of."""
    venue, colon, symbol = market.partition(":")
    if not colon:
        raise FrameError(f"'{market}' names no venue: write venue:symbol, as in binance-usdm:{market}")
    root = lake.joinpath(*_FEATURES, f"exchange={venue}", f"symbol={symbol}")
    found: Dict[int, List[Input]] = {}
    for folder in sorted(root.glob("year=*/month=*/day=*/hour=*")):
        year, month, day, hour = (int(part.partition("=")[2]) for part in folder.relative_to(root).parts)
        at = datetime.datetime(year, month, day, hour, tzinfo=datetime.timezone.utc)
        files = [p for p in sorted(folder.iterdir()) if p.is_file() and p.suffix != ".lock"]
        found[int(at.timestamp()) * 1_000_000_000] = [input_of(p, p.relative_to(lake).as_posix()) for p in files]
    if not found:
        raise FrameError(f"{lake} holds no feature rows of {market}; make them with barograph lab dataset")
    return dict(sorted(found.items()))


def _stretches(hours: List[int], every: str) -> Iterator[Tuple[int, int]]:
    """The hours, days or months in which these hours lie, each once and in order."""
    last = None
    for hour in hours:
        at = datetime.datetime.fromtimestamp(hour // 1_000_000_000, datetime.timezone.utc)
        if every == "hour":
            found = (hour, hour + _HOUR)
        elif every == "day":
            found = (hour - hour % (24 * _HOUR), hour - hour % (24 * _HOUR) + 24 * _HOUR)
        elif every == "month":
            start, end = months(f"{at.year}-{at.month}", f"{at.year}-{at.month}")[0]
            found = (instant_ns(start), instant_ns(end))
        else:
            raise FrameError(f"every is '{every}': give hour, day or month")
        if found != last:
            yield found
        last = found


def _at(ns: int) -> str:
    whole = _iso(datetime.datetime.fromtimestamp(ns // 1_000_000_000, datetime.timezone.utc).replace(tzinfo=None))
    rest = ns % 1_000_000_000
    return whole if rest == 0 else f"{whole[:-1]}.{rest:09d}Z"


def _iso(at: datetime.datetime) -> str:
    return at.isoformat(timespec="seconds") + "Z"
