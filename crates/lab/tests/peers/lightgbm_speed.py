"""LightGBM on the rows of `benches/zoo`: same numbers, rounds, depth, rate and bins. Prints seconds and AUC."""

import sys
import time

import lightgbm
import numpy as np
from sklearn.metrics import roc_auc_score

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
columns = int(sys.argv[2]) if len(sys.argv) > 2 else 197


def units(first, count):
    """Numbers `first` to `first + count` of SplitMix64 at seed 1, as `barograph_domain::random` draws them."""
    with np.errstate(over="ignore"):
        state = np.uint64(1) + np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


x = np.empty((rows, columns))
for c in range(columns):
    three = units(3 * rows * c, 3 * rows).reshape(rows, 3)
    x[:, c] = three[:, 0] + three[:, 1] + three[:, 2] - 1.5
signal = x[:, 0] * x[:, 1] + 0.4 * x[:, 0] + 0.3 * x[:, 1] + 0.5 * x[:, 2] + 0.3 * np.abs(x[:, 3])
y = (signal - 0.12 + 2.0 * (units(3 * rows * columns, rows) - 0.5) > 0).astype(float)
cut = rows // 5 * 4
for threads in [int(t) for t in sys.argv[3:]] or (1, 2):
    options = {
        "objective": "binary", "learning_rate": 0.1, "max_depth": 5, "num_leaves": 32, "max_bin": 255, "min_data_in_leaf": 20,
        "lambda_l2": 1.0, "num_threads": threads, "verbose": -1, "seed": 1,
    }
    begin = time.perf_counter()
    data = lightgbm.Dataset(x[:cut], y[:cut])
    inner = lightgbm.Dataset(x[cut:], y[cut:], reference=data)
    model = lightgbm.train(options, data, 200, valid_sets=[inner], callbacks=[lightgbm.early_stopping(25, verbose=False)])
    seconds = time.perf_counter() - begin
    score = roc_auc_score(y[cut:], model.predict(x[cut:]))
    print(f"lightgbm, {threads} threads: {seconds:.2f} s, {model.num_trees()} trees, inner AUC {score:.4f}")
