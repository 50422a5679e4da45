# %% [markdown]
# # Was it right? Every number of the scorecard, made again from the exported ledger
#
# `barograph scorecard --json` publishes scores; `barograph forecasts --export ledger.parquet` writes the forecasts that they follow from. This
# notebook takes the second and arrives at the first, number by number, equal to 1e-9, with tools of others: `scores` (Bureau of
# Meteorology), `model-diagnostics`, scikit-learn, SciPy, `comparecast`. Cells begin with `# %%`, so that Jupyter, VS Code and
# Spyder run them one by one; pytest runs every `test_` over the built-in history; and of your own data it says
#
#     barograph forecasts --export ledger.parquet && barograph scorecard --json > card.json
#     python crates/python/tests/test_scorecard_notebook.py ledger.parquet card.json

# %% What it needs
import collections
import hashlib
import itertools
import math
import os
import pathlib
import struct
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.csv as pacsv
import pytest
from exported import ASSERTED_BY, CLASSES, DAY, ENOUGH, GRID, HOUR, HOURS, RISK, TREND, VOLATILITY, WINDOWS, Files, ns
from recomputed import (
    ALPHA, MINUTE_NS, SCALE, boundary, intrinsic, lift, lift_over, mean_by_time, murphy, near, onsets, precise, resampled, separate,
    warned, wide_bins, wilson,
)

if __name__ != "__main__" and not os.environ.get("BAROGRAPH_BIN"):
    pytest.skip("BAROGRAPH_BIN names no program", allow_module_level=True)

MISSING = "pip cannot fetch it"
xr = pytest.importorskip("xarray", reason=f"xarray: {MISSING}")
probability = pytest.importorskip("scores.probability", reason=f"scores: {MISSING}")
categorical = pytest.importorskip("scores.categorical", reason=f"scores: {MISSING}")
diagnostics = pytest.importorskip("model_diagnostics.scoring", reason=f"model-diagnostics: {MISSING}")
metrics = pytest.importorskip("sklearn.metrics", reason=f"scikit-learn: {MISSING}")
pytest.importorskip("scipy.special", reason=f"scipy: {MISSING}")

# %% The two files: `exported.py` reads them, and names horizons and labels
@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The built-in history: three markets by the hour, three months."""
    folder, program = tmp_path_factory.mktemp("ledger"), os.environ["BAROGRAPH_BIN"]
    history = pathlib.Path(__file__).resolve().parents[3] / "testdata" / "history"

    def run(*words):
        line = [program, *words, "--data", folder / "data"]
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, env={"HOME": str(folder)})
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("collect", "--source", history)
    run("forecasts", "--export", "ledger.parquet")
    run("forecasts", "--export", "ledger.csv", "--from", "2026-02-04T22:00:00Z", "--to", "2026-02-05T02:00:00Z")
    (folder / "card.json").write_text(run("scorecard", "--json"))
    return Files(folder / "ledger.parquet", folder / "card.json")


# %% CSV says what Parquet says, to the last digit
def test_csv_and_parquet_are_the_same_table(files):
    csv = pathlib.Path(files.path).with_name("ledger.csv")
    if not csv.exists():
        return
    text = pacsv.read_csv(csv, convert_options=pacsv.ConvertOptions(strings_can_be_null=True)).to_pandas()
    whole = pd.read_parquet(files.path)
    part = whole[(whole.issued_ts >= text.issued_ts.min()) & (whole.issued_ts <= text.issued_ts.max())].reset_index(drop=True)
    assert len(text) == len(part) > 1000 and list(text.columns) == list(whole.columns)
    for name in whole.columns:
        want, got = part[name], text[name]
        numbers = want.dtype.kind in "fi"
        same = (got.astype(float) == want.astype(float)) if numbers else (got == want)
        assert (same | (got.isna() & want.isna())).all(), name


# %% [markdown]
# ## References: what a forecast had to beat
# Climatology is the frequency of the event over what had resolved before the moment of issue, in the market's group, over 180 days; persistence the same
# after the state that the event was in, with half a case added to each outcome (Jeffreys). Both follow from outcomes in the file.

# %%
def references(cases, event):
    """Climatology, its cases, persistence and its cases for each row of one event and group."""
    k, at = (4 if event == CLASSES else 2), cases.issued_ts.to_numpy()
    done = cases[cases.outcome.notna()]
    seen = np.zeros((len(cases), k + 1, k))
    state = done.state_at_issue.fillna(k).astype(int)
    first_day = at // DAY - 179
    for s in range(k + 1):
        for o in range(k):
            which = (state == s) & (done.outcome == o)
            resolved = np.sort(done.resolved_at[which].to_numpy())
            ended = np.sort(done.resolve_after[which].to_numpy())
            seen[:, s, o] = np.searchsorted(resolved, at) - np.searchsorted(ended, first_day * DAY)
    n = seen.sum(axis=(1, 2))
    climatology = np.where((n >= ENOUGH)[:, None], seen.sum(axis=1) / np.maximum(n, 1)[:, None], 1 / k)
    now = cases.state_at_issue.fillna(k).astype(int).to_numpy()
    after = seen[np.arange(len(cases)), now]
    persistence = (after + 0.5) / (after.sum(axis=1) + k / 2)[:, None]
    persistence[now == k] = np.nan
    return climatology, n, persistence, np.where(now == k, 0, after.sum(axis=1))


def test_references(files):
    for event, every in files.of_event.items():
        issued = every[every.not_issued_reason.isna()]
        for _, cases in issued[issued.classifier_id == "rules"].groupby("group"):
            climatology, n, persistence, n_after = references(cases, event)
            assert (cases.climatology_cases == n).all() and (cases.persistence_cases == n_after).all(), event
            names = [f"_{c}" for c in range(4)] if event == CLASSES else [""]
            for c, name in enumerate(names, start=1 if len(names) == 1 else 0):
                np.testing.assert_allclose(cases[f"climatology{name}"], climatology[:, c], rtol=1e-12, err_msg=event)
                np.testing.assert_allclose(cases[f"persistence{name}"], persistence[:, c], rtol=1e-12, err_msg=event)


# %% [markdown]
# ## Denominators: nothing falls under the table

# %%
def counted(reasons):
    return {reason: int(n) for reason, n in reasons.value_counts().items() if n}


def test_denominators(files):
    assert {(r["event"], r["scope"], r["window"]) for r, _ in files.rows()} == {
        (event, scope, window) for event in files.of_event for scope in files.scopes() for window in WINDOWS
    }
    assert files.card["markets"] == sorted(files.markets)
    assert ns(files.card["span"][1]) == files.newest
    for row, cases in files.rows():
        issued = cases[cases.not_issued_reason.isna()]
        resolved = issued[issued.resolution_reason == "resolved"]
        want = {
            "asked": len(cases), "issued": len(issued), "not_issued": counted(cases.not_issued_reason),
            "waiting": int(issued.resolution_reason.isna().sum()), "void": int((issued.resolution_reason == "void").sum()),
            "unresolvable": int((issued.resolution_reason == "gap").sum()), "resolved": len(resolved),
            "abstained": counted(resolved.abstain_reason), "scored": int(resolved.abstain_reason.isna().sum()),
            "revised": int(issued.revised_at.notna().sum()),
        }
        assert row["denominators"] == want, (row["event"], row["scope"], row["window"])
        assert (row["span"] is None) == cases.empty
        if not cases.empty:
            assert [ns(t) for t in row["span"]] == [cases.issued_ts.iloc[0], cases.issued_ts.iloc[-1]]


# %% [markdown]
# ## Scores of probabilities
# Scored is what stated a probability and resolved. Skill is taken over those of them whose reference had seen 100 cases.

# %%
def array(x):
    return xr.DataArray(np.asarray(x, dtype=float), dims="case")


def brier(p, o):
    return float(probability.brier_score(array(p), array(o)))


def ranked(p, outcome):
    """Ranked probability score of each case: the mean Brier score of "at most this class" over all but the last."""
    upto = np.cumsum(p, axis=1)[:, :-1]
    return ((upto - (outcome[:, None] <= np.arange(p.shape[1] - 1))) ** 2).mean(axis=1)


class Scored:
    """Resolved forecasts with a probability: losses of the forecast and of both references."""

    def __init__(self, cases, event):
        stated = cases.class_0 if event == CLASSES else cases.probability
        found = cases[(cases.resolution_reason == "resolved") & stated.notna()]
        self.found, self.t, self.outcome = found, found.issued_ts.to_numpy(), found.outcome.to_numpy()
        self.classes, self.horizon = event == CLASSES, HOURS[event] * HOUR
        self.p = found.probability.to_numpy()
        self.loss, self.clim, self.pers = (self.losses(name) for name in ("probability", "climatology", "persistence"))
        state = found.state_at_issue.notna().to_numpy()
        self.has_pers = state & (found.persistence_cases >= ENOUGH).to_numpy()
        # Classes have both references or none.
        self.has_clim = (found.climatology_cases >= ENOUGH).to_numpy() & (self.has_pers if self.classes else True)
        self.has_pers &= self.has_clim if self.classes else True

    def losses(self, name):
        if self.classes:
            columns = "class" if name == "probability" else name
            return ranked(self.found[[f"{columns}_{c}" for c in range(4)]].to_numpy(), self.outcome)
        return (self.found[name].to_numpy() - self.outcome) ** 2

    def skill(self, reference, has):
        """Value, band, cases and both scores. Where one outcome alone came, nothing is said."""
        nothing = {"value": None, "low": None, "high": None, "n": 0, "brier": None, "reference_brier": None}
        if len(np.unique(self.outcome)) < 2 or not has.any():
            return nothing
        own, other = float(self.loss[has].mean()), float(reference[has].mean())
        told = nothing | {"n": int(has.sum()), "brier": own, "reference_brier": other}
        if other <= 0:
            return told
        told["value"] = 1 - own / other
        columns = np.column_stack((has, np.where(has, self.loss, 0), np.where(has, reference, 0)))
        sums = resampled(self.t, columns, GRID, self.horizon)
        if sums is None:
            return told
        defined = sums[(sums[:, 0] > 0) & (sums[:, 2] > 0)]
        if len(defined) * 20 < len(sums) * 19:
            return told
        low, high = np.quantile(1 - defined[:, 1] / defined[:, 2], (0.05, 0.95))
        return told | {"low": float(low), "high": float(high)}


@pytest.fixture(scope="module")
def scored(files):
    return [(row, Scored(cases, row["event"])) for row, cases in files.rows()]


def test_score_and_skill(scored):
    for row, s in scored:
        near(row["n_eff"], len(separate(s.t, s.horizon)))
        near(row["score"], float(s.loss.mean()) if len(s.t) else None)
        if len(s.t) and not s.classes:
            near(row["score"], brier(s.p, s.outcome))
            near(row["score"], metrics.brier_score_loss(s.outcome, s.p))
            near(row["base_rate"], s.outcome.mean())
            known = s.found.state_at_issue.notna().to_numpy()
            hard = (s.found.state_at_issue.to_numpy() == 1) != (s.outcome == 1)
            near(row["persistence_hard_brier"], float(hard[known].mean()) if known.any() else None)
        for name, reference, has in (("climatology", s.clim, s.has_clim), ("persistence", s.pers, s.has_pers)):
            want = s.skill(reference, has)
            for key, value in want.items():
                near(row[name][key], value)
        assert row["verdict"] == verdict(row, s)


def verdict(row, s):
    """The band says what a skill looks like so far; the confidence sequence decides, and that of the whole ledger alone."""
    low, high = row["persistence"]["low"], row["persistence"]["high"]
    if low is None:
        return "too_little_data"
    if low <= 0 <= high:
        return "no_skill_shown"
    better, worse = (False, False)
    if row["window"] == "all":
        moments, x = differences(s)
        _, v_low, v_high = intrinsic(x)
        better = crossing(x, v_low) is not None
        worse = x.sum() + boundary(v_high[-1]) < 0
    if low > 0:
        return "skill" if better else "better_so_far"
    return "worse_than_persistence" if worse else "worse_so_far"


def binary(scored):
    return [(row, s) for row, s in scored if len(s.t) and not s.classes]


def test_log_score_discrimination_sharpness(scored):
    for row, s in binary(scored):
        clipped = np.clip(s.p, 1e-6, 1 - 1e-6)
        near(row["log_score"], metrics.log_loss(s.outcome, clipped, labels=[0, 1]))
        assert row["clipped"] == int((clipped != s.p).sum())
        both = len(np.unique(s.outcome)) == 2
        near(row["auc"], metrics.roc_auc_score(s.outcome, s.p) if both else None)
        near(row["sharpness"], s.p.var())
        near(row["largest_share"], s.found.symbol.value_counts().iloc[0] / len(s.t))


def test_murphy_and_reliability(scored):
    for row, s in binary(scored):
        bins = wide_bins(s.p)
        want, parts = murphy(s.p, s.outcome, bins), row["parts"]
        names = {"rel": "reliability", "res": "resolution", "unc": "uncertainty", "wbv": "within_variance", "wbc": "within_covariance"}
        for ours, name in names.items():
            near(parts[ours], want[name])
        near(row["score"], parts["rel"] - parts["res"] + parts["unc"] + parts["wbv"] - parts["wbc"])
        assert len(row["reliability"]) == len(np.unique(bins))
        gap = 0.0
        for told, k in zip(row["reliability"], np.unique(bins)):
            p, o = s.p[bins == k], s.outcome[bins == k]
            n_eff = len(separate(s.t[bins == k], s.horizon))
            near([told["stated"], told["observed"], told["n"], told["n_eff"]], [p.mean(), o.mean(), len(p), n_eff])
            near([told["low"], told["high"]], wilson(o.mean() * n_eff, n_eff))
            gap += len(p) / len(s.p) * abs(p.mean() - o.mean())
        near(row["ece"], gap)


def test_corp(scored):
    for row, s in binary(scored):
        peer = diagnostics.decompose(s.outcome, s.p, scoring_function=diagnostics.SquaredError())
        near([row["parts"]["mcb"], row["parts"]["dsc"], row["parts"]["unc"]],
             [peer["miscalibration"][0], peer["discrimination"][0], peer["uncertainty"][0]])
        fit = probability.isotonic_fit(array(s.p), array(s.outcome))
        x, y = np.asarray(fit["fcst_sorted"]), np.asarray(fit["regression_values"])
        begins = np.flatnonzero(np.concatenate(([True], np.diff(y) > 1e-12)))
        ends = np.append(begins[1:], len(y)) - 1
        got = [[step["from"], step["upto"], step["calibrated"], step["n"]] for step in row["curve"]]
        at = np.searchsorted(np.sort(s.p), np.column_stack((x[begins], x[ends])), side="left")
        upto = np.searchsorted(np.sort(s.p), x[ends], side="right")
        near(np.array(got), np.column_stack((x[begins], x[ends], y[begins], upto - at[:, 0])))


def test_months(files, scored):
    for row, s in scored:
        months = pd.to_datetime(s.t, utc=True).strftime("%Y-%m-01T00:00:00Z").to_numpy()
        assert [m["month"] for m in row["timeline"]] == (sorted(set(months)) if row["window"] == "all" else [])
        for told in row["timeline"]:
            of = months == told["month"]
            near([told["n"], told["brier"]], [of.sum(), s.loss[of].mean()])
            for key, reference, has in (("skill_climatology", s.clim, s.has_clim), ("skill_persistence", s.pers, s.has_pers)):
                other = reference[of & has].sum()
                near(told[key], 1 - s.loss[of & has].sum() / other if other > 0 else None)


# %% [markdown]
# ## The decision that may be looked at every day
# Differences of losses, persistence less forecast: one value a moment, moments whose windows do not overlap. Once the lower bound of the confidence
# sequence has risen above zero it counts, on the day it did.

# %%
def differences(s):
    moments, mean = mean_by_time(s.t[s.has_pers], (s.pers - s.loss)[s.has_pers])
    taken = separate(moments, s.horizon)
    return moments[taken], mean[taken]


def crossing(x, v_low):
    """Where the sum first lies above the boundary; that is above √(2 v ln(1/α)), so that few sums need its root."""
    sums = np.cumsum(x)
    near_it = np.flatnonzero((sums > 0) & (sums**2 > 2 * v_low * -math.log(ALPHA)))
    return next((i for i in near_it if sums[i] > boundary(v_low[i])), None)


def test_confidence_sequence(scored):
    compared = 0
    for row, s in scored:
        told = row["sequence"]
        # A window that moves begins anew every day: no sequence holds of it.
        if row["window"] != "all" or not s.has_pers.any():
            assert told is None
            continue
        moments, x = differences(s)
        t, v_low, v_high = intrinsic(x)
        mean = x.mean()
        near([told["n"], told["mean"]], [len(x), mean])
        near([told["low"], told["high"]], [mean - boundary(v_low[-1]) / len(x), mean + boundary(v_high[-1]) / len(x)])
        crossed = crossing(x, v_low)
        assert ns(told["activated_at"]) == (None if crossed is None else moments[crossed])
        compared += 1
    assert compared > 0


def test_confidence_sequence_by_comparecast(scored):
    peer = pytest.importorskip("comparecast.confseq", reason="comparecast needs confseq, which needs the headers of Boost")
    for row, s in scored:
        if row["sequence"]:
            x = differences(s)[1]
            lower = peer.confseq_eb(x, alpha=ALPHA, lo=-1.0, lcb_only=True, c=SCALE).lcbs
            upper = peer.confseq_eb(x, alpha=ALPHA, hi=1.0, ucb_only=True, c=SCALE).ucbs
            near([row["sequence"]["low"], row["sequence"]["high"]], [lower[-1], upper[-1]])


# %% [markdown]
# ## Labels without a probability
# Every resolved instant counts, also where no probability was stated.

# %%
def test_labels(files):
    for row, cases in files.rows():
        told, words = row["label"], ASSERTED_BY.get(row["event"])
        assert (told is None) == (words is None)
        known = cases[cases.resolution_reason == "resolved"]
        if words is None or known.empty:
            continue
        said, came = known.label.isin(words).to_numpy(), known.outcome.to_numpy()
        table = categorical.BinaryContingencyManager(array(said), array(came)).transform()
        counts = table.get_counts()
        for ours, theirs in (("hits", "tp_count"), ("false_alarms", "fp_count"), ("misses", "fn_count"), ("correct_negatives", "tn_count")):
            assert told[ours] == int(counts[theirs])
        for ours, theirs in (("pod", "probability_of_detection"), ("far", "false_alarm_ratio"), ("pofd", "probability_of_false_detection"),
                             ("csi", "critical_success_index"), ("hk", "hanssen_and_kuipers_discriminant")):
            want = float(getattr(table, theirs)())
            near(told[ours], None if math.isnan(want) else want)


# %% [markdown]
# ## Steadiness of labels
# A hole cuts the series; an episode is complete when both its ends were seen.

# %%
def parts(cases):
    """Stretches of one market without a hole."""
    for _, of in cases.groupby("symbol", observed=True):
        cut = np.flatnonzero(np.diff(of.issued_ts) != GRID) + 1
        yield from (of.iloc[a:b] for a, b in zip([0, *cut], [*cut, len(of)]))


def flip_flop(x):
    return (np.abs(np.diff(x)).sum() - (x.max() - x.min())) / (len(x) - 2)


def test_stability(files):
    axes = {"risk": ("hv_1h", RISK), "trend": ("trend_up_24h", None), "volatility": ("vol_up_24h", VOLATILITY)}
    assert len(files.card["stability"]) == len(axes) * len(files.scopes()) * len(WINDOWS)
    for told in files.card["stability"]:
        event, order = axes[told["axis"]]
        cases = files.cases(event, scope=told["scope"], window=told["window"])
        days, flips, raw_flips, indices, lengths = 0.0, 0, 0, [], []
        for part in parts(cases[cases.not_issued_reason.isna()]):
            labels, at = part.label.astype(str).to_numpy(), part.issued_ts.to_numpy()
            raw = part.raw_label.astype(str).to_numpy()
            changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
            days += len(part) * GRID / DAY
            flips, raw_flips = flips + len(changes), raw_flips + int((raw[1:] != raw[:-1]).sum())
            lengths.extend(np.diff(at[changes]))
            for day in np.unique(at // DAY) if order else []:
                words = labels[at // DAY == day]
                if len(words) >= 3 and set(words) <= set(order):
                    indices.append(flip_flop(np.array([float(order.index(w)) for w in words])))
        lengths = np.array(lengths, dtype=float)
        near([told["days"], told["flip_rate"], told["raw_flip_rate"]], [days, flips / days, raw_flips / days])
        near(told["flip_flop"], float(np.mean(indices)) if indices else None)
        near(told["short_episodes"], (lengths < 15 * MINUTE_NS).mean() if len(lengths) else None)
        near(told["episode_h"], list(np.quantile(lengths, (0.5, 0.9)) / HOUR) if len(lengths) else None)


# %% [markdown]
# ## Alerts
# A label of the risk axis warns when it is entered; an event begins when the condition does, runs nearer than the horizon being one. A detector's
# alert has nothing to be recalled. Alerts a day are over the instants at which there was something to judge, whichever alert it is: those at
# which `hv_1h` was registered. An alert that opened before the window of the one before on its market was over repeats it.

# %%
def a_day(files, told, alerts):
    """Alerts, market-days with something to judge, and their ratio once it is more than a day; share of alerts that repeat."""
    asked = files.cases("hv_1h", scope=told["scope"], window=told["window"])
    days = int(asked.not_issued_reason.isna().sum()) * GRID / DAY
    assert told["alerts"] == len(alerts)
    near(told["days"], days)
    near(told["per_day"], len(alerts) / days if days > 1 else None)
    apart = alerts.sort_values("issued_ts", kind="stable").groupby("symbol", observed=True).issued_ts.diff()
    near(told["dup_rate"], float((apart < HOURS[told["event"]] * HOUR).mean()) if len(alerts) else None)


def test_alerts_of_labels(files):
    for told in (a for a in files.card["alerts"] if a["pattern"] is None):
        event, horizon = told["event"], HOURS[told["event"]] * HOUR
        cases = files.cases(event, scope=told["scope"], window=told["window"])
        # What was not issued has no label, and a hole between two instants of one enters nothing.
        cases = cases[cases.not_issued_reason.isna()]
        opened, base, events, leads = [cases.iloc[:0]], {}, 0, []
        for market, of in ((m, cases[cases.symbol == m]) for m in files.markets):
            if of.empty:
                continue
            says = of.label.isin(ASSERTED_BY[event]).to_numpy()
            entered = of[np.concatenate(([False], says[1:] & ~says[:-1]))]
            opened.append(entered)
            begins = onsets(of, horizon)
            leads.extend(warned(entered.issued_ts.to_numpy(), begins, horizon))
            events += len(begins)
            done = of[of.resolution_reason == "resolved"]
            if len(done):
                base[market] = (done.issued_ts.to_numpy(), done.outcome.to_numpy())
        alerts = pd.concat(opened).sort_values("issued_ts", kind="stable")
        done = alerts[alerts.resolution_reason == "resolved"]
        near([told["n"], told["hits"], told["events"]], [len(done), int(done.outcome.sum()), events])
        a_day(files, told, alerts)
        near(told["recall"], len(leads) / events if events else None)
        near(told["recall_band"], wilson(len(leads), events) if events else None)
        near(told["lead_min"], list(np.quantile(leads, (0.5, 0.1, 0.9)) / MINUTE_NS) if leads else None)
        want = dict.fromkeys(("precision", "precision_band", "lift", "lift_low"))
        if len(done):
            want |= precise(done, horizon)
            n_eff = len(separate(done.issued_ts.to_numpy(), horizon))
            want["lift"], want["lift_low"] = lift(want["precision"], n_eff, list(done.symbol), base, horizon)
        for key, value in want.items():
            near(told[key], value)


def test_alerts_of_detectors(files):
    told = [a for a in files.card["alerts"] if a["pattern"] is not None]
    held = 0
    for event in ("alert_move_1h", "alert_cascade_1h", "post_fund_rev_8h"):
        for scope, window in itertools.product(files.scopes() if event in files.of_event else [], WINDOWS):
            every = files.cases(event, scope=scope, window=window)
            bases = files.bases[(scope == "all") | (files.bases.symbol == scope) | (files.bases.group == scope)]
            bases = bases[bases.issued_ts >= files.newest - WINDOWS[window] * DAY] if WINDOWS[window] else bases
            issued = every[every.not_issued_reason.isna()]
            for detector, of in issued.groupby("label", observed=True):
                key = (event, scope, window, detector)
                row = next(a for a in told if (a["event"], a["scope"], a["window"], a["alert"]) == key)
                done = of[of.resolution_reason == "resolved"]
                near([row["n"], row["hits"]], [len(done), int(done.outcome.sum())])
                want = precise(done, HOURS[event] * HOUR) if len(done) else dict.fromkeys(("precision", "precision_band"))
                for key, value in want.items():
                    near(row[key], value)
                a_day(files, row, of)
                assert all(row[key] is None for key in ("events", "recall", "recall_band", "lead_min"))
                lifted = lift_over(want, done, bases, event)
                for key, value in zip(("lift", "lift_low"), lifted):
                    near(row[key], value)
                held += 1
    assert len(told) == held > 0


# %% [markdown]
# ## The chain of hashes
# One chain per UTC day and event; a row's hash covers the hash before it. Whoever holds the file arrives at the published heads.

# %%
def bits(x):
    return "|" if pd.isna(x) else "|" + struct.pack(">d", x).hex()


def code(order, word):
    return order.index(word) if word in order else len(order)


def lines_of(files, event, day):
    """Lines of a day's chain of an event on an axis of risk, trend or volatility."""
    order = TREND if event.startswith("trend") else VOLATILITY if event.startswith("vol") else RISK
    every = files.of_event[event]
    cases = every[(every.issued_ts >= day) | (every.resolved_at >= day)]
    cases = cases.assign(symbol=cases.symbol.astype(str)).sort_values(["issued_ts", "symbol"], kind="stable")
    text = lambda x: "" if pd.isna(x) else str(x)
    asked, ended = collections.defaultdict(list), collections.defaultdict(list)
    for c in cases.itertuples():
        asked[c.issued_ts].append(c)
        if c.classifier_id == "rules":
            ended[c.resolved_at].append(c)
    for t in range(day, day + DAY, GRID):
        for c in (c for c in asked[t] if pd.isna(c.not_issued_reason)):
            classes = "".join(bits(getattr(c, f"class_{n}")) for n in range(4))
            stated = f"|abstained:{c.abstain_reason}" if text(c.abstain_reason) else classes if event == CLASSES else bits(c.probability)
            parts = [f"_{n}" for n in range(4)] if event == CLASSES else [""]
            references = "".join(bits(getattr(c, of + part)) for of in ("climatology", "persistence") for part in parts)
            state = "" if pd.isna(c.state_at_issue) else int(c.state_at_issue)
            yield (f"I|{event}|{c.event_version}|{c.symbol}|{text(c.subject)}|{t}|{c.resolve_after}|{code(order, c.label)}|"
                   f"{code(order, c.raw_label)}|{state}{stated}|{text(c.calibration_scope)}|{int(c.cases)}|{int(c.separate)}"
                   f"{references}|{c.classifier_id}|{c.input_digest}|"
                   f"{c.logic_version}")
        for c in (c for c in asked[t] if not pd.isna(c.not_issued_reason)):
            yield f"N|{event}|{c.event_version}|{c.symbol}||{t}|{c.not_issued_reason}|{c.logic_version}"
        for c in ended[t]:
            outcome = "" if pd.isna(c.outcome) else int(c.outcome)
            yield (f"R|{event}|{c.event_version}|{c.symbol}|{text(c.subject)}|{c.issued_ts}|{t}|{c.resolution_reason}|{outcome}"
                   f"{bits(c.evidence_0)}{bits(c.evidence_1)}|{c.logic_version}")


def test_heads_of_chains(files):
    on_axes = [h for h in files.card["heads"] if h["event"] in {"vol_class_24h", "vol_up_24h", *ASSERTED_BY}]
    assert len(on_axes) == 8
    for told in on_axes:
        rows, head = 0, bytes(32)
        for line in lines_of(files, told["event"], ns(told["day"])):
            rows, head = rows + 1, hashlib.sha256(head + line.encode()).digest()
        assert (told["rows"], told["head"]) == (rows, head.hex()), told["event"]


# %% The same for files of one's own
if __name__ == "__main__":
    given = Files(*sys.argv[1:3])
    every = [(row, Scored(cases, row["event"])) for row, cases in given.rows()]
    for name, check in list(globals().items()):
        if name.startswith("test_"):
            wants = check.__code__.co_varnames[: check.__code__.co_argcount]
            check(*({"files": given, "scored": every}[w] for w in wants))
            print(f"equal: {name.removeprefix('test_').replace('_', ' ')}")
