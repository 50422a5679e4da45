#!/usr/bin/env python3
"""Slow checks of what `make package` made: test.py PROGRAM FOLDER HISTORY. Package, tarball and image are made twice
and compared, and each of them runs, the wheel too."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
PLAIN = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def skipped(why: str) -> None:
    print(f"skipped: {why}")
    if listed := os.environ.get("SKIPPED_TESTS"):
        with open(listed, "a") as file:
            file.write(f"skipped: {why}\n")


def run(*command: object, **how) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **how)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout + done.stderr


def works(binary: pathlib.Path, history: pathlib.Path, folder: pathlib.Path) -> None:
    """A real import, and a question, under the name of the original's command."""
    env = PLAIN | {"HOME": str(folder), "BAROGRAPH_DATA": str(folder / "data")}
    assert "minutes of 3 markets computed" in run(binary, "replay", history, "--data", folder / "data", env=env, cwd=folder)
    link = binary.with_name("generate_market_context")
    assert "binance-usdm:BTCUSDT" in run(link, "--symbol", "BTCUSDT", env=env, cwd=folder)


def twice(binary: str, out: pathlib.Path, folder: pathlib.Path) -> None:
    again = folder / "again"
    again.mkdir()
    if (out / "debian").exists():
        shutil.copytree(out / "debian", again / "debian")
    run(sys.executable, HERE / "build.py", binary, again)
    first, second = ("".join((at / name).read_text() for name in ["SHA256SUMS", "image.digest"] if (at / name).exists()) for at in (out, again))
    assert first == second, f"two builds differ:\n{first}{second}"
    print(f"equal twice:\n{first}", end="")


def deb(out: pathlib.Path, history: pathlib.Path, folder: pathlib.Path) -> None:
    package = next(out.glob("*.deb"))
    run("dpkg-deb", "-x", package, folder / "deb")
    works(folder / "deb/usr/bin/barograph", history, folder / "deb")
    # In a copy of this system, so that nothing of it changes.
    done = None
    if os.getuid() == 0:
        done = subprocess.run(["unshare", "-m", "sh", str(HERE / "install.sh"), str(folder), str(package)], capture_output=True, text=True)
    if done is None or done.returncode == 77:
        skipped("THE SCRIPTS OF THE DEBIAN PACKAGE ARE NOT RUN: that wants root, mounts in a namespace of its own, systemctl, and no barograph installed")
    elif done.returncode:
        raise SystemExit(f"the Debian package is not installed and removed as it should be:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    else:
        print("the Debian package: installed, upgraded, removed and purged, its scripts run")
    control = run("dpkg-deb", "-e", package, folder / "control") + (folder / "control/control").read_text()
    for script in ["postinst", "prerm", "postrm"]:
        run("sh", "-n", folder / "control" / script)
    print(f"the Debian package: {package.stat().st_size / 1e6:.1f} MB, {next(line for line in control.splitlines() if line.startswith('Depends'))}")


def tarball(out: pathlib.Path, history: pathlib.Path, folder: pathlib.Path) -> None:
    package = next(out.glob("*.tar.gz"))
    run("tar", "-xzf", package, "-C", folder)
    root = folder / package.name.removesuffix(".tar.gz")
    (folder / "tarball").mkdir()
    works(root / "bin/barograph", history, folder / "tarball")
    print(f"the tarball: {package.stat().st_size / 1e6:.1f} MB, {(root / 'NEEDS').read_text().strip()}")


def wheel(out: pathlib.Path, folder: pathlib.Path) -> None:
    found = list((out / "wheels").glob("*.whl")) if (out / "wheels").exists() else []
    if not found:
        return skipped("THE WHEEL IS NOT INSTALLED: there is none")
    assert len(found) == 1 and "-abi3-" in found[0].name, found
    run(sys.executable, "-m", "venv", folder / "venv")
    # No compiler and no cargo on the path: what is installed is what the wheel holds.
    env = {name: value for name, value in os.environ.items() if name.lower().startswith(("pip_", "http", "ssl", "home"))} | {"PATH": str(folder / "venv/bin")}
    run(folder / "venv/bin/pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:", found[0], env=env)
    said = run(folder / "venv/bin/python", "-c", "import barograph; print(barograph.__name__)", env=env, cwd=folder)
    assert "barograph" in said, said
    print(f"the wheel: {found[0].name}, {found[0].stat().st_size / 1e6:.1f} MB, installed without Rust")


def main() -> None:
    binary, out, history = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    with tempfile.TemporaryDirectory(prefix="barograph-package-") as name:
        folder = pathlib.Path(name)
        twice(binary, out, folder)
        tarball(out, history, folder)
        if list(out.glob("*.deb")):
            deb(out, history, folder)
        wheel(out, folder)
        if (out / "image").exists() and shutil.which("crun") and os.getuid() == 0:
            print(run(sys.executable, HERE / "run_image.py", out / "image", history), end="")
        else:
            skipped("THE IMAGE IS NOT RUN: umoci or crun is missing, or you are not root; on Debian or Ubuntu: sudo apt install umoci crun")
    print("package-test passed")


if __name__ == "__main__":
    main()
