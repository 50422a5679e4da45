"""A worker on this machine: reads a partition a line from standard input, answers with a line on what was standard output, ends with its input.

Started by ``_processes.py`` as ``python -m barograph.parts._worker``, so that a script that plans and runs needs no guard around it.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys

from ._partition import Partition
from ._work import do


def main() -> None:
    """Does partitions until there are no more."""
    # What a task prints must not stand among the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = {"digest": do(Partition.of(task["part"]), pathlib.Path(task["out"]), task["program"])}
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
