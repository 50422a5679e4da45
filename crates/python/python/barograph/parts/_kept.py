"""Results in a folder: written under a temporary name, renamed when they are whole, and believed only by their digest.

``<out>/<partition folder>/`` holds what a partition made, ``SHA256SUMS`` beside it (``sha256sum -c`` reads it) and ``partition.json``.
A result's digest is that of its ``SHA256SUMS``: of names and bytes, not of when or where they were written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import uuid
from typing import Dict, Iterator, List, Optional, Tuple

from ._partition import Partition, PartsError, digest_of_file

SUMS, ABOUT = "SHA256SUMS", "partition.json"
_MAKING = ".making"

Files = Dict[str, bytes]
"""A result as it travels: bytes by name."""


def scratch(out: pathlib.Path, part: Partition) -> pathlib.Path:
    """A new folder to make a result in, on the file system where it will stay."""
    folder = out / _MAKING / f"{part.folder}-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    return folder


def seal(made: pathlib.Path, part: Partition) -> str:
    """Writes down what a task has made in a folder; its digest."""
    for lock in made.rglob("*.lock"):
        lock.unlink()
    names = _names(made)
    if not names:
        raise PartsError("the task has written no file")
    for name in (SUMS, ABOUT):
        if name in names:
            raise PartsError(f"the task has written {name}, which is a name of this module: call it otherwise")
    sums = "".join(f"{digest_of_file(made / name)[0]}  {name}\n" for name in names).encode()
    (made / SUMS).write_bytes(sums)
    about = json.dumps(part.record(), sort_keys=True, indent=1) + "\n"
    (made / ABOUT).write_text(about, encoding="utf-8")
    return hashlib.sha256(sums).hexdigest()


def settle(made: pathlib.Path, out: pathlib.Path, part: Partition) -> None:
    """Gives a sealed result its name. One that is there already was not believed, and goes."""
    place = out / part.folder
    if place.exists():
        old = out / _MAKING / f"{part.folder}-old-{uuid.uuid4().hex}"
        place.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    made.rename(place)


def verified(out: pathlib.Path, part: Partition) -> Optional[str]:
    """Digest of a result that is whole and of this very partition; None where there is none to believe."""
    place = out / part.folder
    try:
        about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
        sums = (place / SUMS).read_bytes()
        if not isinstance(about, dict) or Partition.of(about).key != part.key:
            return None
        listed = dict(_lines(sums.decode()))
        if sorted(listed) != [n for n in _names(place) if n not in (SUMS, ABOUT)]:
            return None
        if any(digest_of_file(place / name)[0] != sha256 for name, sha256 in listed.items()):
            return None
    except (OSError, ValueError):
        return None
    return hashlib.sha256(sums).hexdigest()


def packed(made: pathlib.Path) -> Files:
    """A sealed result as bytes."""
    return {name: (made / name).read_bytes() for name in _names(made)}


def unpack(files: Files, folder: pathlib.Path) -> None:
    """Writes files by name below a folder."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


@contextlib.contextmanager
def alone(out: pathlib.Path) -> Iterator[None]:
    """Holds a folder of results for one run at a time, and takes away what runs that were killed have left half made."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "ab") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            # Windows: renaming is refused there where two runs would meet.
            pass
        except OSError:
            raise PartsError(f"another run works in {out}: wait for it, or give another folder") from None
        shutil.rmtree(out / _MAKING, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(out / _MAKING, ignore_errors=True)


def _names(folder: pathlib.Path) -> List[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _lines(sums: str) -> Iterator[Tuple[str, str]]:
    for line in sums.splitlines():
        sha256, _, name = line.partition("  ")
        yield name, sha256
