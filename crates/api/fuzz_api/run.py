#!/usr/bin/env python3
"""Asks a real barograph what openapi.json allows and what it does not, and fails on any reply that openapi.json does not describe.

BAROGRAPH_BIN names the program; it runs the demo on a free loopback port over a data folder of its own and is stopped by its id.
The requests are those of schemathesis (requirements.txt). The two endless streams are left out: a reply that never ends cannot be
judged. FUZZ_SECONDS bounds the run (120), FUZZ_EXAMPLES the requests of each operation (40), FUZZ_SEED repeats a run.
"""
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
STREAMS = ["/api/v1/stream", "/api/v1/board/stream"]
# A protocol within the protocol, which has a suite of its own (`make agents`).
WITHIN = ["/mcp"]
READY_WITHIN_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every alert. A program without receivers refuses wishes about deliveries and silences before it has looked at them."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def settings(port: int) -> str:
    return (
        f'[[receiver]]\nname = "phone"\nformat = "json"\nurl = "http://127.0.0.1:{port}/hook"\nallow_http = true\n'
        f'allow_private = ["127.0.0.1/32:{port}"]\n'
    )


def wait_until_ready(url: str, process: subprocess.Popen, log: pathlib.Path) -> None:
    """The history is stored and a live market is on the board."""
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/api/v1/board", timeout=5) as reply:
                if any("M0001USDT" in row["instrument"] for row in json.load(reply)["rows"]):
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.3)
    raise SystemExit(f"barograph does not answer on {url}:\n{log.read_text()[-2000:]}")


def ask(url: str) -> int:
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json",
        "--header", "x-barograph: 1",
        "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing",
        "--max-time", os.environ.get("FUZZ_SECONDS", "120"),
        "--max-examples", os.environ.get("FUZZ_EXAMPLES", "40"),
        "--continue-on-failure",
        "--request-timeout", "20",
        # Filters that match nothing slow generation down; that is no fault of the program.
        "--suppress-health-check", "all",
        "--warnings", "off",
        "--generation-database", "none",
        "--no-color",
    ]
    for path in STREAMS + WITHIN:
        command += ["--exclude-path", path]
    if seed := os.environ.get("FUZZ_SEED"):
        command += ["--seed", seed]
    hooks = str(pathlib.Path(__file__).resolve().parent / "hooks.py")
    return subprocess.run(command, check=False, env={**os.environ, "SCHEMATHESIS_HOOKS": hooks}).returncode


def main() -> int:
    program = os.environ.get("BAROGRAPH_BIN")
    if not program:
        print("BAROGRAPH_BIN names the program to ask, as in BAROGRAPH_BIN=target/release/barograph crates/api/fuzz_api/run.sh", file=sys.stderr)
        return 2
    program = str(pathlib.Path(program).resolve())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    # Settings come from here alone, and the program refuses variables that it does not know.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BAROGRAPH_")}
    with tempfile.TemporaryDirectory(prefix="barograph-fuzz-") as folder:
        log = pathlib.Path(folder) / "log"
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        config = pathlib.Path(folder) / "fuzz.toml"
        config.write_text(settings(receiver.server_port))
        with log.open("w") as out:
            process = subprocess.Popen(
                [program, "demo", "--listen", f"127.0.0.1:{port}", "--data", f"{folder}/data", "--config", str(config)],
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )
        try:
            wait_until_ready(url, process, log)
            failed = ask(url)
            if process.poll() is not None:
                print(f"barograph ended with {process.returncode}:\n{log.read_text()[-2000:]}", file=sys.stderr)
                return 1
            return failed
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            receiver.shutdown()


if __name__ == "__main__":
    sys.exit(main())
