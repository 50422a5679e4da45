"""The questions in SQL of docs/runbook.md, asked of folders that the program has written: one from files, one from a venue."""

import pathlib
import re
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/grafana"))

import live  # noqa: E402


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


def check(binary: str, folder: pathlib.Path) -> None:
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
    print(f"runbook: {len(of_files)} questions in SQL, asked of two folders, {len(answered)} with rows")
    silent = set(of_files) - answered
    assert not silent, f"never an answer: {silent}"


def asked_when_there(database: pathlib.Path) -> dict[str, int]:
    """Before the schema is there, nothing can be asked."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'market_alerts'").fetchall():
            return {}
    return asked(database)
