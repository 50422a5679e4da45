"""The units of systemd: what systemd says of them, and how much they are allowed."""

import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of ten; systemd calls up to 3 safe enough for a service that faces a network.
EXPOSURE_MAX = 3.0


def exposure(unit: pathlib.Path) -> float:
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True)
    return float(done.stdout.rstrip().rpartition(": ")[2].split()[0])


def check(binary: str) -> str | None:
    """Why it was skipped, if it was."""
    if not shutil.which("systemd-analyze"):
        return "THE UNITS OF SYSTEMD ARE NOT CHECKED: systemd-analyze is missing; on Debian or Ubuntu: sudo apt install systemd"
    units = sorted((ROOT / "deploy/systemd").glob("*.service"))
    found = {unit.name: exposure(unit) for unit in units}
    assert all(value <= EXPOSURE_MAX for value in found.values()), found
    with tempfile.TemporaryDirectory() as folder:
        # The program stands elsewhere here than where it is installed.
        for unit in [*units, *(ROOT / "deploy/systemd").glob("*.timer")]:
            pathlib.Path(folder, unit.name).write_text(unit.read_text().replace("/usr/bin/barograph", os.path.abspath(binary)))
        names = sorted(str(path) for path in pathlib.Path(folder).iterdir())
        done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True)
        wrong = [line for line in done.stderr.splitlines() if "barograph" in line and "man " not in line]
        assert not wrong, wrong
    for unit in units:
        start = next(line.split()[1:] for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
        assert start[start.index("--config") + 1] == "/etc/barograph/barograph.toml", (unit.name, start)
        done = subprocess.run([binary, *start, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, (unit.name, done.stderr)
    print("systemd: " + ", ".join(f"{name} {value}" for name, value in found.items()) + f" (at most {EXPOSURE_MAX:.0f})")
    return None
