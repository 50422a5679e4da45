"""`barograph.parts`: the same hashes here, on plain processes and on Ray; what is killed, refused or damaged.

Everything is done by the module and by the program. Plans are of the shipped recording and history and of a made market.
"""

import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import polars as pl
import pytest

import barograph
from barograph import lab, parts
from conftest import BINARY, HISTORY, ROOT

RECORDING = ROOT / "testdata/recordings/binance-usdm_btcusdt_20240718.gz"
MARKET = "binance-usdm:BTCUSDT"


@pytest.fixture(scope="module")
def made_lake():
    """A made market over parts of two hours, and its name."""
    sys.path.insert(0, str(ROOT / "notebooks"))
    try:
        # From 00:50 to 01:05 of the first day of 2025.
        return __import__("lab_data").synthetic(seconds=900, begin=1_735_692_600_000_000_000)
    finally:
        sys.path.remove(str(ROOT / "notebooks"))


@pytest.fixture(scope="module")
def recorded_lake(tmp_path_factory):
    """The shipped recording."""
    folder = tmp_path_factory.mktemp("parts-lake")
    lab.record(MARKET, [RECORDING], folder)
    return folder


@pytest.fixture(scope="module")
def program():
    """The program, by path."""
    if not BINARY:
        pytest.skip("BAROGRAPH_BIN names no program")
    return BINARY


@pytest.fixture(scope="module")
def data(tmp_path_factory, program):
    """A data folder with the history of one market."""
    folder = tmp_path_factory.mktemp("parts-data")
    line = f"collect --source {HISTORY / 'BTCUSDT'} --data {folder / 'data'}"
    done = subprocess.run([program, *line.split()], cwd=folder, capture_output=True, text=True, env={"HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    return folder / "data"


@pytest.fixture(scope="module")
def plan(made_lake, recorded_lake, data, program):
    """One of everything."""
    lake, market = made_lake
    return [
        *parts.dataset({MARKET: [[RECORDING]]}, tick=0.1),
        *parts.labels(lake, [market], ["ret_5s", "dir_1m"], every="hour"),
        *parts.studies(recorded_lake, [MARKET], ["ret_1s"], models=["linear"], folds=2, embargo="2s", rows_min=40),
        *parts.kpi(ROOT / "testdata/history", parts.months("2026-01", "2026-01"), [{"horizon": "24h"}, {"horizon": "48h"}], program=program,
                   markets=["binance-usdm:ETHUSDT"]),
        *parts.whatif(data, [MARKET], parts.months("2026-01", "2026-02"), [["HIGH_VOL.realized_vol_1h=1.0"]], program=program),
    ]


@pytest.fixture(scope="module")
def here(plan, program, tmp_path_factory):
    """The plan done in this process: what every other place has to equal."""
    return parts.run(plan, tmp_path_factory.mktemp("here"), on="here", program=program)


@pytest.fixture(scope="module")
def ray():
    """A cluster of two processors on loopback, gone after these tests."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    # Beside other tests a worker of Ray's own politeness gets no processor.
    os.environ["RAY_worker_niceness"] = "0"
    module = pytest.importorskip("ray", reason="RAY IS NOT TESTED: pip cannot fetch ray")
    module.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False, logging_level="ERROR")
    yield module
    module.shutdown()


def digests(run):
    return [result.digest for result in run.results]


def files(run):
    """Every byte of every result."""
    found = {}
    for result in run.results:
        for path in sorted(result.folder.rglob("*")):
            if path.is_file() and path.name != "partition.json":
                found[f"{result.folder.name}/{path.relative_to(result.folder).as_posix()}"] = path.read_bytes()
    return found


def test_a_plan_is_plain_and_depends_on_the_question_alone(plan, made_lake, tmp_path):
    lake, market = made_lake
    again = parts.labels(str(lake), [market, market], ["ret_5s", "dir_1m", "ret_5s"], every="hour")
    assert again == [p for p in plan if p.kind == "labels"] and len(again) == 4
    assert len({p.key for p in plan}) == len(plan) == len({p.name for p in plan})
    parts.write_plan(plan, tmp_path / "plan.jsonl")
    assert parts.read_plan(tmp_path / "plan.jsonl") == plan
    # Where files lie decides nothing; what they hold does.
    moved = tmp_path / "recording" / RECORDING.name
    moved.parent.mkdir()
    moved.write_bytes(RECORDING.read_bytes())
    there, = parts.dataset({MARKET: [[moved]]}, tick=0.1)
    assert there.key == plan[0].key and there.inputs[0].path != plan[0].inputs[0].path
    moved.write_bytes(RECORDING.read_bytes() + b"\0")
    assert parts.dataset({MARKET: [[moved]]}, tick=0.1)[0].key != there.key


def test_stretches_are_calendar_days_and_months():
    assert parts.months("2025-12", "2026-01") == [("2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"), ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")]
    assert parts.days("2026-02-28T05:00:00Z", "2026-03-01T00:00:01Z") == [
        ("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
    ]
    with pytest.raises(barograph.FrameError, match="comes after"):
        parts.months("2026-02", "2026-01")


def test_the_parts_of_labels_are_the_whole(here, made_lake):
    lake, market = made_lake
    rows = lab.read_features(lake, market)
    for target in ("ret_5s", "dir_1m"):
        of_target = [r for r in here.results if r.partition.kind == "labels" and r.partition.settings()["target"] == target]
        together = pl.concat([pl.read_parquet(r.folder / "labels.parquet") for r in of_target]).drop("row")
        assert together.equals(lab.targets(rows, target).to_polars().drop("row")) and together.height > 300
        # Labels of the first hour end in the second.
        first = pl.read_parquet(of_target[0].folder / "labels.parquet")
        assert (first["label_end"].max() > pd.Timestamp(of_target[0].partition.end)) and len(of_target) == 2


def test_a_part_is_what_the_command_answers(here, recorded_lake, data, program, tmp_path):
    by_kind = {kind: [r for r in here.results if r.partition.kind == kind] for kind in ("dataset", "study", "kpi", "whatif")}
    rows = lab.read_features(by_kind["dataset"][0].folder / "lake", MARKET).to_polars()
    lab.record(MARKET, [RECORDING], tmp_path / "lake", tick=0.1)
    assert rows.equals(lab.read_features(tmp_path / "lake", MARKET).to_polars())
    board = json.loads((by_kind["study"][0].folder / "board.json").read_text())
    ours = lab.train(recorded_lake, MARKET, "ret_1s", tmp_path / "studies", models=["linear"], folds=2, embargo="2s", rows_min=40)
    assert board["board"]["rows"] == ours["board"]["rows"]

    def ask(line):
        done = subprocess.run([program, *line.split()], cwd=tmp_path, capture_output=True, text=True, env={"HOME": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    january = "--to 2026-02-01T00:00:00Z --from 2026-01-01T00:00:00Z"
    whole = ask(f"rules whatif --set HIGH_VOL.realized_vol_1h=1.0 {january} --data {data} --json")
    part = json.loads((by_kind["whatif"][0].folder / "whatif.json").read_text())
    assert part == whole and part["changes"] and part["all"]["market_days"] > 25
    until = january.replace("--to", "--until")
    whole = ask(f"kpi {HISTORY / 'ETHUSDT'} {until} --horizon 24h --json")
    part, other = [json.loads((r.folder / "kpi.json").read_text()) for r in by_kind["kpi"]]
    assert part == whole != other


def test_processes_give_the_same_hashes(plan, here, program, tmp_path):
    for workers in (1, 2):
        made = parts.run(plan, tmp_path / str(workers), on="processes", workers=workers, program=program)
        assert digests(made) == digests(here) and made.digest == here.digest and not any(r.was_there for r in made.results)
        assert files(made) == files(here)
        assert sorted(os.listdir(tmp_path / str(workers))) == sorted([".lock", *(p.folder for p in plan)])


def command(*words, cwd):
    return subprocess.run([sys.executable, "-m", "barograph.parts", *map(str, words)], cwd=cwd, capture_output=True, text=True)


def raylets():
    """Nodes of Ray on this machine."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() == "raylet":
                found.add(path.parent.name)
        except OSError:
            # It ended meanwhile.
            continue
    return found


def test_the_command_line_begins_a_cluster_and_ends_it(here, made_lake, tmp_path):
    pytest.importorskip("ray", reason="RAY IS NOT TESTED: pip cannot fetch ray")
    lake, market = made_lake
    command("plan", "labels", "--lake", lake, "--market", market, "--target", "ret_5s", "--every", "hour", "--out", "plan.jsonl", cwd=tmp_path)
    before = raylets()
    ran = command("run", "plan.jsonl", "--out", "out", "--on", "ray", "--workers", "2", "--inputs", "bytes", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    want = [r.digest for r in here.results if r.partition.kind == "labels" and r.partition.settings()["target"] == "ret_5s"]
    assert [p["digest"] for p in json.loads(ran.stdout)["partitions"]] == want
    # Processes that were asked to end need a moment.
    for _ in range(50):
        if raylets() <= before:
            break
        time.sleep(0.1)
    assert raylets() <= before


@pytest.mark.parametrize("inputs", ["paths", "bytes"])
def test_ray_gives_the_same_hashes(ray, plan, here, program, tmp_path, inputs):
    made = parts.run(plan, tmp_path, on="ray", program=program, inputs=inputs)
    assert digests(made) == digests(here) and made.digest == here.digest
    assert files(made) == files(here)
    assert ray.is_initialized(), "a cluster of the caller's is left to the caller"


def test_results_stand_in_the_order_of_the_plan(tmp_path):
    plan = parts.own("parts_tasks:recorded", [MARKET], {MARKET: [RECORDING]}, [{"wait": wait} for wait in (1.5, 0.0, 0.0)])
    came = []
    made = parts.run(plan, tmp_path, workers=2, watch=lambda result: came.append(result.partition))
    assert [r.partition for r in made.results] == plan and came[-1] == plan[0]
    assert len(set(digests(made))) == 1, "the same rows"


@pytest.fixture(params=["processes", "ray"])
def place(request):
    """Where workers can be lost."""
    if request.param == "ray":
        request.getfixturevalue("ray")
    return request.param


def killed(folder, times):
    marks = folder / "marks"
    marks.mkdir(exist_ok=True)
    grid = [{"marks": str(marks), "times": n, "name": name} for name, n in times.items()]
    return parts.own("parts_tasks:killed", [MARKET], {MARKET: [RECORDING]}, grid)


def test_a_killed_worker_is_tried_once_more(place, tmp_path):
    plan = killed(tmp_path, {"never": 0, "once": 1})
    made = parts.run(plan, tmp_path / "out", on=place, workers=2)
    assert (tmp_path / "marks/once").read_text() == "xx" and (tmp_path / "marks/never").read_text() == "x"
    assert len(set(digests(made))) == 1 and not made.failed


def test_a_worker_that_is_killed_again_is_reported(place, tmp_path):
    plan = killed(tmp_path, {"always": 99, "never": 0})
    with pytest.raises(parts.PartsFailed, match="1 of 2 partitions could not be made") as failed:
        parts.run(plan, tmp_path / "out", on=place, workers=2)
    run = failed.value.run
    assert plan[0].name in str(failed.value) and "its worker was lost" in run.failed[0].error
    assert (tmp_path / "marks/always").read_text() == "xx", "no third time"
    assert run.digest is None and [r.digest is None for r in run.results] == [True, False]
    assert sorted(os.listdir(tmp_path / "out")) == sorted([".lock", plan[1].folder]), "nothing half made is left"


def test_what_was_refused_is_named_and_a_second_run_goes_on(place, tmp_path):
    fault = tmp_path / "fault"
    fault.touch()
    grid = [{"fault": str(fault), "name": "second"}, {"fault": str(tmp_path / "none"), "name": "first"}]
    plan = parts.own("parts_tasks:refused", [MARKET], {MARKET: [RECORDING]}, grid)
    with pytest.raises(parts.PartsFailed, match=re.escape(f"{plan[0].name}: ValueError: second cannot be made yet")):
        parts.run(plan, tmp_path / "out", on=place, workers=2)
    fault.unlink()
    made = parts.run(plan, tmp_path / "out", on=place, workers=2)
    assert [r.was_there for r in made.results] == [False, True] and len(set(digests(made))) == 1


def damage_bytes(folder):
    path = folder / "rows.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def damage_sums(folder):
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("rows", "other"))


def remove(folder):
    (folder / "rows.parquet").unlink()


def add(folder):
    (folder / "more").touch()


def rename(folder):
    """The result of another question under this name."""
    about = json.loads((folder / "partition.json").read_text())
    (folder / "partition.json").write_text(json.dumps({**about, "arguments": about["arguments"].replace("0.0", "0.5")}))


@pytest.mark.parametrize("damage", [damage_bytes, damage_sums, remove, add, rename])
def test_damaged_results_are_found_and_made_again(damage, tmp_path):
    plan = parts.own("parts_tasks:recorded", [MARKET], {MARKET: [RECORDING]}, [{"wait": 0.0}, {"wait": 0.01}])
    whole = parts.run(plan, tmp_path, on="here")
    damage(whole.results[0].folder)
    again = parts.run(plan, tmp_path, on="here")
    assert [r.was_there for r in again.results] == [False, True] and again.digest == whole.digest
    assert files(again) == files(whole)


def test_digests_are_those_of_sha256sum(here):
    for result in here.results:
        done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=result.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert hashlib.sha256((result.folder / "SHA256SUMS").read_bytes()).hexdigest() == result.digest
    lines = "".join(f"{r.digest}  {r.partition.name}\n" for r in here.results)
    assert hashlib.sha256(lines.encode()).hexdigest() == here.digest


def test_inputs_that_changed_are_not_worked_on(tmp_path):
    moved = tmp_path / RECORDING.name
    moved.write_bytes(RECORDING.read_bytes())
    plan = parts.dataset({MARKET: [[moved]]})
    moved.write_bytes(RECORDING.read_bytes() + b"\0")
    with pytest.raises(parts.PartsFailed, match="is not the file that was planned with: plan again"):
        parts.run(plan, tmp_path / "out", on="here")
    moved.unlink()
    with pytest.raises(parts.PartsFailed, match="is not here: let inputs travel"):
        parts.run(plan, tmp_path / "out", on="processes")


def test_another_build_does_not_do_what_was_planned_with_this_one(program, tmp_path):
    other = tmp_path / "barograph"
    other.write_text("#!/bin/sh\nexit 0\n")
    other.chmod(0o755)
    plan = parts.kpi(ROOT / "testdata/history", parts.months("2026-01", "2026-01"), program=program, markets=["binance-usdm:SOLUSDT"])
    with pytest.raises(parts.PartsFailed, match="another build of barograph"):
        parts.run(plan, tmp_path / "out", on="here", program=other)


def test_one_run_at_a_time_works_in_a_folder(tmp_path):
    pytest.importorskip("fcntl")
    plan = parts.own("parts_tasks:recorded", [MARKET], {MARKET: [RECORDING]})
    refused = []

    def second(_result):
        with pytest.raises(parts.PartsError, match="another run works in") as found:
            parts.run(plan, tmp_path, on="here")
        refused.append(found.value)

    assert parts.run(plan, tmp_path, on="here", watch=second).digest and len(refused) == 1


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda: parts.run([], "out", on="cloud"), "give here, processes, ray"),
        (lambda: parts.run([], "out", inputs="bytes"), "on ray paths or bytes"),
        (lambda: parts.run([], "out", workers=0), "give 1 or more"),
        (lambda: parts.labels("nowhere", [MARKET], ["ret_1s"]), "holds no feature rows of"),
        (lambda: parts.labels("nowhere", ["BTCUSDT"], ["ret_1s"]), "names no venue"),
        (lambda: parts.studies("nowhere", [MARKET], ["ret_1s"], fold=3), "no setting 'fold'"),
        (lambda: parts.dataset({MARKET: [RECORDING]}), "are lists of files"),
        (lambda: parts.dataset({MARKET: [[RECORDING, RECORDING]]}), "two inputs of"),
        (lambda: parts.own("m:f", [MARKET], {}, [{"x": float("nan")}]), "texts, numbers, lists and mappings"),
    ],
)
def test_what_cannot_be_meant_is_answered_by_what_can(ask, why):
    with pytest.raises(barograph.FrameError, match=why):
        ask()


def test_without_ray_it_is_named_what_to_install(tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError('No module named ray')\n")
    code = (
        "import sys; from barograph import parts; assert 'ray' not in sys.modules\n"
        f"plan = parts.own('parts_tasks:recorded', ['{MARKET}'], {{'{MARKET}': [{str(RECORDING)!r}]}})\n"
        f"parts.run(plan, {str(tmp_path / 'out')!r}, on='ray')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])})
    assert done.returncode == 1 and "pip install 'barograph[ray]'" in done.stderr, done.stderr


def test_the_command_line_plans_and_runs(plan, here, made_lake, tmp_path):
    lake, market = made_lake
    planned = command("plan", "labels", "--lake", lake, "--market", market, "--target", "ret_5s", "--target", "dir_1m", "--every", "hour",
                      "--out", "plan.jsonl", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    labels = [r for r in here.results if r.partition.kind == "labels"]
    assert parts.read_plan(tmp_path / "plan.jsonl") == [r.partition for r in labels]
    for on, workers, was_there in (("processes", 2, False), ("here", 1, True)):
        ran = command("run", "plan.jsonl", "--out", "out", "--on", on, "--workers", workers, "--json", cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        answer = json.loads(ran.stdout)
        assert [p["digest"] for p in answer["partitions"]] == [r.digest for r in labels]
        assert all(p["was_there"] == was_there for p in answer["partitions"]) and "4/4" in ran.stderr
    printed = command("run", "plan.jsonl", "--out", "out", cwd=tmp_path).stdout.splitlines()
    assert printed[-1] == f"{answer['digest']}  all 4" and len(printed) == 5
    wrong = command("run", "plan.jsonl", "--out", "out", "--on", "ray", "--workers", "0", cwd=tmp_path)
    assert wrong.returncode == 2 and "give 1 or more" in wrong.stderr


def children(of):
    """Processes below a process."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            # It ended meanwhile.
            continue
        if int(fields[1]) == of:
            found.append(int(path.parent.name))
    return found


@pytest.mark.skipif(not pathlib.Path("/proc/self/stat").exists(), reason="children are listed by /proc")
def test_a_run_that_is_stopped_leaves_no_process_and_goes_on(tmp_path):
    grid = [{"wait": 0.0}, {"wait": 600.0}]
    plan = parts.own("parts_tasks:recorded", [MARKET], {MARKET: [RECORDING]}, grid)
    parts.write_plan(plan, tmp_path / "plan.jsonl")
    line = [sys.executable, "-m", "barograph.parts", "run", "plan.jsonl", "--out", "out", "--workers", "2"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(line, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True)
    assert "1/2" in run.stderr.readline()
    workers = children(run.pid)
    assert len(workers) >= 1
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == 130 and "the same command goes on" in run.stderr.read()
    assert not [pid for pid in workers if pathlib.Path(f"/proc/{pid}").exists()]
    assert sorted(os.listdir(tmp_path / "out")) == sorted([".lock", plan[0].folder])
    assert parts.run(plan[:1], tmp_path / "out").results[0].was_there
