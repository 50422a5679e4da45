"""Holds folds that are given as JSON lines against purgedcv, and prints one line of what it counted.

Each line has the labels of one set (start_ms, end_ms) and questions: candidates, train, test (places among the labels), embargo_ms,
from_ms (rows that start earlier are too old, null for none). For each, purgedcv purges the candidates against the same test rows, with
its padding before and behind the block as wide as the embargo, and then embargoes; its own leakage check looks at our rows.
"""

import json
import sys

import numpy as np
import pandas as pd
import purgedcv
from purgedcv.diagnostics import assert_no_temporal_leakage


def times(ms):
    return pd.Series(pd.to_datetime(np.asarray(ms, dtype="int64"), unit="ms"))


counted = dict.fromkeys(
    ["sets", "questions", "candidates", "rows_ours", "rows_theirs", "rows_removed", "rows_beyond", "equal", "leaks"], 0
)
for line in sys.stdin:
    labels = json.loads(line)
    start, end = times(labels["start_ms"]), times(labels["end_ms"])
    counted["sets"] += 1
    for question in labels["questions"]:
        candidates = np.asarray(question["candidates"], dtype="int64")
        test = np.asarray(question["test"], dtype="int64")
        ours = np.asarray(question["train"], dtype="int64")
        embargo = pd.Timedelta(milliseconds=question["embargo_ms"])
        purged = purgedcv.purge(candidates, test, start, end, purge_horizon=embargo)
        theirs = purgedcv.apply_embargo(purged, test, start, end, embargo=embargo)
        if question["from_ms"] is not None:
            theirs = theirs[(start.iloc[theirs] >= pd.Timestamp(question["from_ms"], unit="ms")).to_numpy()]
        beyond = np.setdiff1d(ours, theirs)
        try:
            assert_no_temporal_leakage(ours, test, start, end)
        except purgedcv.TemporalLeakageError as error:
            counted["leaks"] += 1
            print(error, file=sys.stderr)
        counted["questions"] += 1
        counted["candidates"] += len(candidates)
        counted["rows_ours"] += len(ours)
        counted["rows_theirs"] += len(theirs)
        counted["rows_removed"] += len(candidates) - len(purged)
        counted["rows_beyond"] += len(beyond)
        counted["equal"] += int(np.array_equal(ours, theirs))
print(json.dumps({"purgedcv": purgedcv.__version__, **counted}))
