"""Answers of purgedcv to the cases that the Rust test beside this file writes to standard input, one answer per line.

    psr BENCHMARK RETURNS            probabilistic Sharpe ratio
    dsr TRIALS VARIANCE RETURNS      expected best ratio without skill, and deflated Sharpe ratio
    pbo SLICES RETURNS RETURNS …     probability of overfitting, splits, slope

RETURNS are numbers joined by commas.
"""

import sys

import numpy as np
import purgedcv


def returns(text):
    return np.array([float(x) for x in text.split(",")])


def answer(kind, *rest):
    if kind == "psr":
        return [purgedcv.probabilistic_sharpe_ratio(returns(rest[1]), float(rest[0]))]
    if kind == "dsr":
        full = purgedcv.deflated_sharpe_ratio_full(returns(rest[2]), int(rest[0]), float(rest[1]))
        return [full.sr_star, full.dsr]
    if kind == "pbo":
        result = purgedcv.probability_of_backtest_overfitting(np.array([returns(r) for r in rest[1:]]), int(rest[0]))
        return [result.pbo, float(result.n_combos), result.slope]
    raise ValueError(kind)


for line in sys.stdin:
    print(*(repr(float(x)) for x in answer(*line.split())))
