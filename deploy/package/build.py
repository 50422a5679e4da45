#!/usr/bin/env python3
"""Makes the artefacts under a folder: build.py PROGRAM FOLDER [deb] [tarball] [image]. Without a kind: all that this system can make.

The same program gives the same bytes; SHA256SUMS has them, and image.digest the digest of the image.
"""

import hashlib
import pathlib
import shutil
import sys

import deb
import image
import tarball
from common import epoch

# Programs that a kind wants, each with the Debian package that has it.
TOOLS = {
    "deb": {"dpkg-deb": "dpkg", "objdump": "binutils"},
    "tarball": {"objdump": "binutils"},
    "image": {"umoci": "umoci", "dpkg-deb": "dpkg", "apt-get": "apt", "objdump": "binutils"},
}
MODULES = {"deb": deb, "tarball": tarball, "image": image}
# What an image may take when it is fetched.
IMAGE_BYTES_MAX = 60_000_000


def main() -> None:
    binary, out, *kinds = sys.argv[1:]
    binary, out = pathlib.Path(binary), pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    epoch()
    sums = {}
    for kind in kinds or list(MODULES):
        if missing := {tool: package for tool, package in TOOLS[kind].items() if not shutil.which(tool)}:
            install = " ".join(missing.values())
            print(f"skipped: NO {kind.upper()} IS MADE: {', '.join(missing)} is missing; on Debian or Ubuntu: sudo apt install {install}")
            continue
        made = MODULES[kind].build(binary, out)
        if kind == "image":
            fetched, unpacked = image.sizes(made)
            (out / "image.digest").write_text(image.digest(made) + "\n")
            print(f"made {made}: {fetched / 1e6:.1f} MB to fetch, {unpacked / 1e6:.1f} MB unpacked, {image.digest(made)}")
            if fetched > IMAGE_BYTES_MAX:
                raise SystemExit(f"the image is larger than {IMAGE_BYTES_MAX / 1e6:.0f} MB")
        else:
            sums[made.name] = hashlib.sha256(made.read_bytes()).hexdigest()
            print(f"made {made}: {made.stat().st_size / 1e6:.1f} MB, sha256 {sums[made.name]}")
    (out / "SHA256SUMS").write_text("".join(f"{value}  {name}\n" for name, value in sorted(sums.items())))


if __name__ == "__main__":
    main()
