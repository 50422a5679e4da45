"""Lab and what-if work in partitions that depend on nothing but their inputs: here, on plain processes or on Ray, with the same hashes.

>>> from barograph import parts
>>> plan = parts.labels("lake", ["binance-usdm:BTCUSDT"], ["dir_5s", "dir_1m"], every="day")   # doctest: +SKIP
>>> made = parts.run(plan, "out", on="processes", workers=4)                                   # doctest: +SKIP
>>> made.digest == parts.run(plan, "elsewhere", on="ray", address="auto").digest               # doctest: +SKIP
True

A plan is a list of :class:`Partition`, plain data in an order that depends on the question alone. :func:`run` makes each as a task of its
own, verifies what earlier runs have left, and answers in the order of the plan. The guide is docs/parts.md of the repository.
"""

from ._partition import Input, Partition, PartsError
from ._plan import dataset, days, kpi, labels, months, own, read_plan, studies, whatif, write_plan
from ._run import PartsFailed, Result, Run, run

__all__ = [
    "Input",
    "Partition",
    "PartsError",
    "PartsFailed",
    "Result",
    "Run",
    "dataset",
    "days",
    "kpi",
    "labels",
    "months",
    "own",
    "read_plan",
    "run",
    "studies",
    "whatif",
    "write_plan",
]
