"""Every notebook runs on the data that comes with the repository, and prints what is kept in it."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"
NAMES = ["01_data_exploration", "02_target_engineering", "03_feature_selection", "04_model_training", "05_backtesting", "06_interpretability"]
NEEDS = {"03_feature_selection": ["scipy"], "04_model_training": ["sklearn", "lightgbm"], "05_backtesting": ["sklearn"]}

spec = importlib.util.spec_from_file_location("run", NOTEBOOKS / "run.py")
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)


def test_all_six_are_there_and_say_what_their_data_is():
    assert [path.stem for path in run.notebooks()] == NAMES
    for path in run.notebooks():
        book = json.loads(path.read_text())
        head = "".join(book["cells"][0]["source"])
        assert "Data:" in head and ("recording" in head or "made up" in head), path.name
        # Outputs are kept, and small.
        assert any(figures for _, figures in run.printed(book).values()) and path.stat().st_size < 300_000, path.name


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_prints_what_is_kept(name):
    for package in ["matplotlib", "polars", "pyarrow", *NEEDS.get(name, [])]:
        pytest.importorskip(package)
    path = NOTEBOOKS / f"{name}.ipynb"
    done = subprocess.run([sys.executable, NOTEBOOKS / "run.py", path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_quick_start_of_the_agents_file_runs(tmp_path):
    pytest.importorskip("sklearn")
    text = (ROOT / "docs/lab/agents.md").read_text()
    code = text.split("```python\n")[1].split("```")[0].replace("testdata/", f"{ROOT}/testdata/")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0 and "histgb" in done.stdout and "persistence" in done.stdout, done.stderr
