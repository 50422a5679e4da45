"""LightGBM on rows of the law of `examples/gbm_speed.rs`: same rows, columns, rounds, depth, rate and bins. Prints seconds and AUC."""

import sys
import time

import lightgbm
import numpy as np
from sklearn.metrics import roc_auc_score

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
columns = int(sys.argv[2]) if len(sys.argv) > 2 else 197
random = np.random.default_rng(1)
x = random.random((rows, columns)) + random.random((rows, columns)) + random.random((rows, columns)) - 1.5
signal = x[:, 0] * x[:, 1] + 0.5 * x[:, 2] + 0.3 * np.abs(x[:, 3])
y = (signal - 0.12 + 2.0 * (random.random(rows) - 0.5) > 0).astype(float)
cut = rows // 5 * 4
for threads in (1, 2):
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
