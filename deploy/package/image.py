"""The container image: an OCI layout with one layer, made without root and without a container engine.

The layer holds the program, the C library and the compiler's, certificates, and two lines of users. There is no shell and no package
manager in it. Debian's packages are fetched once by apt; everything after that needs no network. umoci writes the layout.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from datetime import datetime, timezone

from common import ROOT, Tree, architecture, epoch, licences, needs, program, version

PACKAGES = ["ca-certificates", "libc6", "libgcc-s1"]
USER = 10001
# Docker reads it out of the image. Podman reads it only from images in Docker's own form (containers/podman, 18904), and not from this
# one: there it is given with --health-cmd (docs/deploy.md). Kubernetes has probes of its own.
HEALTH = {"Test": ["CMD", "/usr/bin/monitor_context_freshness", "--threshold", "300"], "Interval": 60 * 10**9,
          "Timeout": 10 * 10**9, "StartPeriod": 600 * 10**9, "Retries": 3}


def fetched(folder: pathlib.Path) -> list[pathlib.Path]:
    """Debian's packages: those in the folder, or as apt has them for this system."""
    folder.mkdir(parents=True, exist_ok=True)
    if not all(list(folder.glob(f"{name}_*.deb")) for name in PACKAGES):
        subprocess.run(["apt-get", "download", "-q", *PACKAGES], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return [max(folder.glob(f"{name}_*.deb")) for name in PACKAGES]


def wanted(name: str) -> bool:
    library = re.fullmatch(r"(usr/)?lib(64)?/([^/]+/)?(ld-[^/]+|lib(c|m|gcc_s|resolv|nss_dns|nss_files)\.so\.\d+)", name)
    return bool(library) or name.endswith("/copyright")


# Where a program of this architecture looks for its loader; the name is written inside the program.
LOADERS = {"amd64": "lib64/ld-linux-x86-64.so.2", "arm64": "lib/ld-linux-aarch64.so.1"}


def merged(tree: Tree, machine: str) -> None:
    """Debian 13 and newer Ubuntu keep libraries below usr alone, and /lib and /lib64 are links that another package (base-files) brings."""
    for name in ["lib", "lib64"]:
        if f"usr/{name}" in tree.files and name not in tree.files:
            tree.link(name, f"usr/{name}")
    loader = LOADERS[machine]
    top = loader.partition("/")[0]
    linked = tree.files.get(top, (0, 0, None))[2] == f"usr/{top}"
    if (f"usr/{loader}" if linked else loader) not in tree.files:
        raise SystemExit(f"no package brings /{loader}, without which nothing runs in the image")


def rootfs(binary: pathlib.Path, packages: list[pathlib.Path]) -> Tree:
    tree = Tree()
    authorities: dict[str, bytes] = {}
    for package in packages:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
            for path in sorted(pathlib.Path(folder).rglob("*")):
                name = str(path.relative_to(folder))
                if name.startswith("usr/share/ca-certificates/") and name.endswith(".crt"):
                    authorities[name] = path.read_bytes()
                elif wanted(name) and path.is_symlink():
                    tree.link(name, os.readlink(path))
                elif wanted(name):
                    tree.file(name, path.read_bytes(), path.stat().st_mode & 0o777)
        # Scanners look here for what is installed.
        control = subprocess.check_output(["dpkg-deb", "-f", str(package)], text=True)
        tree.file(f"var/lib/dpkg/status.d/{package.name.split('_')[0]}", control)
    # Before the program's own folders: usr/lib is there only where a package has libraries in it.
    merged(tree, architecture())
    tree.file("etc/ssl/certs/ca-certificates.crt", b"".join(data for _, data in sorted(authorities.items())))
    tree.file("etc/passwd", f"root:x:0:0:root:/:/nologin\nbarograph:x:{USER}:{USER}:barograph:/data:/nologin\n")
    tree.file("etc/group", f"root:x:0:\nbarograph:x:{USER}:\n")
    tree.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    tree.file("usr/share/doc/barograph/copyright", licences())
    program(tree, binary, "usr/bin")
    tree.folder("data", 0o750, USER)
    tree.folder("tmp", 0o1777)
    for place in ["dev", "proc", "sys", "run"]:
        tree.folder(place)
    return tree


def build(binary: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    needs(binary)
    packages = fetched(out / "debian")
    created = datetime.fromtimestamp(epoch(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    layout = out / "image"
    shutil.rmtree(layout, ignore_errors=True)
    image = f"{layout}:{version()}"

    def umoci(*words: str) -> None:
        subprocess.run(["umoci", *words], check=True, stdout=subprocess.DEVNULL)

    umoci("init", "--layout", str(layout))
    umoci("new", "--image", image)
    layer = out / "layer.tar"
    layer.write_bytes(rootfs(binary, packages).tar())
    history = ["--history.created", created, "--history.author", "barograph"]
    umoci("raw", "add-layer", "--image", image, *history, "--history.created_by", "make package", str(layer))
    layer.unlink()
    labels = {
        "title": "barograph",
        "description": "weather of crypto derivatives markets, explained",
        "version": version(),
        "licenses": "Apache-2.0 OR MIT",
        "base.name": " ".join(path.stem for path in packages),
    }
    umoci(
        "config", "--image", image, "--no-history", "--created", created, "--author", "barograph",
        "--architecture", architecture(), "--os", "linux", "--config.user", f"{USER}:{USER}",
        "--config.entrypoint", "/usr/bin/barograph", "--config.cmd", "up", "--config.workingdir", "/data",
        "--config.volume", "/data", "--config.exposedports", "8600/tcp", "--config.stopsignal", "SIGTERM",
        *[word for pair in ["PATH=/usr/bin", "BAROGRAPH_DATA=/data", "HOME=/data", "TMPDIR=/tmp"] for word in ["--config.env", pair]],
        *[word for key, text in labels.items() for word in ["--config.label", f"org.opencontainers.image.{key}={text}"]],
    )
    with_health(layout)
    umoci("gc", "--layout", str(layout))
    return layout


def blob(layout: pathlib.Path, digest: str) -> pathlib.Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def put(layout: pathlib.Path, value: dict) -> dict:
    data = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def with_health(layout: pathlib.Path) -> None:
    """The health check, which umoci does not know: config, manifest and index are written again."""
    index = json.loads((layout / "index.json").read_text())
    entry = index["manifests"][0]
    manifest = json.loads(blob(layout, entry["digest"]).read_text())
    config = json.loads(blob(layout, manifest["config"]["digest"]).read_text())
    config["config"]["Healthcheck"] = HEALTH
    manifest["config"] |= put(layout, config)
    entry |= put(layout, manifest)
    (layout / "index.json").write_text(json.dumps(index, separators=(",", ":"), sort_keys=True))


def digest(layout: pathlib.Path) -> str:
    return json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]


def sizes(layout: pathlib.Path) -> tuple[int, int]:
    """Bytes that are fetched, and bytes once unpacked."""
    import gzip

    manifest = json.loads(blob(layout, digest(layout)).read_text())
    layers = [blob(layout, layer["digest"]) for layer in manifest["layers"]]
    unpacked = sum(len(gzip.decompress(path.read_bytes())) for path in layers)
    return sum(path.stat().st_size for path in (layout / "blobs" / "sha256").iterdir()), unpacked
