#!/usr/bin/env python3
"""Everything about packages that is quick to check. Wants BAROGRAPH_BIN, and in CHECKS_IN what requirements.txt and packages.json name."""

import os
import pathlib
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import artefacts  # noqa: E402
import dashboards  # noqa: E402
import kubernetes  # noqa: E402
import runbook  # noqa: E402
import services  # noqa: E402


def main() -> None:
    binary = os.path.abspath(os.environ["BAROGRAPH_BIN"])
    tools = pathlib.Path(os.environ["CHECKS_IN"])
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory(prefix="barograph-checks-") as folder:
        place = pathlib.Path(folder)
        for name in ["boards", "questions"]:
            (place / name).mkdir()
        checks = {
            "artefacts": artefacts.check,
            "kubernetes": lambda: kubernetes.check(binary),
            "systemd": lambda: services.check(binary),
            "dashboards": lambda: dashboards.check(binary, tools, place / "boards"),
            "runbook": lambda: runbook.check(binary, place / "questions"),
        }
        for name, check in checks.items():
            try:
                if why := check():
                    print(f"skipped: {why}")
                    if listed := os.environ.get("SKIPPED_TESTS"):
                        with open(listed, "a") as file:
                            file.write(f"skipped: {why}\n")
                passed += 1
            except (Exception, SystemExit):
                failed += 1
                print(f"FAILED: {name}")
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
