"""Others' answers to what the lab computes. Reads one JSON object from stdin, writes one to stdout; `ask` says what is wanted.

Judges: scikit-learn (AUC, Brier, log loss, isotonic regression), shap (TreeSHAP of our trees), LightGBM (TreeSHAP of its own trees,
which the test then explains with our code).
"""

import json
import sys

import numpy as np


def scores(question):
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    came, p = np.array(question["came"]), np.array(question["p"])
    inside = np.clip(p, 1e-6, 1 - 1e-6)
    return {
        "auc": roc_auc_score(came, p),
        "brier": brier_score_loss(came, p),
        "log_loss": log_loss(came, np.column_stack([1 - inside, inside])),
    }


def f1(question):
    from sklearn.metrics import f1_score

    came, said = question["came"], question["said"]
    each = f1_score(came, said, labels=[0, 1, 2], average=None, zero_division=0)
    return {"each": each.tolist(), "macro": float(each.mean())}


def isotonic(question):
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip").fit(question["scores"], question["came"])
    return {"levels": curve.predict(question["at"]).tolist()}


def logistic(question):
    """L2 logistic regression on columns scaled like ours; `strength` is per row, C = 1 / (n strength)."""
    from sklearn.linear_model import LogisticRegression

    x = np.array(question["x"])
    y = np.array(question["y"])
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    model = LogisticRegression(C=1.0 / (len(y) * question["strength"]), tol=1e-12, max_iter=10_000).fit(z, y)
    return {"margins": model.decision_function(z).tolist()}


def tree_shap(question):
    import shap

    trees = []
    for tree in question["trees"]:
        trees.append(
            {
                "children_left": np.array(tree["left"], dtype=np.int32),
                "children_right": np.array(tree["right"], dtype=np.int32),
                "children_default": np.array(tree["missing"], dtype=np.int32),
                "features": np.array(tree["column"], dtype=np.int32),
                # Ours go left below the number, theirs up to it.
                "thresholds": np.nextafter(np.array(tree["below"]), -np.inf),
                "values": np.array(tree["value"])[:, None],
                "node_sample_weight": np.array(tree["cover"]),
            }
        )
    model = {"trees": trees, "base_offset": question["base"], "internal_dtype": np.float64, "input_dtype": np.float64}
    x = np.array([[np.nan if v is None else v for v in row] for row in question["rows"]])
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    parts = np.asarray(explainer.shap_values(x, check_additivity=False))
    return {"parts": parts.reshape(len(x), -1).tolist(), "base": float(np.ravel(explainer.expected_value)[0])}


def lightgbm(question):
    import lightgbm

    random = np.random.default_rng(question["seed"])
    x = random.normal(size=(2_000, 6))
    y = x[:, 0] * x[:, 1] + x[:, 2] + 0.1 * random.normal(size=2_000)
    x[random.random(x.shape) < 0.1] = np.nan
    options = {"objective": "regression", "num_leaves": 15, "verbose": -1, "deterministic": True, "num_threads": 1, "seed": 1}
    model = lightgbm.train(options, lightgbm.Dataset(x, y), num_boost_round=20)
    rows = x[:300]
    trees = []

    def walk(node, nodes):
        at = len(nodes)
        nodes.append(None)
        if "split_feature" not in node:
            nodes[at] = {"leaf": node["leaf_value"], "cover": node.get("leaf_count", 0)}
            return at
        assert node["decision_type"] == "<=" and node["missing_type"] == "NaN", node
        left = walk(node["left_child"], nodes)
        right = walk(node["right_child"], nodes)
        nodes[at] = {
            "column": node["split_feature"],
            "below": float(np.nextafter(node["threshold"], np.inf)),
            "left": left,
            "right": right,
            "missing": left if node["default_left"] else right,
            "cover": node["internal_count"],
        }
        return at

    for info in model.dump_model()["tree_info"]:
        nodes = []
        walk(info["tree_structure"], nodes)
        trees.append(nodes)
    return {
        "trees": trees,
        "rows": [[None if np.isnan(v) else v for v in row] for row in rows.tolist()],
        "margins": model.predict(rows, raw_score=True).tolist(),
        "contributions": model.predict(rows, pred_contrib=True).tolist(),
    }


QUESTIONS = {
    "scores": scores,
    "f1": f1,
    "isotonic": isotonic,
    "logistic": logistic,
    "tree_shap": tree_shap,
    "lightgbm": lightgbm,
}

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(QUESTIONS[asked["ask"]](asked), sys.stdout)
