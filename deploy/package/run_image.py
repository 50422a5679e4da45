#!/usr/bin/env python3
"""Runs the image as a cluster would, and looks: read-only root, user 10001, no capability, a /data of its own. run_image.py LAYOUT HISTORY

crun needs no daemon. What it is given is what the image says (umoci unpacks it), with the limits of deploy/kubernetes on top.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


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

    def run(self, *args: str, mounts: tuple = (), entry: str = "/usr/bin/barograph") -> subprocess.CompletedProcess:
        spec = json.loads(json.dumps(self.spec))
        none = {"bounding": [], "effective": [], "permitted": [], "ambient": []}
        spec["process"] |= {"terminal": False, "args": [entry, *args], "user": {"uid": 10001, "gid": 10001},
                            "capabilities": none, "noNewPrivileges": True}
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


def main() -> None:
    layout, history = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="barograph-image-"))
    try:
        box = Box(layout, folder)
        settings = json.loads((pathlib.Path(layout) / "index.json").read_text())
        assert settings["manifests"], "one manifest"
        asked = 0

        def look(code: int, word: str, *args: str, **how) -> None:
            nonlocal asked
            asked += 1
            expect(box.run(*args, **how), code, word)

        data = ((box.data, "/data", "rw"), (history, "/history", "ro"))
        look(0, "barograph", "--version")
        # Nothing can be written outside of /data and /tmp.
        look(3, "", "replay", "/history", "--data", "/usr/new", mounts=data)
        look(0, "minutes of 3 markets computed", "replay", "/history", "--data", "/data", mounts=data)
        look(0, "2026-03-05", "context", "BTCUSDT", mounts=data)
        for name, word in [("generate_market_context", "2026-03-05"), ("monitor_context_freshness", "recorded until")]:
            # The original's command as a word, and as an entry point of its own.
            code = 1 if name.startswith("monitor") else 0
            given = [] if code else ["--symbol", "BTCUSDT"]
            look(code, word, name, *given, mounts=data)
            look(code, word, *given, mounts=data, entry=f"/usr/bin/{name}")
        for name in ["collect_derivatives_metrics", "analyze_futures_market"]:
            look(0, "Usage: barograph", "--help", entry=f"/usr/bin/{name}")
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
