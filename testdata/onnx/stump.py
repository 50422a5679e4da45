"""Writes `ofi_stump.onnx`: what a board is tested with. It takes the 197 columns of the data set in their order and says 0.8 for a rise where
`ofi` is above 0, else 0.2, and 0.5 where it is missing.

    pip install onnx
    barograph lab columns | python testdata/onnx/stump.py
"""

import sys
from pathlib import Path

from onnx import TensorProto, helper

columns = [line.split()[0] for line in sys.stdin if line.strip()]
ofi = columns.index("ofi")

# Node 0 asks `ofi > 0`, which nothing missing is; node 1 asks `ofi <= 0`, which nothing missing is either.
tree = helper.make_node(
    "TreeEnsembleClassifier",
    ["columns"],
    ["label", "probabilities"],
    domain="ai.onnx.ml",
    classlabels_int64s=[0, 1],
    post_transform="NONE",
    nodes_treeids=[0] * 5,
    nodes_nodeids=[0, 1, 2, 3, 4],
    nodes_featureids=[ofi, ofi, 0, 0, 0],
    nodes_modes=["BRANCH_GT", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF"],
    nodes_values=[0.0] * 5,
    nodes_hitrates=[1.0] * 5,
    nodes_missing_value_tracks_true=[0] * 5,
    nodes_truenodeids=[2, 3, 0, 0, 0],
    nodes_falsenodeids=[1, 4, 0, 0, 0],
    class_treeids=[0] * 6,
    class_nodeids=[2, 2, 3, 3, 4, 4],
    class_ids=[0, 1] * 3,
    class_weights=[0.2, 0.8, 0.8, 0.2, 0.5, 0.5],
)
graph = helper.make_graph(
    [tree],
    "ofi_stump",
    [helper.make_tensor_value_info("columns", TensorProto.FLOAT, [None, len(columns)])],
    [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
    ],
)
opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
(Path(__file__).parent / "ofi_stump.onnx").write_bytes(model.SerializeToString())
