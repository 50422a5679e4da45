"""Scores by the text of their definitions, and by packages of others where they have them: what two tests share.

Generator, resampling and boundary are repeated from what crates/domain/src/random.rs and crates/verify/src/scores (bootstrap.rs,
sequence.rs) say of them.
"""

import functools
import math

import numpy as np
import pytest

MINUTE_NS = 60 * 10**9
GRID = 5 * MINUTE_NS
SEED, DRAWS, BLOCKS_MIN = 20_260_101, 1000, 10
SCALE, ALPHA, V_OPT = 1.0, 0.025, 10.0
Z_90 = 1.6448536269514722


def near(got, want, tolerance=1e-9):
    """Equal; what cannot be said is None on both sides."""
    if want is None:
        assert got is None
        return
    assert got == pytest.approx(want, rel=tolerance, abs=tolerance)


def wide_bins(p):
    """Ten bins of equal width; the tiny addend keeps 0.3 in the bin that begins with it."""
    return np.minimum(np.floor(10 * p + 1e-12), 9).astype(int)


def murphy(p, o, bins):
    """Murphy's five terms."""
    rate, n = o.mean(), len(o)
    found = dict.fromkeys(("reliability", "resolution", "within_variance", "within_covariance"), 0.0)
    for k in np.unique(bins):
        pk, ok = p[bins == k], o[bins == k]
        found["reliability"] += len(pk) / n * (pk.mean() - ok.mean()) ** 2
        found["resolution"] += len(pk) / n * (ok.mean() - rate) ** 2
        found["within_variance"] += ((pk - pk.mean()) ** 2).sum() / n
        found["within_covariance"] += 2 * ((pk - pk.mean()) * (ok - ok.mean())).sum() / n
    return found | {"uncertainty": rate * (1 - rate)}


def wilson(k, n):
    """Wilson's 90 % interval of k out of n."""
    p, z2 = k / n, Z_90**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_90 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return [max(centre - half, 0.0), min(centre + half, 1.0)]


def separate(t, horizon):
    """Places of windows that do not overlap, from the first on; of one moment the first counts."""
    taken, i = [], 0
    while i < len(t):
        taken.append(i)
        i = int(np.searchsorted(t, t[i] + max(horizon, 1), side="left"))
    return taken


def split_mix(count, seed=SEED):
    """The first outputs of SplitMix64; arithmetic modulo 2^64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


@functools.lru_cache(maxsize=64)
def below(n, count):
    """Whole numbers below n: the upper half of the product of 128 bits, for n < 2^32."""
    bits, half, n = split_mix(count), np.uint64(32), np.uint64(n)
    return (((bits >> half) * n + (((bits & np.uint64(0xFFFFFFFF)) * n) >> half)) >> half).astype(np.int64)


def resampled(t, columns, step, horizon):
    """Sums of every column in each of 1,000 resamples, one row each; None where fewer than ten blocks hold cases."""
    length = max(horizon, 1440 * MINUTE_NS)
    block = -(-length // step)
    moments, place = np.unique(t // step * step, return_inverse=True)
    if len(separate(moments, length)) < BLOCKS_MIN:
        return None
    slot = np.concatenate(([0], np.cumsum(np.minimum(np.diff(moments) // step, block))))
    slots = int(slot[-1]) + 1
    sums = np.zeros((slots, columns.shape[1]))
    np.add.at(sums, slot[place], columns)
    # A block may run over the end to the beginning; the last of a resample is cut.
    upto = np.concatenate((np.zeros((1, columns.shape[1])), np.cumsum(np.concatenate((sums, sums)), axis=0)))
    starts_each = -(-slots // block)
    starts = below(slots, DRAWS * starts_each).reshape(DRAWS, starts_each)
    lengths = np.full(starts_each, block)
    lengths[-1] = slots - block * (starts_each - 1)
    return (upto[starts + lengths] - upto[starts]).sum(axis=1)


def mean_by_time(t, x):
    """One value a moment, however many markets share it."""
    moments, place = np.unique(t, return_inverse=True)
    return moments, np.bincount(place, x) / np.bincount(place)


def intrinsic(x):
    """Count and intrinsic time of the lower and of the upper bound after each value."""
    t = np.arange(1, len(x) + 1)
    centre = np.concatenate(([0.0], np.cumsum(x)[:-1] / t[:-1]))
    return t, np.maximum(1, np.cumsum((x - np.minimum(centre, 0)) ** 2)), np.maximum(1, np.cumsum((x - np.maximum(centre, 0)) ** 2))


def boundary(v):
    """The gamma-exponential mixture boundary as Howard et al. print it (proposition 9), its root found by SciPy."""
    from scipy import optimize, special

    log_1 = math.log(1 / (2 * ALPHA))
    rho = V_OPT / (2 * log_1 + math.log(1 + 2 * log_1))
    r, c2 = rho / SCALE**2, SCALE**2

    def excess(s):
        a, x = (v + rho) / c2, (SCALE * s + v + rho) / c2
        start = r * math.log(r) - special.gammaln(r) - math.log(special.gammainc(r, r))
        mixture = start + special.gammaln(a) + math.log(special.gammainc(a, x)) - a * math.log(x) + (SCALE * s + v) / c2
        return mixture - math.log(1 / ALPHA)

    return optimize.brentq(excess, 0, 100 + 10 * v, xtol=1e-13, rtol=1e-14)


def onsets(cases, horizon):
    """Beginnings of the runs of a condition."""
    known = cases[cases.state_at_issue.notna()]
    at, holds = known.issued_ts.to_numpy(), known.state_at_issue.to_numpy() == 1
    found, last, before = [], None, False
    for t, now in zip(at, holds):
        if now:
            joined = last is not None and (t - last < horizon or (before and t - last == horizon))
            found, last = (found if joined else [*found, t]), t
        before = now
    return found


def warned(opened, begins, horizon):
    """Time from the first alert within a horizon before each onset; an alert of the onset's own minute leads by nothing."""
    leads = []
    for onset in begins:
        i = np.searchsorted(opened, onset - horizon)
        if i < len(opened):
            together = opened[i] // MINUTE_NS == onset // MINUTE_NS
            if opened[i] <= onset or together:
                leads.append(0 if together else onset - opened[i])
    return leads


def precise(done, horizon):
    """Share of alerts that were right, its interval that of alerts whose windows do not overlap."""
    share, n_eff = done.outcome.mean(), len(separate(done.issued_ts.to_numpy(), horizon))
    return {"precision": share, "precision_band": wilson(share * n_eff, n_eff)}


def lift(precision, n_eff, alerts, base, horizon):
    """Precision over the frequency in 1,000 random windows of the alerts' own markets, and its lower bound."""
    first, last = (f(t[0 if f is min else -1] for t, _ in base.values()) for f in (min, max))
    starts = first + MINUTE_NS * below(int((last - first) // MINUTE_NS) + 1, 1000)
    known = []
    for i, start in enumerate(starts // GRID * GRID):
        t, came = base[alerts[i % len(alerts)]]
        at = np.searchsorted(t, start)
        if at < len(t) and t[at] == start:
            known.append(came[at])
    rate = np.mean(known) if known else 0
    if rate <= 0:
        return None, None
    return precision / rate, wilson(precision * n_eff, n_eff)[0] / wilson(sum(known), len(known))[1]


def lift_over(precise, resolved, bases, event):
    """Lift of a detector over windows counted at every instant, each market by its resolved alerts; a twelfth does not overlap."""
    if event != "alert_move_1h" or precise["precision"] is None:
        return None, None
    of = bases.groupby(bases.symbol.astype(str))[["base_windows", "base_moved"]].sum()
    of = of[of.base_windows > 0]
    weight = resolved.symbol.astype(str).value_counts()
    weight = weight[weight.index.isin(of.index)]
    of, weight = of.loc[weight.index], weight / weight.sum()
    rate = float((weight * of.base_moved / of.base_windows).sum())
    if rate == 0:
        return None, None
    n = 1 / float((weight**2 / (of.base_windows / 12)).sum())
    return precise["precision"] / rate, precise["precision_band"][0] / wilson(rate * n, n)[1]
