"""A process with everything that shows metrics, on loopback: a synthetic venue, a receiver and a mirror that nobody answers."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request


# Seconds. Longer than a first minute takes on a machine that compiles beside it: it ends what hangs, and measures nothing.
PATIENCE = 400


def plain() -> dict[str, str]:
    """The environment without settings of the program, which refuses those that it does not know."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("BAROGRAPH_", "WEBHOOKS_", "DB_URL"))}


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


def settled(address: str) -> str:
    """The /metrics text once every label has been seen: streams are shown with the first minute, routes once they were asked."""
    until = time.monotonic() + PATIENCE
    get(f"{address}/api/v1/markets")
    while "barograph_stream_live{" not in (text := get(f"{address}/metrics")) and time.monotonic() < until:
        time.sleep(1)
    return text


def word(log, begin: str, of: subprocess.Popen) -> str:
    """The word that begins so, once the process has written it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and of.poll() is None:
        text = pathlib.Path(log.name).read_text()
        if begin in text:
            rest = text[text.index(begin):]
            return rest.split()[0].rstrip("/;,")
        time.sleep(0.2)
    raise SystemExit(f"waited in vain for {begin}:\n{pathlib.Path(log.name).read_text()[-2000:]}")


def workers(binary: str, folder: pathlib.Path) -> str:
    """The /metrics texts of both kinds of workers of a cluster, which wait for a broker that nobody answers for."""
    env = plain() | {"BAROGRAPH_NATS_URL": "nats://127.0.0.1:9", "BAROGRAPH_DB_URL": "postgres://nobody@127.0.0.1:9/none",
                     "BAROGRAPH_CLUSTER_OBJECTS": str(folder / "objects")}
    texts = []
    for role in ["engine", "universe"]:
        with open(folder / f"{role}.log", "w+") as log:
            command = [binary, "up", "--role", role, "--all", "--data", f"data-{role}", "--listen", "127.0.0.1:0"]
            running = subprocess.Popen(command, stdout=log, stderr=log, env=env, cwd=folder)
            try:
                texts.append(get(f"{word(log, 'http://127.0.0.1:', running)}/metrics"))
            finally:
                running.terminate()
                running.wait(PATIENCE)
    return "".join(texts)


@contextlib.contextmanager
def process(binary: str, folder: pathlib.Path, *, markets: str = "BTCUSDT,ETHUSDT"):
    """Yields the address of the process; its data are in folder/data."""
    env = plain() | {"WEBHOOKS_ALL": "http://127.0.0.1:9/", "WEBHOOKS_ALLOW_HTTP": "true", "WEBHOOKS_ALLOW_PRIVATE": "127.0.0.1:9",
            "BAROGRAPH_REDIS": "redis://127.0.0.1:9/0"}
    logs = [open(folder / f"{name}.log", "w+") for name in ["sim", "up"]]
    running = [subprocess.Popen([binary, "sim", "--port", "0", "--markets", "2"], stdout=logs[0], stderr=logs[0], env=env, cwd=folder)]
    try:
        venue = word(logs[0], "http://127.0.0.1:", running[0])
        venue = venue if venue.endswith("binance-usdm") else f"{venue}/binance-usdm"
        running.append(subprocess.Popen([binary, "up", "--data", "data", "--symbols", markets, "--backfill", "1d", "--endpoint", f"binance-usdm={venue}",
                                         "--listen", "127.0.0.1:0"], stdout=logs[1], stderr=logs[1], env=env, cwd=folder))
        address = word(logs[1], "http://127.0.0.1:", running[1])
        yield address
    finally:
        for one in reversed(running):
            one.terminate()
            one.wait(PATIENCE)
        for log in logs:
            log.close()


def main() -> None:
    """live.py PROGRAM FILE: writes what /metrics says, once a minute has been published, and what it says of workers."""
    binary, target = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, process(binary, pathlib.Path(folder)) as address:
        pathlib.Path(target).write_text(settled(address) + workers(binary, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
