"""Tasks of tests/test_parts.py, as a user writes them: two folders, a market, keywords. Each does real work of the lab."""

import os
import pathlib
import signal
import time

from barograph import lab


def recorded(seen, made, market, wait=0.0):
    """Feature rows of the recording as one file, after a while."""
    time.sleep(wait)
    lake = made.parent / f"{made.name}-lake"
    lab.record(market, sorted(pathlib.Path(seen).iterdir()), lake)
    lab.read_features(lake, market).write_parquet(made / "rows.parquet")


def killed(seen, made, market, marks, times, name):
    """Dies as a worker does that the kernel kills, so many times."""
    with open(pathlib.Path(marks) / name, "a") as mark:
        mark.write("x")
    if (pathlib.Path(marks) / name).stat().st_size <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    recorded(seen, made, market)


def refused(seen, made, market, fault, name):
    """Fails as long as a file is there."""
    if pathlib.Path(fault).exists():
        raise ValueError(f"{name} cannot be made yet")
    recorded(seen, made, market)
