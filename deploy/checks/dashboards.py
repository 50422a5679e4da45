"""The dashboards: made from the list of metrics, which is what a process shows; types of Grafana's own package; queries that parse."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "deploy/grafana"
sys.path.insert(0, str(GRAFANA))

import generate  # noqa: E402
import live  # noqa: E402
import promql_parser  # noqa: E402

# A string enum of TypeScript takes none of its own strings: these are the types with strings in their place.
HEAD = """import type { Dashboard } from '@grafana/schema';
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"""


def names_of(expr: str) -> set[str]:
    """Metrics in an expression, without what a histogram adds to its name."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bbarograph_[a-z_]+", expr)}


def typed(tools: pathlib.Path, boards: list[pathlib.Path]) -> None:
    """Checked by TypeScript against the types that Grafana itself is compiled with."""
    text = HEAD + "".join(f"export const board{at}: Plain<Dashboard> = {board.read_text()};\n" for at, board in enumerate(boards))
    (tools / "boards.ts").write_text(text)
    compiler = ["node", str(tools / "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler",
                "--module", "esnext", "--target", "es2022", "boards.ts"]
    done = subprocess.run(compiler, cwd=tools, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def shown(binary: str, folder: pathlib.Path) -> str:
    """A real /metrics text, once a minute has been published, and those of workers of a cluster."""
    with live.process(binary, folder) as address:
        return live.settled(address) + live.workers(binary, folder)


def check(binary: str, tools: pathlib.Path, folder: pathlib.Path) -> str | None:
    subprocess.run([sys.executable, str(GRAFANA / "generate.py"), "--check"], check=True, stdout=subprocess.DEVNULL)
    registry = json.loads((GRAFANA / "registry.json").read_text())
    real = generate.registry_of(shown(binary, folder))
    heads = {name: (metric["type"], metric["help"]) for name, metric in real.items()}
    listed = {name: (metric["type"], metric["help"]) for name, metric in registry.items()}
    assert heads == listed, f"deploy/grafana/registry.json is not what a process shows; run: make dashboards; {sorted(set(heads.items()) ^ set(listed.items()))}"
    for name, metric in real.items():
        assert set(metric["labels"]) <= set(registry[name]["labels"]), (name, metric["labels"])
    boards = sorted((GRAFANA / "dashboards").glob("*.json"))
    drawn = set()
    for board in boards:
        for panel in json.loads(board.read_text())["panels"]:
            for target in panel.get("targets", []):
                expr = target["expr"].replace("$__rate_interval", "1m")
                promql_parser.parse(expr)
                drawn |= names_of(expr)
    assert drawn == set(real), sorted(drawn ^ set(real))
    if not shutil.which("node") or not (tools / "node_modules/@grafana/schema").exists():
        return "THE DASHBOARDS ARE NOT HELD AGAINST GRAFANA'S TYPES: node or @grafana/schema is missing; on Debian or Ubuntu: sudo apt install nodejs npm"
    typed(tools, boards)
    print(f"Grafana: {len(boards)} dashboards, {len(drawn)} metrics, each of them in a real /metrics")
    return None
