"""What the artefacts are made by, on trees of other systems than this one: where the image's loader stands."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "package"))

import common  # noqa: E402
import image  # noqa: E402

# The loader as libc6 of a system ships it, and what is put beside it: Debian 12, Debian 13, on both architectures.
SYSTEMS = [
    ("amd64", "lib64/ld-linux-x86-64.so.2", {}),
    ("amd64", "usr/lib64/ld-linux-x86-64.so.2", {"lib64": "usr/lib64"}),
    ("arm64", "lib/ld-linux-aarch64.so.1", {}),
    ("arm64", "usr/lib/ld-linux-aarch64.so.1", {"lib": "usr/lib"}),
]


def check() -> None:
    for machine, loader, wanted in SYSTEMS:
        assert image.wanted(loader), loader
        tree = common.Tree()
        tree.file(loader, b"loader")
        image.merged(tree, machine)
        links = {name: data for name, (_, _, data) in tree.files.items() if isinstance(data, str)}
        assert links == wanted, (machine, loader, links)
    for machine, elsewhere in [("amd64", "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"), ("arm64", "usr/lib64/ld-linux-aarch64.so.1")]:
        tree = common.Tree()
        tree.file(elsewhere, b"loader")
        try:
            image.merged(tree, machine)
        except SystemExit:
            continue
        raise AssertionError(f"an image without a loader was made: {machine}, {elsewhere}")
    print(f"artefacts: the image's loader, as {len(SYSTEMS)} systems ship it")
