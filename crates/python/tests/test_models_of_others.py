"""XGBoost, CatBoost and AutoGluon on the folds that `barograph lab train` exports, and on its board (R5.35)."""

import json
import pathlib
import sys

import numpy as np
import pytest
from test_examples import example

import barograph
from barograph import lab

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLAN = {"folds": 2, "embargo": "60s"}
PACKAGES = {"xgboost": "xgboost", "catboost": "catboost", "autogluon": "autogluon.tabular"}


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Forty minutes of a made market in which order flow leads, and a folder for its studies."""
    sys.path.insert(0, str(ROOT / "notebooks"))
    import lab_data

    return (*lab_data.synthetic(seconds=2_400), tmp_path_factory.mktemp("studies"))


@pytest.mark.parametrize("name", PACKAGES)
def test_a_model_of_others_is_fitted_on_the_exported_folds_and_stands_on_the_board(market, name):
    pytest.importorskip(PACKAGES[name], reason=f"{PACKAGES[name]}: pip cannot fetch it (make boosters fetches all three)")
    lake, symbol, studies = market
    others = example("models_of_others")
    folds = lab.folds(lab.read_features(lake, symbol), "dir_5s", **PLAN)
    seen = []
    fit = others.MODELS[name]
    others.MODELS[name] = lambda fitted, tuned, ask, seconds: (
        seen.append((len(fitted[1]), len(tuned[1]), len(ask[1]))) or fit(fitted, tuned, ask, seconds)
    )
    rows, seconds = others.board(lake, symbol, "dir_5s", studies, [name], models=["linear"], **PLAN)

    # The rows are those that the program wrote down for models outside of it.
    written = json.loads((studies / symbol.replace(":", "/") / "dir_5s" / "folds.json").read_text())
    assert written == folds.sheet()
    assert seen == [(len(f.fit), len(f.tune), len(f.test)) for f in folds]

    of = {row["model"]: row for row in rows}
    assert seconds > 0 and of[name]["seconds"] > 0
    assert {"prior", "persistence", "linear", "shuffled", name} <= set(of)
    assert of[name].keys() == of["linear"].keys() and of[name]["n_test"] == of["linear"]["n_test"]
    # The made market has an edge of some hundredths; a model that looked ahead would be far above it.
    assert 0.52 < of[name]["auc"] < 0.75, of[name]
    skills = [row["bss_clim"] for row in rows]
    assert skills == sorted(skills, reverse=True)


def test_an_order_of_rows_that_is_not_the_folds_is_refused(market):
    lake, symbol, _ = market
    folds = lab.folds(lab.read_features(lake, symbol), "dir_5s", **PLAN)
    with pytest.raises(barograph.FrameError, match="fold 2"):
        lab.score(folds, [np.full(len(folds[0].test), 0.5), np.full(len(folds[1].test) - 1, 0.5)])
