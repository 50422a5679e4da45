#!/usr/bin/env python3
"""Two scripted agents in sessions in which they cannot see the future, over February 2026 of the built-in history; prints docs/agents-examined.md.

Usage: docs/agents_examined.py [PROGRAM]. Each hour an agent reads the weather of a market and puts a probability on record. *Persistence*
says of high volatility in the next hour what usually follows the volatility of now; *momentum* says of the next day that the trend goes
on. Needs Python's own library alone.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FROM, UNTIL, MARKET = "2026-02-01", "2026-03-01", "BTCUSDT"
DAY_HOURS = 24
UP, DOWN = ("UPTREND", "STRONG_UPTREND"), ("DOWNTREND", "STRONG_DOWNTREND")


class Session:
    """A client that starts the program."""

    def __init__(self, program: str, data: str, agent: str) -> None:
        self.record = f"{data}/{agent}.jsonl"
        command = [program, "mcp", "--data", data, "--locked", "--from", FROM, "--until", UNTIL, "--agent", agent, "--record", self.record]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.count = 0
        client = {"name": agent, "version": "1"}
        self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: dict) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict) -> dict:
        self.count += 1
        self.send({"jsonrpc": "2.0", "id": self.count, "method": method, "params": params})
        return json.loads(self.process.stdout.readline())["result"]

    def call(self, tool: str, **arguments: object) -> dict:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def close(self) -> None:
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit(f"the session ended with {self.process.returncode}")


def label(context: dict, axis: str) -> str:
    table = context["structuredContent"]["axes"]
    column = table["columns"].index("label")
    return next(row[column] for row in table["rows"] if row[0] == axis)


def persistence(context: dict) -> tuple[str, float]:
    return "hv_1h", 0.40 if label(context, "risk") == "HIGH_VOL" else 0.08


def momentum(context: dict) -> tuple[str, float]:
    trend = label(context, "trend")
    return "trend_up_24h", 0.45 if trend in UP else 0.20 if trend in DOWN else 0.30


def examined(program: str, data: str, name: str, agent) -> str:
    session = Session(program, data, name)
    while True:
        event, probability = agent(session.call("context", market=MARKET))
        session.call("forecast", market=MARKET, event=event, probability=probability)
        if "note" in session.call("advance", minutes=60)["structuredContent"]:
            break
    session.close()
    report = [program, "mcp", "--data", data, "--report", session.record]
    return subprocess.run(report, check=True, capture_output=True, text=True).stdout


def main() -> None:
    program = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/barograph").resolve())
    with tempfile.TemporaryDirectory(prefix="barograph-agents-") as data:
        history = str(ROOT / "testdata/history")
        subprocess.run([program, "replay", history, "--data", data], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        reports = [examined(program, data, name, agent) for name, agent in (("persistence", persistence), ("momentum", momentum))]
    print("# Two agents, examined\n")
    print("Written by [agents_examined.py](agents_examined.py): two scripted agents in [sessions in which they cannot see the future](agents.md),")
    print("over February 2026 of the built-in history, Bitcoin, each hour. They are examples, and no better than they look.\n")
    print("```")
    print("\n".join(reports).rstrip())
    print("```")


if __name__ == "__main__":
    main()
