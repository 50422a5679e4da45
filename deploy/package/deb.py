"""The Debian package: program, services, settings, and a user for them."""

import os
import pathlib
import subprocess
import tempfile

from common import ROOT, Tree, architecture, documents, gz, licences, needs, program, version


def tree_of(binary: pathlib.Path) -> Tree:
    tree = Tree()
    program(tree, binary, "usr/bin")
    for unit in sorted((ROOT / "deploy/systemd").glob("barograph*.[st][ei][rm]*")):
        tree.file(f"usr/lib/systemd/system/{unit.name}", unit.read_bytes())
    tree.file("usr/lib/sysusers.d/barograph.conf", (ROOT / "deploy/systemd/barograph.sysusers").read_bytes())
    tree.file("etc/barograph/barograph.toml", (ROOT / "deploy/debian/barograph.toml").read_bytes())
    doc = "usr/share/doc/barograph"
    tree.file(f"{doc}/copyright", licences())
    documents(tree, f"{doc}/")
    tree.file(f"{doc}/changelog.gz", gz((ROOT / "CHANGELOG.md").read_bytes()))
    for board in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json")):
        tree.file(f"usr/share/barograph/grafana/{board.name}", board.read_bytes())
    return tree


def build(binary: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    _, glibc = needs(binary)
    tree = tree_of(binary)
    size = sum(len(data) for _, _, data in tree.files.values() if isinstance(data, bytes)) // 1024
    control = (ROOT / "deploy/debian/control.in").read_text()
    known = {"VERSION": version(), "ARCHITECTURE": architecture(), "SIZE": size, "GLIBC": glibc}
    for word, value in known.items():
        control = control.replace(f"@{word}@", str(value))
    tree.file("DEBIAN/control", control)
    tree.file("DEBIAN/conffiles", "/etc/barograph/barograph.toml\n")
    for script in ["postinst", "prerm", "postrm"]:
        tree.file(f"DEBIAN/{script}", (ROOT / "deploy/debian" / script).read_bytes(), 0o755)
    target = out / f"barograph_{version()}_{architecture()}.deb"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "root"
        root.mkdir()
        tree.write(root)
        root.chmod(0o755)
        # One thread: how xz cuts its input among several depends on the machine.
        make = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", str(root), str(target)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"DPKG_DEB_THREADS_MAX": "1"})
    return target
