"""The tarball: unpack it anywhere on a Linux with glibc, and run bin/barograph."""

import os
import pathlib

from common import ROOT, Tree, documents, gz, needs, program, version


def build(binary: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    _, glibc = needs(binary)
    tree = Tree()
    program(tree, binary, "bin")
    documents(tree, "")
    for name in ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]:
        tree.file(name, (ROOT / name).read_bytes())
    for folder, pattern in [("systemd", "barograph*"), ("grafana/dashboards", "*.json")]:
        for file in sorted((ROOT / "deploy" / folder).glob(pattern)):
            tree.file(f"share/{folder}/{file.name}", file.read_bytes())
    # For the units, which read it from /etc/barograph.
    tree.file("share/systemd/barograph.toml", (ROOT / "deploy/debian/barograph.toml").read_bytes())
    for file in sorted((ROOT / "deploy/kubernetes").rglob("*")):
        if file.is_file():
            tree.file(f"share/kubernetes/{file.relative_to(ROOT / 'deploy/kubernetes')}", file.read_bytes())
    tree.file("NEEDS", f"Linux {os.uname().machine}, glibc {glibc} or newer, libgcc_s\n")
    name = f"barograph-{version()}-{os.uname().machine}-linux-gnu"
    target = out / f"{name}.tar.gz"
    target.write_bytes(gz(tree.tar(f"{name}/")))
    return target
