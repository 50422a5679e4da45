#!/usr/bin/env python3
"""Servers of tools as venues: the published server of CoinEx as a child process, its exchange on loopback, and a server in the newer revision.

BAROGRAPH_BIN names the program, AGENTS_IN the folder that `make agents` has filled. Everything is on free loopback ports, in a temporary
folder, and is stopped by its id.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from run import free_port, wait_until_ready

HERE = pathlib.Path(__file__).resolve().parent
MARKETS = ["BTCUSDT", "ETHUSDT"]
# What each server brings, by the tables that are shipped and in newer.toml.
BRINGS = {
    "coinex-mcp": {"bar", "mark_price", "index_price", "premium_index", "funding_rate", "funding_rate_settled", "open_interest", "order_book"},
    "newer-mcp": {"bar", "best_bid_ask", "mark_price", "index_price", "premium_index", "funding_rate", "funding_rate_settled", "open_interest", "liquidation_usd", "order_book"},
}


class Judged:
    """A running program and what its feeds are."""

    def __init__(self, url: str):
        self.url = url

    def feeds(self) -> dict:
        with urllib.request.urlopen(f"{self.url}/api/v1/feeds", timeout=10) as answer:
            items = json.load(answer)["items"]
        return {(item["instrument"], item["metric"]): item for item in items}

    def wait(self, what: str, within_s: float, holds) -> None:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            feeds = self.feeds()
            if holds(feeds):
                print(f"source: {what}")
                return
            time.sleep(1)
        states = {f"{instrument} {metric}": (item["continuity"], item["reason"]) for (instrument, metric), item in feeds.items() if item["continuity"] != "NOT_OFFERED"}
        raise SystemExit(f"error: not within {within_s} s: {what}: {json.dumps(states, indent=1)}")

    def publishes(self, market: str, within_s: float) -> None:
        """Waits for the first minute of a market: it ends up to a minute after the start."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/markets/{market}/context", timeout=10):
                    return
            except urllib.error.HTTPError:
                time.sleep(1)
        raise SystemExit(f"error: no minute of {market} within {within_s} s")


def check(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"error: {what}")
    print(f"source: {what}")


def child_of(parent: int) -> int:
    """The server that runs as a child process."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False).stdout.split()
    return int(found[0]) if found else 0


def stop(process: subprocess.Popen) -> int:
    process.terminate()
    try:
        return process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def main() -> int:
    program = str(pathlib.Path(os.environ["BAROGRAPH_BIN"]).resolve())
    place = pathlib.Path(os.environ["AGENTS_IN"]).resolve()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BAROGRAPH_")}
    running = []
    with tempfile.TemporaryDirectory(prefix="barograph-source-") as name:
        folder = pathlib.Path(name)

        def begin(command: list, log: str, **more) -> subprocess.Popen:
            out = (folder / log).open("a")
            process = subprocess.Popen(command, cwd=folder, env={**environment, **more}, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            running.append(process)
            return process

        def once(*command: str) -> subprocess.CompletedProcess:
            return subprocess.run([program, *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)

        try:
            exchange = begin([program, "sim", "--venue", "coinex"], "exchange")
            base = None
            for _ in range(100):
                base = base or re.search(r"coinex=(http://\S+)", (folder / "exchange").read_text())
                time.sleep(0.1)
                if base:
                    break
            mode, port = folder / "mode", free_port()
            mode.write_text("well")
            newer = [str(place / "venv/bin/python"), str(HERE / "newer_server.py")]
            double = begin(newer, "newer", PORT=str(port), MODE=str(mode))
            settings = [
                "[[mcp_source]]",
                'venue = "coinex-mcp"',
                f"command = {json.dumps([str(place / 'source-venv/bin/python'), str(HERE / 'coinex_on_loopback.py')])}",
                f"env = {{ COINEX_ON = {json.dumps(base.group(1))} }}",
                'server = "coinex"',
                'markets = ["BTC/USDT", "ETH/USDT"]',
                (HERE / "newer.toml").read_text().replace("PORT", str(port)),
            ]
            (folder / "barograph.toml").write_text("\n".join(settings))
            time.sleep(3)
            listed = once("markets", "--venue", "coinex-mcp", "--config", "barograph.toml")
            check("coinex-mcp:BTCUSDT" in listed.stdout, "the markets of a server are listed")
            doctor = once("doctor", "--venue", "coinex-mcp", "--config", "barograph.toml", "--data", "data")
            check("2 would be recorded" in doctor.stdout or "of 2 would be recorded" in doctor.stdout, f"doctor asks the server\n{doctor.stdout}{doctor.stderr}")
            url = f"http://127.0.0.1:{free_port()}"
            up = [program, "up", "--config", "barograph.toml", "--data", "data", "--listen", url.removeprefix("http://"), "--venue", "coinex-mcp,newer-mcp"]
            up += ["--symbols", ",".join(MARKETS)]
            process = begin(up, "up")
            wait_until_ready(url, process, folder / "up")
            judged = Judged(url)
            offered = {(f"{venue}:{market}", metric) for venue, metrics in BRINGS.items() for market in MARKETS for metric in metrics}
            judged.wait("every stream that is offered is live", 120, lambda feeds: all(feeds[key]["continuity"] == "LIVE" for key in offered))
            feeds = judged.feeds()
            check({key for key, item in feeds.items() if item["continuity"] != "NOT_OFFERED"} == offered, "what a server lacks is not offered")
            check("the server has no tool 'long_short'" in (folder / "up").read_text(), "a tool that is missing is named")
            values = {metric: feeds["newer-mcp:BTCUSDT", metric]["value"] for metric in ("open_interest", "funding_rate", "premium_index")}
            check(values == {"open_interest": 1234.5, "funding_rate": 0.0001, "premium_index": 0.0001}, f"units are those of the table: {values}")

            def is_gap(reason: str):
                return lambda feeds: all(
                    feeds["newer-mcp:BTCUSDT", metric]["continuity"] == "GAP" and feeds["newer-mcp:BTCUSDT", metric]["reason"]["word"] == reason for metric in ("mark_price", "order_book")
                )

            def is_live(venue: str):
                return lambda feeds: all(feeds[key]["continuity"] == "LIVE" for key in offered if key[0].startswith(venue))

            mode.write_text("refuse")
            judged.wait("a refusal is a gap with its reason", 60, is_gap("refused"))
            check(is_live("coinex-mcp")(judged.feeds()), "and no stream of another server is touched")
            mode.write_text("fail")
            time.sleep(5)
            mode.write_text("well")
            judged.wait("it ends when answers come", 90, is_live("newer-mcp"))
            stop(double)
            judged.wait("a server that has gone away is a gap", 90, is_gap("disconnected"))
            # Answers as events this time.
            double = begin(newer, "newer", PORT=str(port), MODE=str(mode), EVENTS="1")
            judged.wait("and is found again", 120, is_live("newer-mcp"))
            before = child_of(process.pid)
            os.kill(before, signal.SIGKILL)
            asked = judged.feeds()["coinex-mcp:BTCUSDT", "mark_price"]["event_ts"]
            judged.wait("a child process that was killed is started again", 90, lambda feeds: feeds["coinex-mcp:BTCUSDT", "mark_price"]["event_ts"] > asked and child_of(process.pid) not in (0, before))
            judged.publishes("coinex-mcp:BTCUSDT", 90)
            child = child_of(process.pid)
            check(stop(process) == 0, "the program ends by itself")
            check(not pathlib.Path(f"/proc/{child}").exists(), "and its child process with it")
            stop(double)
            stop(exchange)
            again = once("verify", "determinism", "data")
            check(again.returncode == 0 and "equal" in again.stdout, f"a replay without any server makes the same: {again.stdout.strip()} {again.stderr.strip()}")
            gone = once("markets", "--venue", "newer-mcp", "--config", "barograph.toml")
            check(gone.returncode != 0 and f"127.0.0.1:{port}" in gone.stderr, f"a server that is not there is named: {gone.stderr.strip()}")
            absent = once("markets", "--venue", "other-mcp", "--config", "barograph.toml")
            check('no [[mcp_source]] of the settings has venue = "other-mcp"' in absent.stderr, "so is a source that is not set")
        except SystemExit:
            for log in folder.glob("*"):
                if log.is_file():
                    print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
            raise
        finally:
            for process in running:
                if process.poll() is None:
                    stop(process)
    return 0


if __name__ == "__main__":
    sys.exit(main())
