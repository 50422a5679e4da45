"""What all artefacts share: the moment that stands for their age, the files of the program, and archives that are equal byte for byte.

Nothing here looks at a clock, at a user's name or at the order in which a folder lists its files: two builds of one program are equal.
"""

import gzip
import io
import os
import pathlib
import re
import subprocess
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The originals' commands, as names of the program (crates/app/src/main.rs, NAMES).
NAMES = ["analyze_futures_market", "collect_derivatives_metrics", "generate_market_context", "monitor_context_freshness"]
# What the program may ask of a system: the C library and the compiler's own. Every Linux with glibc has them.
LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def epoch() -> int:
    """SOURCE_DATE_EPOCH, or the moment of the last commit."""
    if "SOURCE_DATE_EPOCH" not in os.environ:
        log = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        os.environ["SOURCE_DATE_EPOCH"] = subprocess.check_output(log, text=True).strip()
    return int(os.environ["SOURCE_DATE_EPOCH"])


def version() -> str:
    text = (ROOT / "Cargo.toml").read_text()
    return re.search(r'^\[workspace\.package\].*?^version = "([^"]+)"', text, re.M | re.S)[1]


def architecture() -> str:
    """Debian's word for this machine."""
    return {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def needs(program: pathlib.Path) -> tuple[set, str]:
    """Libraries that the program is linked with, and the oldest glibc that it runs on."""
    text = subprocess.check_output(["objdump", "-p", str(program)], text=True)
    libraries = set(re.findall(r"^ +NEEDED +(\S+)", text, re.M))
    if extra := libraries - LIBRARIES:
        raise SystemExit(f"{program} wants {', '.join(sorted(extra))}, which not every system has")
    versions = {tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([0-9.]+)", text)}
    return libraries, ".".join(map(str, max(versions)))


class Tree:
    """Files below a root, as an archive holds them: everything root's and as old as the commit."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, int, bytes | str | None]] = {}

    def folder(self, name: str, mode: int = 0o755, owner: int = 0) -> None:
        self.files.setdefault(name, (mode, owner, None))

    def file(self, name: str, data: bytes | str, mode: int = 0o644) -> None:
        data = data.encode() if isinstance(data, str) else data
        self._parents(name)
        self.files[name] = (mode, 0, data)

    def link(self, name: str, target: str) -> None:
        self._parents(name)
        self.files[name] = (0o777, 0, target)

    def _parents(self, name: str) -> None:
        for parent in reversed(pathlib.PurePosixPath(name).parents[:-1]):
            self.folder(str(parent))

    def tar(self, under: str = "") -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name, (mode, owner, data) in sorted(self.files.items()):
                entry = tarfile.TarInfo(under + name)
                entry.mode, entry.mtime, entry.uid, entry.gid = mode, epoch(), owner, owner
                if data is None:
                    entry.type = tarfile.DIRTYPE
                elif isinstance(data, str):
                    entry.type, entry.linkname = tarfile.SYMTYPE, data
                else:
                    entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data) if isinstance(data, bytes) else None)
        return out.getvalue()

    def write(self, root: pathlib.Path) -> None:
        """Into a folder, where a tool wants files."""
        for name, (mode, _owner, data) in sorted(self.files.items()):
            path = root / name
            if data is None:
                path.mkdir(parents=True, exist_ok=True)
            elif isinstance(data, str):
                path.symlink_to(data)
                continue
            else:
                path.write_bytes(data)
            path.chmod(mode)
        for path in [*root.rglob("*"), root]:
            os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def program(tree: Tree, path: pathlib.Path, folder: str) -> None:
    """The program and its other names."""
    tree.file(f"{folder}/barograph", path.read_bytes(), 0o755)
    for name in NAMES:
        tree.link(f"{folder}/{name}", "barograph")


def documents(tree: Tree, folder: str) -> None:
    """README.md and the documents for readers, which link to each other."""
    tree.file(f"{folder}README.md", (ROOT / "README.md").read_bytes())
    for path in sorted((ROOT / "docs").glob("*.md")):
        tree.file(f"{folder}docs/{path.name}", path.read_bytes())


def licences() -> str:
    """In Debian's form, which image and package carry."""
    return (ROOT / "deploy/debian/copyright").read_text()
