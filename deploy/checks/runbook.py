"""The questions in SQL of docs/runbook.md, asked of what the program has written: a folder from files, one from a venue, and PostgreSQL."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/grafana"))

import live  # noqa: E402

# Questions that only a cluster answers: they are asked all the same, and may have no rows here.
OF_CLUSTERS = {"Which group is behind"}


def questions() -> list[tuple[str, str]]:
    """Heading and question of each SQL block."""
    text = (ROOT / "docs/runbook.md").read_text()
    found = []
    for block in re.finditer(r"^```sql\n(.*?)^```", text, re.M | re.S):
        found.append((re.findall(r"^#+ (.*)$", text[: block.start()], re.M)[-1], block[1]))
    return found


def asked(database: pathlib.Path) -> dict[str, int]:
    """Rows of each question; an error is a failure."""
    rows = {}
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        for at, (heading, block) in enumerate(questions()):
            statement = re.sub(r"--[^\n]*", "", block)
            try:
                rows[f"{at + 1}: {heading}"] = len(connection.execute(statement).fetchall())
            except sqlite3.Error as wrong:
                raise SystemExit(f"docs/runbook.md, {heading}: {wrong}\n{block}") from wrong
    return rows


def without_server() -> str | None:
    return None if postgres_bin() and shutil.which("psql") else "THE QUESTIONS ARE NOT ASKED OF POSTGRESQL: it is missing; on Debian or Ubuntu: sudo apt install postgresql"


def postgres_bin() -> pathlib.Path | None:
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextlib.contextmanager
def server(folder: pathlib.Path):
    """A PostgreSQL of its own on loopback, and its address. It refuses to run as root, so there it is nobody's."""
    programs, cluster = postgres_bin(), folder / "cluster"
    cluster.mkdir()
    asroot = os.getuid() == 0
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if asroot else []
    if asroot:
        os.chown(cluster, 65534, 65534)
        # It has to get there.
        for parent in [folder, folder.parent]:
            parent.chmod(0o711)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    how = {"check": True, "stdout": subprocess.DEVNULL, "cwd": cluster, "env": live.plain() | {"LC_ALL": "C.UTF-8"}}
    control = [*other, str(programs / "pg_ctl"), "-D", str(cluster / "data"), "-w", "-t", "120"]
    subprocess.run([*other, str(programs / "initdb"), "-D", str(cluster / "data"), "-U", "barograph", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], **how)
    options = f"-c fsync=off -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={cluster}"
    subprocess.run([*control, "-l", str(cluster / "log"), "-o", options, "start"], **how)
    try:
        yield f"postgres://barograph@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **how)


def asked_of_server(binary: str, folder: pathlib.Path) -> dict[str, int]:
    rows = {}
    with server(folder) as address:
        subprocess.run([binary, "replay", str(ROOT / "testdata/history"), "--data", str(folder / "beside"), "--db-url", address],
                       check=True, capture_output=True, cwd=folder, env=live.plain())
        for at, (heading, block) in enumerate(questions()):
            done = subprocess.run(["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", address], input=block, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"docs/runbook.md, {heading}, PostgreSQL: {done.stderr}\n{block}")
            rows[f"{at + 1}: {heading}"] = len(done.stdout.splitlines())
    return rows


def check(binary: str, folder: pathlib.Path) -> str | None:
    """Why a part was skipped, if it was."""
    recorded = folder / "recorded"
    subprocess.run([binary, "replay", str(ROOT / "testdata/history"), "--data", str(recorded)], check=True, capture_output=True, cwd=folder, env=live.plain())
    of_files = asked(recorded / "barograph.db")
    heard = folder / "heard"
    heard.mkdir()
    with live.process(binary, heard):
        until = time.monotonic() + live.PATIENCE
        of_venue: dict[str, int] = {}
        while time.monotonic() < until:
            time.sleep(3)
            if (heard / "data/barograph.db").exists() and (of_venue := asked_when_there(heard / "data/barograph.db")) and of_venue[next(iter(of_venue))]:
                break
    assert len(of_files) >= 6 and len(of_venue) == len(of_files), (of_files, of_venue)
    answered = {name for rows in (of_files, of_venue) for name, count in rows.items() if count}
    skipped = without_server()
    if not skipped:
        of_server = asked_of_server(binary, folder)
        assert of_server == of_files, (of_server, of_files)
    where = "two folders" if skipped else "two folders and of PostgreSQL"
    print(f"runbook: {len(of_files)} questions in SQL, asked of {where}, {len(answered)} with rows")
    silent = {name for name in set(of_files) - answered if name.split(": ", 1)[1] not in OF_CLUSTERS}
    assert not silent, f"never an answer: {silent}"
    return skipped


def asked_when_there(database: pathlib.Path) -> dict[str, int]:
    """Before the schema is there, nothing can be asked."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'market_alerts'").fetchall():
            return {}
    return asked(database)
