"""What a worker does with a partition: the same wherever it runs, and always by the Rust code.

``dataset``, ``labels`` and ``study`` call the native module, ``kpi`` and ``whatif`` the program ``barograph``. A task sees its inputs under
their names in a folder of its own and nothing else: no settings file, no variable of the environment, no data folder of the machine.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any, Callable, Dict, List, Optional, Tuple

from .. import _native, lab
from .._native import instant_ns
from ._kept import Files, packed, scratch, seal, settle, unpack
from ._partition import Input, Partition, PartsError, digest_of_file

Bytes = Dict[str, bytes]
"""Contents of inputs by their digest, where they travel."""
_PASSED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
_CLOCKED = ("made", "costs", "fit_s", "predict_us_row")
# A worker does many partitions of the same files, and a file whose place, size and stamp are the same is not read again.
_SEEN: Dict[Tuple[str, int, int, int], str] = {}


def native_digest() -> str:
    """Digest of the native module, which decides what it computes."""
    return _digest(pathlib.Path(str(_native.__file__)))


def pyarrow_version() -> str:
    """The release that writes tables of labels."""
    try:
        return str(importlib.import_module("pyarrow").__version__)
    except ImportError:
        raise PartsError("labels are written by pyarrow; run: pip install pyarrow") from None


def program_digest(program: "str | os.PathLike[str]") -> str:
    """Digest of a program given by path."""
    found = shutil.which(os.fspath(program))
    if found is None:
        raise PartsError(f"there is no program {os.fspath(program)} here; install it on every node and give its path as program=")
    return _digest(pathlib.Path(found))


def do(part: Partition, out: pathlib.Path, program: str, contents: Optional[Bytes] = None) -> str:
    """Makes a partition's result in ``out``; its digest."""
    made = scratch(out, part)
    try:
        digest = _make(part, made, program, contents)
        settle(made, out, part)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return digest


def do_as_bytes(part: Partition, program: str, contents: Bytes) -> Tuple[str, Files]:
    """Makes a partition's result where no folder is shared: its digest, and its files."""
    with tempfile.TemporaryDirectory(prefix="barograph-part-") as folder:
        made = scratch(pathlib.Path(folder), part)
        digest = _make(part, made, program, contents)
        return digest, packed(made)


def _make(part: Partition, made: pathlib.Path, program: str, contents: Optional[Bytes]) -> str:
    here = program_digest(program) if part.kind in ("kpi", "whatif") else native_digest()
    if here != part.made_by:
        raise PartsError(
            f"the plan was made with another build of barograph ({part.made_by[:12]}) than the one here ({here[:12]}): "
            "install the same build everywhere, or plan again"
        )
    with tempfile.TemporaryDirectory(prefix="barograph-part-") as folder:
        room = pathlib.Path(folder)
        seen = room / "inputs"
        seen.mkdir()
        for one in part.inputs:
            _place(one, seen / one.name, None if contents is None else contents[one.sha256])
        _KINDS[part.kind](part, seen, made, _Program(program, room / "home"))
        return seal(made, part)


def _place(one: Input, there: pathlib.Path, content: Optional[bytes]) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        there.write_bytes(content)
        return
    source = pathlib.Path(one.path)
    if not source.is_file():
        raise PartsError(f"{source} is not here: let inputs travel (inputs='bytes'), or put it where every worker sees it")
    if _digest(source) != one.sha256:
        raise PartsError(f"{source} is not the file that was planned with: plan again")
    # A database is reached through its own name, by which its writers agree; a file of a lake is never changed in place.
    if one.name.endswith(".db"):
        there.symlink_to(os.path.realpath(source))
        return
    try:
        os.link(os.path.realpath(source), there)
    except OSError:
        shutil.copyfile(source, there)


def _digest(file: pathlib.Path) -> str:
    stat = file.stat()
    mark = (str(file), stat.st_size, stat.st_mtime_ns, stat.st_ino)
    if mark not in _SEEN:
        _SEEN[mark] = digest_of_file(file)[0]
    return _SEEN[mark]


class _Program:
    """The program, with nothing of the machine around it."""

    def __init__(self, path: str, home: pathlib.Path) -> None:
        self.path, self.home = path, home

    def answer(self, words: List[str], folder: pathlib.Path) -> bytes:
        """What it prints, run in a folder."""
        self.home.mkdir(exist_ok=True)
        env = {name: os.environ[name] for name in _PASSED if name in os.environ}
        env["HOME"] = str(self.home)
        done = subprocess.run([shutil.which(self.path) or self.path, *words], cwd=folder, env=env, capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise PartsError(f"barograph {' '.join(words)} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _dataset(part: Partition, seen: pathlib.Path, made: pathlib.Path, _program: _Program) -> None:
    given = part.settings()
    files = [seen / one.name for one in part.inputs]
    lab.record(part.market, files, made / "lake", tick=given["tick"], contract_size=given["contract_size"])


def _labels(part: Partition, seen: pathlib.Path, made: pathlib.Path, _program: _Program) -> None:
    given = part.settings()
    if given["pyarrow"] != pyarrow_version():
        raise PartsError(f"the plan was made with pyarrow {given['pyarrow']}, and here is {pyarrow_version()}: install the same everywhere")
    rows = lab.read_features(seen, part.market, part.start, given["read_to"])
    # Rows stand in the order of time; those behind the stretch only decide how its last labels end.
    table = lab.targets(rows, given["target"]).to_arrow()
    end = instant_ns(part.end)
    while_in = sum(1 for ts in table.column("ts").cast("int64").to_pylist() if ts < end)
    importlib.import_module("pyarrow.parquet").write_table(table.slice(0, while_in), made / "labels.parquet", compression="zstd")


def _study(part: Partition, seen: pathlib.Path, made: pathlib.Path, _program: _Program) -> None:
    given = part.settings()
    target = given.pop("target")
    studies = made.parent / f"{made.name}-study"
    try:
        lab.train(seen, part.market, target, studies, **given)
        venue, _, symbol = part.market.partition(":")
        study = studies / venue / symbol / target
        board = json.loads((study / "board.json").read_text(encoding="utf-8"))
        if "time limit" in (board["no_artefact"] or ""):
            raise PartsError(f"{board['no_artefact']}: this node is too slow or too busy for the preset, and what it has would be another board")
        (made / "board.json").write_text(json.dumps(_timeless(board), sort_keys=True, indent=1) + "\n", encoding="utf-8")
        kept = [study / "folds.json", study / "reliability.json", *study.glob("artefacts/*/model.json"), *study.glob("artefacts/*/inputs.json")]
        for path in kept:
            if path.is_file():
                shutil.copyfile(path, made / path.name)
    finally:
        shutil.rmtree(studies, ignore_errors=True)


def _timeless(board: Any) -> Any:
    """A board without what a clock wrote: when it was made, and how long each fit took."""
    if isinstance(board, dict):
        return {key: _timeless(value) for key, value in board.items() if key not in _CLOCKED}
    return [_timeless(value) for value in board] if isinstance(board, list) else board


def _kpi(part: Partition, seen: pathlib.Path, made: pathlib.Path, program: _Program) -> None:
    words = ["kpi", ".", "--json"]
    words += ["--from", part.start] if part.start else []
    words += ["--until", part.end] if part.end else []
    for option, value in sorted(part.settings().items()):
        words += [f"--{option.replace('_', '-')}", *([] if value is True else [str(value)])]
    (made / "kpi.json").write_bytes(program.answer(words, seen))


def _whatif(part: Partition, seen: pathlib.Path, made: pathlib.Path, program: _Program) -> None:
    given = part.settings()
    words = ["rules", "whatif", "--market", part.market, "--from", str(part.start), "--to", str(part.end), "--data", ".", "--json"]
    words += [given["book"]] if given["book"] else []
    words += ["--base", given["base"]] if given["base"] else []
    for change in given["set"]:
        words += ["--set", change]
    (made / "whatif.json").write_bytes(program.answer(words, seen))


def _own(part: Partition, seen: pathlib.Path, made: pathlib.Path, _program: _Program) -> None:
    given = part.settings()
    module, _, name = str(given["call"]).partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    function(seen, made, part.market, **given["given"])


_KINDS: Dict[str, Callable[[Partition, pathlib.Path, pathlib.Path, _Program], None]] = {
    "dataset": _dataset,
    "labels": _labels,
    "study": _study,
    "kpi": _kpi,
    "whatif": _whatif,
    "own": _own,
}
