"""XGBoost, CatBoost and AutoGluon on the folds of a study, and one board of them and the lab's own models.

The rows are those of the study's ``folds.json``, so nothing is learnt that `barograph lab train` would not have let its own models learn. Each
model is fitted on ``fit``, stopped by ``tune``, calibrated on ``tune`` by :func:`barograph.lab.score`, and judged on ``test`` once.

    python crates/python/examples/models_of_others.py LAKE VENUE:SYMBOL TARGET STUDIES [--models xgboost catboost autogluon]

One core, so that seconds can be compared; AutoGluon gets as many as the lab's own models took. Targets are those with a yes or no, ``dir_*``.
"""

import argparse
import pathlib
import tempfile
import time

import numpy as np
import polars as pl

from barograph import lab

LEAST_S = 20.0
"""Of a fold; with much less AutoGluon gives up before its first model."""


def xgboost(fit, tune, ask, _seconds):
    """As many rounds as the inner split wants, trees of the lab's depth."""
    from xgboost import XGBClassifier

    model = XGBClassifier(
        n_estimators=400, learning_rate=0.05, max_depth=5, subsample=0.8, colsample_bytree=0.5, reg_lambda=5.0,
        tree_method="hist", eval_metric="logloss", early_stopping_rounds=25, n_jobs=1, random_state=1,
    )  # fmt: skip
    model.fit(*fit, eval_set=[tune], verbose=False)
    return [model.predict_proba(rows)[:, 1] for rows in ask]


def catboost(fit, tune, ask, _seconds):
    """The same with oblivious trees."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        iterations=400, learning_rate=0.05, depth=5, l2_leaf_reg=5.0, early_stopping_rounds=25, thread_count=1, random_seed=1,
        allow_writing_files=False, logging_level="Silent",
    )  # fmt: skip
    model.fit(*fit, eval_set=tune)
    return [model.predict_proba(rows)[:, 1] for rows in ask]


def autogluon(fit, tune, ask, seconds):
    """What its tabular predictor makes of the rows in the time: boosted trees, forests, a linear model, and a weighted ensemble of them."""
    import logging
    import warnings

    from autogluon.tabular import TabularPredictor

    # It says for each model that there is no torch, which none of these needs, and its models warn of how it calls scikit-learn.
    logging.getLogger("autogluon.common.utils.resource_utils").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="sklearn")

    def frame(inputs, labels):
        return inputs.assign(__label=labels)

    with tempfile.TemporaryDirectory(prefix="autogluon-") as folder:
        model = TabularPredictor(label="__label", problem_type="binary", eval_metric="log_loss", path=folder, verbosity=0)
        kinds = {"GBM": {}, "XGB": {}, "CAT": {}, "RF": {}, "XT": {}, "LR": {}}
        model.fit(frame(*fit), tuning_data=frame(*tune), time_limit=seconds, hyperparameters=kinds, num_cpus=1, num_gpus=0)
        return [model.predict_proba(rows)[1].to_numpy() for rows in ask]


MODELS = {"xgboost": xgboost, "catboost": catboost, "autogluon": autogluon}


def board(lake, market, target, studies, names, models=None, **plan):
    """Rows of one board, the best first, and the seconds that the lab's own models took; those of others say theirs.

    ``models`` are the lab's own beside its baselines and its control, all of them without it.
    """
    begun = time.monotonic()
    ours = lab.train(lake, market, target, studies, models=models, **plan)["board"]["rows"]
    seconds = time.monotonic() - begun
    folds = lab.folds(lab.read_features(lake, market), target, **plan)
    if folds.kind != "binary":
        raise SystemExit(f"{target} is not a yes or no: these models are fitted on dir_*")
    rows = [{**row, "seconds": None} for row in ours]
    for name in names:
        begun, test, tune = time.monotonic(), [], []
        for fold in folds:
            inputs = {part: fold.inputs(part).to_pandas() for part in ("fit", "tune", "test")}
            labels = {part: fold.labels(part).astype(np.int64) for part in ("fit", "tune")}
            given = max(LEAST_S, seconds / len(folds))
            said = MODELS[name](
                (inputs["fit"], labels["fit"]), (inputs["tune"], labels["tune"]), (inputs["tune"], inputs["test"]), given
            )
            tune.append(said[0])
            test.append(said[1])
        scored = [r for r in lab.score(folds, test, tune=tune, model=name) if r["model"] == name]
        rows += [{**row, "seconds": round(time.monotonic() - begun, 1)} for row in scored]
    return sorted(rows, key=lambda row: -(row["bss_clim"] if row["bss_clim"] is not None else -np.inf)), round(seconds, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("market")
    parser.add_argument("target")
    parser.add_argument("studies", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--embargo", default="1h")
    asked = parser.parse_args()
    rows, seconds = board(
        asked.lake, asked.market, asked.target, asked.studies, asked.models, folds=asked.folds, embargo=asked.embargo
    )
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        shown = ("model", "auc", "auc_lo", "auc_hi", "bss_clim", "n_test", "seconds")
        print(pl.DataFrame(rows, infer_schema_length=None).select(shown))
    print(f"The lab's own models took {seconds} s together; seconds of the others are for all folds.")


if __name__ == "__main__":
    main()
