"""Every score recomputed with other people's tools from the same cases: equal to 1e-9.

The program `scores` (an example of crates/verify) reads cases as CSV and prints what barograph makes of them. What it says is compared with
`scores` (Bureau of Meteorology), `model-diagnostics`, scikit-learn and SciPy, and with `confseq` and `comparecast` where they can be
compiled (crates/python/README.md, "Peers of the scores"). Bands are repeated in `recomputed.py`.
"""

import io
import json
import math
import os
import subprocess

import numpy as np
import pytest
from recomputed import (
    ALPHA,
    MINUTE_NS,
    SCALE,
    V_OPT,
    boundary,
    intrinsic,
    mean_by_time,
    murphy,
    near,
    resampled,
    separate,
    wide_bins,
)

PROGRAM = os.environ.get("BAROGRAPH_SCORES", "")
if not PROGRAM:
    pytest.skip("BAROGRAPH_SCORES names no program `scores`", allow_module_level=True)

MISSING = "pip cannot fetch it"
xr = pytest.importorskip("xarray", reason=f"xarray: {MISSING}")
probability = pytest.importorskip("scores.probability", reason=f"scores: {MISSING}")
categorical = pytest.importorskip("scores.categorical", reason=f"scores: {MISSING}")
diagnostics = pytest.importorskip("model_diagnostics.scoring", reason=f"model-diagnostics: {MISSING}")
metrics = pytest.importorskip("sklearn.metrics", reason=f"scikit-learn: {MISSING}")
pytest.importorskip("scipy.special", reason=f"scipy: {MISSING}")

STEP, HORIZON, SYMBOLS, MOMENTS = 5, 60, 3, 288 * 30


def say(words, rows, header):
    text = io.StringIO()
    text.write(header + "\n")
    for row in rows:
        text.write(",".join(repr(cell) for cell in row) + "\n")
    ran = subprocess.run([PROGRAM, *words], input=text.getvalue(), capture_output=True, text=True, check=True, timeout=120)
    return json.loads(ran.stdout)


class Cases:
    """A month of five-minute forecasts of three symbols: ties, zeros and ones, a hole of two days, dependence in time."""

    def __init__(self):
        random = np.random.default_rng(15)
        level = 0.0
        rows = []
        for i in range(MOMENTS):
            level = 0.99 * level + 0.15 * random.standard_normal()
            if 288 * 10 <= i < 288 * 12:
                continue
            for _ in range(SYMBOLS):
                truth = 1 / (1 + math.exp(0.7 - level - 0.5 * random.standard_normal()))
                p = min(max(truth + 0.15 * random.standard_normal(), 0.0), 1.0)
                p = round(p, 2) if random.random() < 0.5 else p
                pers = 0.2 * truth + 0.2
                rows.append((i * STEP * MINUTE_NS, p, int(random.random() < truth), 0.35, pers))
        self.rows = rows
        t, p, o, clim, pers = (np.array(column) for column in zip(*rows))
        self.t, self.p, self.o, self.clim, self.pers = t, p, o.astype(float), clim, pers
        self.loss, self.loss_clim, self.loss_pers = ((q - self.o) ** 2 for q in (p, clim, pers))


@pytest.fixture(scope="module")
def cases():
    return Cases()


@pytest.fixture(scope="module")
def said(cases):
    header = "issued_ns,p,happened,climatology,persistence"
    return say(["binary", str(STEP), str(HORIZON)], cases.rows, header)


def array(x):
    return xr.DataArray(np.asarray(x, dtype=float), dims="case")


def test_brier_and_skill(cases, said):
    score = {name: float(probability.brier_score(array(q), array(cases.o))) for name, q in
             (("p", cases.p), ("clim", cases.clim), ("pers", cases.pers))}
    near(said["brier"], score["p"])
    near(said["brier"], metrics.brier_score_loss(cases.o, cases.p))
    near(said["bss_clim"], 1 - score["p"] / score["clim"])
    near(said["bss_pers"], 1 - score["p"] / score["pers"])
    near(said["base_rate"], cases.o.mean())


def test_log_score(cases, said):
    clipped = np.clip(cases.p, 1e-6, 1 - 1e-6)
    near(said["log_score"]["nats"], metrics.log_loss(cases.o, clipped))
    assert said["log_score"]["clipped"] == int((clipped != cases.p).sum()) > 10


def test_murphy(cases, said):
    wide = wide_bins(cases.p)
    rank = np.searchsorted(np.sort(cases.p), cases.p, side="left")
    for name, bins in (("murphy", wide), ("murphy_equal_count", rank * 10 // len(rank))):
        want = murphy(cases.p, cases.o, bins)
        for term, value in want.items():
            near(said[name][term], value)
        near(said["brier"], want["reliability"] - want["resolution"] + want["uncertainty"]
             + want["within_variance"] - want["within_covariance"])
    near(said["ece"], sum((wide == k).mean() * abs(cases.p[wide == k].mean() - cases.o[wide == k].mean()) for k in np.unique(wide)))


def test_corp(cases, said):
    peer = diagnostics.decompose(cases.o, cases.p, scoring_function=diagnostics.SquaredError())
    near(said["corp"]["miscalibration"], peer["miscalibration"][0])
    near(said["corp"]["discrimination"], peer["discrimination"][0])
    near(said["corp"]["uncertainty"], peer["uncertainty"][0])
    fit = probability.isotonic_fit(array(cases.p), array(cases.o))
    curve = said["corp"]["curve"]
    for x, y in zip(fit["fcst_sorted"], fit["regression_values"]):
        step = next(s for s in curve if s["p_from"] <= x <= s["p_upto"])
        near(step["observed"], y)


def test_auc_and_sharpness(cases, said):
    near(said["auc"], metrics.roc_auc_score(cases.o, cases.p))
    near(said["auc"], float(probability.roc_auc(array(cases.p), array(cases.o))))
    near(said["sharpness"]["variance"], cases.p.var())
    assert sum(said["sharpness"]["histogram"]) == said["n"] == len(cases.rows)


def test_labels(cases, said):
    table = categorical.BinaryContingencyManager(array(cases.p >= 0.5), array(cases.o))
    for ours, theirs in (("pod", "probability_of_detection"), ("far", "false_alarm_ratio"), ("pofd", "probability_of_false_detection"),
                         ("csi", "critical_success_index"), ("hk", "hanssen_and_kuipers_discriminant"), ("f1", "f1_score")):
        near(said["labels"][ours], float(getattr(table.transform(), theirs)()))


def test_ranked():
    random = np.random.default_rng(4)
    p = random.dirichlet((2, 3, 1, 1), 200)
    came = random.integers(0, 4, 200)
    got = say(["ranked"], [(*map(float, row), int(k)) for row, k in zip(p, came)], "p0,p1,p2,p3,class")["rps"]
    # The ranked score is the mean Brier score of "at most class k" over all k but the last.
    parts = [float(probability.brier_score(array(p[:, :k + 1].sum(axis=1).clip(0, 1)), array(came <= k))) for k in range(3)]
    near(got, float(np.mean(parts)))


def test_bands(cases, said):
    step, horizon = STEP * MINUTE_NS, HORIZON * MINUTE_NS
    columns = np.column_stack((np.ones(len(cases.p)), cases.loss, cases.loss_clim, cases.loss_pers))
    n, bs, clim, pers = resampled(cases.t, columns, step, horizon).T
    moments = np.unique(cases.t)
    block = max(HORIZON, 1440) // STEP
    slots = int(np.minimum(np.diff(moments) // step, block).sum()) + 1
    assert (said["bands"]["slots"], said["bands"]["block_slots"]) == (slots, block)
    for name, values in (("brier", bs / n), ("bss_clim", 1 - bs / clim), ("bss_pers", 1 - bs / pers), ("difference", (pers - bs) / n)):
        low, high = np.quantile(values, (0.05, 0.95))
        near(said["bands"][name]["low"], low)
        near(said["bands"][name]["high"], high)


def differences(cases):
    """Mean loss difference of each moment, moments an hour apart."""
    moments, mean = mean_by_time(cases.t, cases.loss_pers - cases.loss)
    return mean[separate(moments, HORIZON * MINUTE_NS)]


def test_confidence_sequence(cases, said):
    x = differences(cases)
    t, v_low, v_high = intrinsic(x)
    points = said["sequence"]["points"]
    assert len(points) == len(x) == said["n_eff"]
    lower = np.cumsum(x) / t - np.array([boundary(v) for v in v_low]) / t
    upper = np.cumsum(x) / t + np.array([boundary(v) for v in v_high]) / t
    near([point["lower"] for point in points], lower)
    near([point["upper"] for point in points], upper)
    first = int(np.argmax(lower > 0)) + 1
    assert said["sequence"]["activation"]["n"] == first, "activated where the lower bound first is above zero"
    near(said["sequence"]["activation"]["lower"], lower[first - 1])


def test_confseq(cases, said):
    boundaries = pytest.importorskip("confseq.boundaries", reason="confseq is not compiled: it needs the headers of Boost")
    t, v_low, _ = intrinsic(differences(cases))
    radius = boundaries.gamma_exponential_mixture_bound(v_low, ALPHA, V_OPT, SCALE, ALPHA) / t
    near([point["mean"] - point["lower"] for point in said["sequence"]["points"]], radius)


def test_comparecast(cases, said):
    peer = pytest.importorskip("comparecast.confseq", reason="comparecast needs confseq")
    x = differences(cases)
    lower = peer.confseq_eb(x, alpha=ALPHA, lo=-1.0, lcb_only=True, c=SCALE).lcbs
    upper = peer.confseq_eb(x, alpha=ALPHA, hi=1.0, ucb_only=True, c=SCALE).ucbs
    near([point["lower"] for point in said["sequence"]["points"]], lower)
    near([point["upper"] for point in said["sequence"]["points"]], upper)
