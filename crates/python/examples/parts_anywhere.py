"""The same partitions here, on plain processes and on Ray: seconds, and one digest.

    python crates/python/examples/parts_anywhere.py testdata/history target/release/barograph

Asks of every market and month what context was worth to a strategy whose trades may last one day, or two (`barograph kpi`).
"""

import pathlib
import sys
import tempfile
import time

from barograph import parts

# %% The plan: markets by months by horizons, each a task that reads one market's files.
history, program = sys.argv[1], sys.argv[2]
first, last = sys.argv[3:5] if len(sys.argv) > 4 else ("2025-12", "2026-02")
plan = parts.kpi(history, parts.months(first, last), [{"horizon": "24h"}, {"horizon": "48h"}], program=program)
print(f"{len(plan)} partitions")

# %% A folder each, so that nothing is found done. Ray is left out where it is not installed.
places = [("here", {}), ("processes", {"workers": 1}), ("processes", {"workers": 2}), ("ray", {"workers": 2}), ("ray", {"workers": 2, "inputs": "bytes"})]
digests = set()
with tempfile.TemporaryDirectory() as folder:
    for number, (on, options) in enumerate(places):
        out = pathlib.Path(folder) / str(number)
        began = time.perf_counter()
        try:
            made = parts.run(plan, out, on=on, program=program, **options)
        except parts.PartsFailed:
            raise
        except parts.PartsError as e:
            print(f"{on:<10} {e}")
            continue
        seconds = time.perf_counter() - began
        digests.add(made.digest)
        words = ", ".join(f"{name} {value}" for name, value in options.items())
        print(f"{on:<10} {words:<24} {seconds:6.1f} s  {made.digest[:12]}")

# %% What a change is judged by: the digest, not the place it was computed at.
assert len(digests) == 1
