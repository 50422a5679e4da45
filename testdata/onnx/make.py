"""Writes what the ONNX import is held to: forests grown by scikit-learn and LightGBM on made-up rows, exported by skl2onnx and
onnxmltools, and what Python itself gives for rows of which some numbers are missing.

    pip install scikit-learn==1.* lightgbm onnxmltools skl2onnx
    python testdata/onnx/make.py
"""

import csv
from pathlib import Path

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType as LightGbmFloat
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPRegressor

HERE = Path(__file__).parent
COLUMNS = 6
rng = np.random.default_rng(20260205)


def rows(count):
    return rng.normal(size=(count, COLUMNS)).astype(np.float32)


def labels(x):
    return x[:, 0] * x[:, 1] + 0.5 * x[:, 2] + 0.3 * np.abs(x[:, 3])


x = rows(2_000)
signal = labels(x) + rng.normal(scale=0.3, size=len(x))
binary = (signal > np.median(signal)).astype(int)
classes = np.digitize(signal, np.quantile(signal, [1 / 3, 2 / 3]))
holes = x.copy()
holes[rng.random(holes.shape) < 0.1] = np.nan

asked = rows(130)
asked_holes = asked.copy()
asked_holes[rng.random(asked.shape) < 0.15] = np.nan


def write(name, model, inputs, outputs):
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    with open(HERE / f"{name}.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([f"x{c}" for c in range(COLUMNS)] + [f"p{c}" for c in range(outputs.shape[1])])
        for given, said in zip(inputs, outputs):
            out.writerow(["" if np.isnan(v) else repr(float(v)) for v in given] + [repr(float(v)) for v in said])


plain = {"zipmap": False}
forest = RandomForestClassifier(n_estimators=20, max_depth=4, random_state=1).fit(x, binary)
write("sklearn_binary", to_onnx(forest, x[:1], options=plain, target_opset=15), asked, forest.predict_proba(asked))

boosted = LGBMClassifier(n_estimators=15, num_leaves=8, random_state=1, verbose=-1, deterministic=True, num_threads=1).fit(holes, classes)
shape = [("columns", LightGbmFloat([None, COLUMNS]))]
converted = convert_lightgbm(boosted, initial_types=shape, zipmap=False, target_opset=15)
write("lightgbm_classes", converted, asked_holes, boosted.predict_proba(asked_holes))

number = MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=1).fit(x, signal.astype(np.float32))
write("sklearn_number", to_onnx(number, x[:1], target_opset=15), asked, number.predict(asked).reshape(-1, 1))

# A forest of numbers, which the reader does not run: what is refused.
number = LGBMRegressor(n_estimators=2, num_leaves=4, random_state=1, verbose=-1).fit(x, signal)
(HERE / "forest_of_numbers.onnx").write_bytes(convert_lightgbm(number, initial_types=shape, target_opset=15).SerializeToString())

# Probabilities as a list of tables, which is no tensor: what is refused.
(HERE / "zipmap.onnx").write_bytes(to_onnx(RandomForestClassifier(n_estimators=2, max_depth=2, random_state=1).fit(x, binary), x[:1], target_opset=15).SerializeToString())
