"""Callbacks, against the real program fed by its own venue server."""

import os
import pathlib
import re
import subprocess
import threading

import pytest

import barograph

BINARY = os.environ.get("BAROGRAPH_BIN", "")
ROOT = pathlib.Path(__file__).resolve().parents[3]


def started(line, folder, pattern):
    """A child of the program, and what the first line that matches says."""
    child = subprocess.Popen(
        [BINARY, *line.split()], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={"HOME": str(folder)}
    )
    for said in child.stdout:
        if found := re.search(pattern, said):
            # Whatever else it says must not fill the pipe.
            threading.Thread(target=lambda: [None for _ in child.stdout], daemon=True).start()
            return child, found.group(1)
    raise AssertionError(f"{line} ended early")


@pytest.fixture
def program(tmp_path):
    if not BINARY:
        pytest.skip("BAROGRAPH_BIN names no program")
    book = (ROOT / "crates/engine/books/default.toml").read_text()
    rule = '[[alert]]\nid = "heard"\nseverity = "HIGH"\nall = [{ feature = "funding_rate_8h", op = ">", value = -1.0, scale = 0.1 }]\n'
    (tmp_path / "mine.toml").write_text(f"{book}\n{rule}")
    sim, endpoint = started("sim --port 0 --markets 3 --messages-per-s 300", tmp_path, r"--endpoint (\S+)")
    line = f"up --book mine.toml --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {endpoint}"
    up, url = started(line, tmp_path, r"(http://127\.0\.0\.1:\d+)")
    yield url
    for child in (up, sim):
        child.kill()
        child.wait()


def test_a_callback_gets_the_alerts_it_asked_for(program):
    told, stop, enough = [], threading.Event(), threading.Event()

    def callback(event):
        told.append(event)
        enough.set()

    def follow():
        barograph.follow_alerts(callback, url=program, markets=["BTCUSDT"], event_types=["ALERT_RULE"], stop=stop)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert enough.wait(100), "no alert came"
    stop.set()
    assert {e["rule"] for e in told} == {"heard"}
    assert {e["instrument"] for e in told} == {"binance-usdm:BTCUSDT"}
    assert told[0]["new_entries"] and told[0]["severity"] == "HIGH"


def test_an_address_that_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="is no address"):
        barograph.follow_alerts(print, url="localhost:8600")
