"""`barograph.lab` over the shipped recording: three minutes of Binance USD-M BTCUSDT (MIT; testdata/recordings/README.md)."""

import json
import os
import pathlib
import subprocess

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import barograph
from barograph import lab

ROOT = pathlib.Path(__file__).resolve().parents[3]
RECORDING = ROOT / "testdata/recordings/binance-usdm_btcusdt_20240718.gz"
MARKET = "binance-usdm:BTCUSDT"
PLAN = {"folds": 2, "embargo": "2s", "rows_min": 40}


@pytest.fixture(scope="session")
def lake(tmp_path_factory):
    """A lake with the recording in it."""
    folder = tmp_path_factory.mktemp("lake")
    done = lab.record(MARKET, [RECORDING], folder)
    assert done["books"] > 3_000 and done["trades"] > 900 and done["rows"] > 170, done
    return folder


@pytest.fixture(scope="session")
def rows(lake):
    """Its feature rows."""
    return lab.read_features(lake, "BTCUSDT")


def test_columns_have_names_groups_and_docs():
    columns = lab.columns()
    assert [c.number for c in columns] == list(range(1, 198)) and len({c.name for c in columns}) == 197
    sizes = {}
    for column in columns:
        sizes[column.group] = sizes.get(column.group, 0) + 1
        assert all([column.unit, column.meaning, column.made_of, column.window, column.warm_up, column.undefined]), column
    assert (sizes["structural"], sizes["dynamic"], sizes["rolling"], sizes["advanced"]) == (109, 23, 13, 4)
    assert [c.name for c in lab.columns("other venues")] == ["vx_mid_dev_bps", "vx_ref_ret_1s_bps", "vx_volume_share_300s"]
    with pytest.raises(barograph.FrameError, match="there are structural"):
        lab.columns("rare")
    kinds = {t.name: (t.kind, t.horizon_s) for t in lab.target_list()}
    assert kinds["dir_5s"] == ("binary", 5.0) and kinds["ret_5tick"] == ("regression", None)


def test_a_lake_is_read_by_all_three_without_a_copy(lake, rows):
    names = ["ts", "known_ts", "row_valid", "reason_mask", *[c.name for c in lab.columns()]]
    assert rows.columns == names and len(rows) > 170
    frames = [rows.to_polars(), pl.DataFrame(rows), pl.from_arrow(rows.to_arrow())]
    assert all(f.equals(frames[0]) for f in frames) and frames[0].height == len(rows)
    assert rows.to_pandas().shape == frames[0].shape
    once, twice = (pa.table(rows).column("mid_price").chunk(0).buffers()[1].address for _ in range(2))
    assert once == twice
    # The files say the same as any reader reads them.
    files = str(lake / "silver/features/**/*.parquet")
    read = pl.read_parquet(files, hive_partitioning=False, glob=True).sort("ts")
    assert read.equals(frames[0].sort("ts"))


def test_a_stretch_and_some_columns(lake, rows):
    ts = rows.to_polars()["ts"]
    some = lab.read_features(lake, MARKET, ts[10], ts[20], columns=["mid_price", "ofi"]).to_polars()
    assert some.columns == ["mid_price", "ofi"] and some.height == 10
    assert some.equals(rows.to_polars()[10:20].select("mid_price", "ofi"))
    books = lab.read_order_book(lake, MARKET, columns=["ts", "bid_price_L0", "ask_price_L0"]).to_polars()
    trades = lab.read_trades(lake, MARKET).to_polars()
    assert (books["bid_price_L0"] < books["ask_price_L0"]).all() and trades["size"].min() > 0
    held = {(t["layer"], t["table"]): t["rows"] for t in lab.tables(lake)}
    assert held[("bronze", "orderbook")] == books.height and held[("silver", "features")] == len(rows)


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda lake: lab.read_features(lake, "ETHUSDT"), "no market 'ETHUSDT'; there are binance-usdm:BTCUSDT"),
        (lambda lake: lab.read_features(lake, "okx:BTCUSDT"), "holds no features of okx:BTCUSDT"),
        (lambda lake: lab.read_features(lake, MARKET, "2030-01-01T00:00:00Z"), "holds no features of binance-usdm:BTCUSDT in that time"),
        (lambda lake: lab.read_features(lake, MARKET, 5, 4), "is not before end"),
        (lambda lake: lab.read_features(lake, MARKET, columns=["mid"]), "no column 'mid'"),
        (lambda lake: lab.targets([1, 2], "dir_5s"), "rows must be a Polars or pandas frame"),
        (lambda lake: lab.targets(pl.DataFrame({"x": [1.0]}), "dir_5s"), "no time: the rows have x"),
        (lambda lake: lab.record("BTCUSDT", [RECORDING], lake), "names no venue"),
    ],
)
def test_what_cannot_be_had_is_answered_by_what_can(lake, ask, why):
    with pytest.raises(barograph.FrameError, match=why):
        ask(lake)


def test_targets_are_those_of_the_definition(rows):
    frame = rows.to_polars()
    labels = lab.targets(rows, "ret_5s").to_polars()
    mid = dict(zip(frame["ts"], frame["mid_price"]))
    for row, ts, end, value in labels.iter_rows():
        assert frame["ts"][row] == ts and (end - ts).total_seconds() == 5.0
        assert value == pytest.approx(np.log(mid[end] / mid[ts]), abs=1e-15)
    signs = lab.targets(frame.to_pandas(), "dir_5s").to_polars()
    moved = labels.filter(pl.col("ret_5s") != 0.0)
    assert signs["row"].to_list() == moved["row"].to_list()
    assert (signs["dir_5s"] == (moved["ret_5s"] > 0).cast(pl.Float64)).all()
    ticks = lab.targets(rows, "ret_5tick").to_polars()
    assert ticks.height > 100 and ticks["ret_5tick"].abs().max() < 0.01
    with pytest.raises(barograph.FrameError, match="there is no target 'ret_2s'; there are ret_1s"):
        lab.targets(rows, "ret_2s")


def test_no_label_of_a_training_row_touches_the_test_block(rows):
    folds = lab.folds(rows, "ret_1s", **PLAN)
    ends = {r: e for r, e in lab.targets(rows, "ret_1s").to_polars().select("row", "label_end").iter_rows()}
    ts = rows.to_polars()["ts"]
    assert len(folds) == 2 and folds.about["labelled"] == len(ends)
    seen = set()
    for fold in folds:
        first = ts[int(fold.test[0])]
        assert max(ends[r] for r in fold.train) <= first - pd.Timedelta(seconds=fold.embargo_s)
        assert set(fold.fit) | set(fold.tune) <= set(fold.train) and fold.fit.max() < fold.tune.min()
        assert not seen & set(fold.test)
        seen |= set(fold.test)
        assert (fold.labels("test") == [dict(lab.targets(rows, "ret_1s").to_polars().select("row", "ret_1s").iter_rows())[r] for r in fold.test]).all()
    assert max(ts[int(r)] for r in seen) < pd.Timestamp(folds.about["hold_out_from"])


def test_inputs_are_made_by_training_rows_only(rows):
    fold = lab.folds(rows, "dir_5tick", **PLAN)[0]
    inputs = fold.inputs("test").to_polars()
    assert inputs.height == len(fold.test) and "mid_price" not in inputs.columns and "ofi" in inputs.columns
    # What lies behind the training rows moves no bound: the same inputs from a frame that ends with the test block.
    frame = rows.to_polars()
    changed = frame.with_columns(pl.when(pl.int_range(pl.len()) > int(fold.test[-1])).then(pl.col("ofi") * 1e6).otherwise("ofi").alias("ofi"))
    again = lab.folds(changed, "dir_5tick", **PLAN)[0].inputs("test").to_polars()
    assert again.equals(inputs)
    filled = fold.inputs("train", filled=True).to_polars()
    assert filled.null_count().sum_horizontal()[0] == 0
    one = fold.inputs("test", rows=fold.test[3:4]).to_polars()
    assert one.equals(inputs[3:4])


def test_the_board_counts_the_same_as_other_tools(monkeypatch):
    metrics = pytest.importorskip("sklearn.metrics")
    # In three minutes the mid hardly moves: the market of the notebooks, which is made up, has both outcomes in every fold.
    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    lake, market = __import__("lab_data").synthetic(seconds=600)
    folds = lab.folds(lab.read_features(lake, market), "dir_1s", **PLAN)
    draws = np.random.default_rng(3)
    said = [0.1 + 0.8 * f.labels("test") + 0.03 * draws.standard_normal(len(f.test)) for f in folds]
    said = [np.clip(p, 0.01, 0.99) for p in said]
    board = {row["model"]: row for row in lab.score(folds, said, model="seen", trials=7)}
    assert list(board)[0] == "seen" and set(board) == {"seen", "prior", "persistence"}
    labels = [f.labels("test") for f in folds]
    ours = board["seen"]
    assert ours["auc"] == pytest.approx(np.mean([metrics.roc_auc_score(y, p) for y, p in zip(labels, said)]), abs=1e-12)
    assert ours["brier"] == pytest.approx(metrics.brier_score_loss(np.concatenate(labels), np.concatenate(said)), abs=1e-12)
    assert ours["log_loss"] == pytest.approx(metrics.log_loss(np.concatenate(labels), np.concatenate(said)), abs=1e-9)
    assert board["prior"]["auc"] == 0.5 and ours["n_test"] == sum(map(len, labels))
    # Any scores do where the inner split calibrates them; their ranks stay.
    scores = [100.0 * p - 7.0 for p in said]
    tuned = [100.0 * f.labels("tune") + draws.standard_normal(len(f.tune)) for f in folds]
    again = {row["model"]: row for row in lab.score(folds, scores, tune=tuned, model="seen")}["seen"]
    assert again["auc"] == pytest.approx(ours["auc"], abs=1e-12) and 0 < again["brier"] < 1
    with pytest.raises(barograph.FrameError, match="which is no probability; give the scores of the tune rows too"):
        lab.score(folds, scores)
    with pytest.raises(barograph.FrameError, match="fold 1 has .* test rows, and 3 scores were given"):
        lab.score(folds, [said[0][:3], said[1]])
    with pytest.raises(barograph.FrameError, match="of 1 folds were given, and there are 2"):
        lab.score(folds, said[:1])
    with pytest.raises(barograph.FrameError, match="give the second column"):
        lab.score(folds, [np.stack([1 - p, p], axis=1) for p in said])
    with pytest.raises(barograph.FrameError, match="a baseline's name"):
        lab.score(folds, said, model="prior")


def test_classes_and_numbers_are_scored_too(rows):
    numbers = lab.folds(rows, "ret_1s", **PLAN)
    best = lab.score(numbers, [f.labels("test") for f in numbers], model="oracle")[0]
    assert best["model"] == "oracle" and best["r2_oos"] == pytest.approx(1.0) and best["ic"] == pytest.approx(1.0)
    classes = lab.folds(rows, "dir3_1s", **PLAN)
    said = [np.eye(3)[f.labels("test").astype(int)] * 0.8 + 0.1 for f in classes]
    best = lab.score(classes, said, model="oracle")[0]
    assert best["model"] == "oracle" and best["macro_f1"] == pytest.approx(1.0) and best["macro_f1_gain"] is not None or best["macro_f1"]
    with pytest.raises(barograph.FrameError, match="give three probabilities for each row"):
        lab.score(classes, [f.labels("test") for f in classes])


def test_folds_are_those_of_the_program(lake, rows, tmp_path):
    program = os.environ.get("BAROGRAPH_BIN")
    if not program:
        pytest.skip("BAROGRAPH_BIN names no program")
    line = f"lab train {MARKET} --target ret_1s --embargo 2s --folds 2 --rows-min 40 --model linear --lake {lake} --studies {tmp_path} --json"
    done = subprocess.run([program, *line.split()], capture_output=True, text=True, cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    sheet = json.loads((tmp_path / "binance-usdm/BTCUSDT/ret_1s/folds.json").read_text())
    assert lab.folds(rows, "ret_1s", **PLAN).sheet() == sheet
    board = lab.leaderboard(tmp_path, MARKET, "ret_1s")
    ours = lab.train(lake, MARKET, "ret_1s", tmp_path / "again", models=["linear"], **PLAN)
    # What is left differs from run to run: when it was made, how long it took, and the table that has both.
    same = ["about", "plan", "embargo_s", "seed", "preset", "config_hash", "run", "board", "stamp", "inputs", "dropped", "left_out"]
    assert {k: board[k] for k in same} == {k: ours[k] for k in same}


def test_an_outside_model_stands_on_the_same_board(lake, rows, tmp_path):
    board = lab.train(lake, MARKET, "ret_1s", tmp_path, models=["linear"], **PLAN)
    folds = lab.folds(rows, "ret_1s", **PLAN)
    outside = lab.score(folds, [np.zeros(len(f.test)) for f in folds], model="nothing")
    theirs = {r["model"]: r for r in board["board"]["rows"]}
    weighed = lab.train(lake, MARKET, "ret_1s", tmp_path, models=["linear"], weights="uniqueness", **PLAN)
    assert weighed["config_hash"] != board["config_hash"]
    with pytest.raises(barograph.FrameError, match="give even or uniqueness"):
        lab.train(lake, MARKET, "ret_1s", tmp_path, weights="some", **PLAN)
    for row in outside:
        # Why a model has no IC is said where it has none.
        assert set(row) - {"no_ic"} == set(theirs["prior"]) - {"no_ic"}
        if row["model"] in ("prior", "persistence"):
            same = ("n_test", "auc", "rmse", "r2_oos", "ic")
            assert [row[k] for k in same] == [theirs[row["model"]][k] for k in same], row
    with pytest.raises(barograph.FrameError, match="there is no .*board.json; it is made by: barograph lab train"):
        lab.leaderboard(tmp_path, MARKET, "dir_5m")


def test_calls_pay_the_spread_and_the_fee(lake, rows):
    frame = rows.to_polars().filter(pl.col("row_valid"))
    calls = frame.select("known_ts", p_up=pl.lit(0.9))
    done = lab.backtest(lake, MARKET, calls, "5s", fee="VIP0", fee_bps=5.0, notional=1_000.0)
    assert done["trades"] > 20 and done["costs"]["fees"] == pytest.approx(done["trades"] * 1.0, rel=0.01)
    gross = done["net"] * 1_000.0 + sum(done["costs"].values())
    free = lab.backtest(lake, MARKET, calls, "5s", fee="none", fee_bps=0.0, notional=1_000.0)
    assert free["net"] > done["net"] and free["costs"]["spread"] > 0
    assert gross == pytest.approx(free["net"] * 1_000.0 + sum(free["costs"].values()), abs=1e-6)
    assert done["sharpe_net"] is None and done["no_sharpe"]
    assert lab.backtest(lake, MARKET, calls, "5s", fee="VIP0", fee_bps=5.0, delta=0.45)["trades"] == 0
    for bad, why in [({"fee": ""}, "no fee tier"), ({"delta": 0.5}, "below 0.5"), ({"notional": 0.0}, "above zero")]:
        with pytest.raises(barograph.FrameError, match=why):
            lab.backtest(lake, MARKET, calls, "5s", **{"fee": "VIP0", "fee_bps": 5.0, **bad})
    with pytest.raises(barograph.FrameError, match="p_up of row 0 is no probability"):
        lab.backtest(lake, MARKET, frame.select("ts", p_up=pl.lit(1.5)), "5s", fee="VIP0", fee_bps=5.0)
