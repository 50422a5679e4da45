#!/usr/bin/env python3
"""Runs the image as a cluster would, and looks: read-only root, user 10001, no capability, a /data of its own. run_image.py LAYOUT HISTORY

crun needs no daemon. What it is given is what the image says (umoci unpacks it): user, entry point, command and environment; the limits of
deploy/kubernetes come on top.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from image import HEALTH, blob

# What Docker, Podman and a cluster read out of the image.
CONFIG = {"User": "10001:10001", "Entrypoint": ["/usr/bin/barograph"], "Cmd": ["up"], "WorkingDir": "/data"}


def config_of(layout: pathlib.Path) -> dict:
    """The config blob, held against what it has to say."""
    manifests = json.loads((layout / "index.json").read_text())["manifests"]
    assert len(manifests) == 1, manifests
    manifest = json.loads(blob(layout, manifests[0]["digest"]).read_text())
    config = json.loads(blob(layout, manifest["config"]["digest"]).read_text())["config"]
    for name, wanted in CONFIG.items():
        assert config.get(name) == wanted, (name, config.get(name), wanted)
    assert config["Healthcheck"]["Test"] == HEALTH["Test"] and config["Healthcheck"]["Test"][0] == "CMD", config["Healthcheck"]
    return config


class Box:
    def __init__(self, layout: str, folder: pathlib.Path) -> None:
        tag = json.loads((pathlib.Path(layout) / "index.json").read_text())["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
        self.bundle = folder / "bundle"
        subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{layout}:{tag}", str(self.bundle)], check=True, stdout=subprocess.DEVNULL)
        self.spec = json.loads((self.bundle / "config.json").read_text())
        self.data = folder / "data"
        self.data.mkdir()
        self.data.chmod(0o777)
        self.runs = 0

    def run(self, *args: str, mounts: tuple = (), entry: list[str] | None = None, own: bool = False) -> subprocess.CompletedProcess:
        """With `own` the image's command comes before the arguments; an entry takes the place of the image's."""
        spec = json.loads(json.dumps(self.spec))
        none = {"bounding": [], "effective": [], "permitted": [], "ambient": []}
        # The user is the image's.
        assert (spec["process"]["user"]["uid"], spec["process"]["user"]["gid"]) == (10001, 10001), spec["process"]["user"]
        args = spec["process"]["args"] + list(args) if own else [*(entry or CONFIG["Entrypoint"]), *args]
        spec["process"] |= {"terminal": False, "args": args, "capabilities": none, "noNewPrivileges": True}
        spec["root"]["readonly"] = True
        spec["linux"] = {"namespaces": [{"type": kind} for kind in ["pid", "ipc", "uts", "mount"]]}
        spec["mounts"] = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]},
            *[{"destination": there, "type": "bind", "source": str(here), "options": ["bind", how]} for here, there, how in mounts],
        ]
        (self.bundle / "config.json").write_text(json.dumps(spec))
        self.runs += 1
        crun = f"exec crun --cgroup-manager=disabled run --bundle '{self.bundle}' barograph-{self.bundle.parent.name}-{self.runs}"
        # In a mount namespace of its own, with cgroups of the second version there: crun refuses a machine that has both.
        return subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t cgroup2 none /sys/fs/cgroup; {crun}"], capture_output=True, text=True, timeout=600)


def expect(done: subprocess.CompletedProcess, code: int, word: str) -> None:
    text = done.stdout + done.stderr
    if done.returncode != code or word not in text:
        raise SystemExit(f"wanted {code} and '{word}', got {done.returncode}:\n{text[-2000:]}")


def venue(program: pathlib.Path, folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """A synthetic venue beside the container, and its address."""
    log = folder / "venue.log"
    with open(log, "w") as file:
        running = subprocess.Popen([program, "sim", "--port", "0", "--markets", "1"], stdout=file, stderr=file, cwd=folder)
    for _ in range(300):
        if "http://127.0.0.1:" in (text := log.read_text()):
            return running, text[text.index("http://127.0.0.1:"):].split()[0].rstrip("/;,").removesuffix("/binance-usdm") + "/binance-usdm"
        time.sleep(0.2)
    running.kill()
    raise SystemExit(f"no venue: {log.read_text()}")


def main() -> None:
    layout, history = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="barograph-image-"))
    try:
        box = Box(layout, folder)
        config = config_of(pathlib.Path(layout))
        asked = 0

        def look(code: int, word: str, *args: str, **how) -> None:
            nonlocal asked
            asked += 1
            expect(box.run(*args, **how), code, word)

        data = ((box.data, "/data", "rw"), (history, "/history", "ro"))
        look(0, "barograph", "--version")
        # Nothing can be written outside of the volume and /tmp, also where everyone might: without a volume /data is a part of the root.
        (box.bundle / "rootfs/data").chmod(0o777)
        look(3, "'/data/new' cannot be written", "replay", "/history", "--data", "/data/new", mounts=data[1:])
        look(0, "minutes of 3 markets computed", "replay", "/history", "--data", "/data", mounts=data)
        look(0, "2026-03-05", "context", "BTCUSDT", mounts=data)
        for name, word in [("generate_market_context", "2026-03-05"), ("monitor_context_freshness", "recorded until")]:
            # The original's command as a word, and as an entry point of its own.
            code = 1 if name.startswith("monitor") else 0
            given = [] if code else ["--symbol", "BTCUSDT"]
            look(code, word, name, *given, mounts=data)
            look(code, word, *given, mounts=data, entry=[f"/usr/bin/{name}"])
        # The health check, as it stands in the image.
        look(1, "recorded until", mounts=data, entry=config["Healthcheck"]["Test"][1:])
        # The image's own command, on a volume where a token was made first (docs/deploy.md, "Containers").
        fresh = folder / "fresh"
        fresh.mkdir()
        fresh.chmod(0o777)
        volume = ((fresh, "/data", "rw"),)
        look(0, "the only time", "token", "add", "desk", "--role", "read", mounts=volume)
        running, address = venue(box.bundle / "rootfs/usr/bin/barograph", folder)
        try:
            look(0, "0.0.0.0:", "--listen", "0.0.0.0:0", "--symbols", "BTCUSDT", "--backfill", "0", "--endpoint", f"binance-usdm={address}", "--for", "5s",
                 mounts=volume, own=True)
        finally:
            running.terminate()
            running.wait(60)
        for name in ["collect_derivatives_metrics", "analyze_futures_market"]:
            look(0, "Usage: barograph", "--help", entry=[f"/usr/bin/{name}"])
        # From a pristine root: what the program wrote is in /data alone.
        written = subprocess.run(["find", str(box.bundle / "rootfs"), "-newer", str(box.bundle / "umoci.json"), "-type", "f"],
                                 capture_output=True, text=True, check=True).stdout
        if written:
            raise SystemExit(f"written into the root of the container: {written}")
        print(f"the image: {asked} commands run with a read-only root as user 10001")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
