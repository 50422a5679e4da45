"""Windows, gaps and quantiles on the one-second grid, after features §1.

Written from the specification alone, as the second witness of `crates/columns`.
Times are integers in nanoseconds; a row is a whole second t. Sums are taken over leaves in extended precision and
never by subtracting prefixes, so a window's result depends on its content only.
"""

from __future__ import annotations

import numpy as np

SECOND = 1_000_000_000
# A row for t is made after every input received up to t + 200 ms and before any later one (features §1, emission).
LATENESS = 200_000_000
# Book samples older than this are stale (features §9, order book, stream).
BOOK_MAX_AGE = 5 * SECOND
# Event sums tolerate gaps up to this share of the window (features §1, gap).
EVENT_GAP_SHARE = 0.01
# A window may be judged on a part of its length once that part is this share of it (features §1, coverage).
SPAN_MIN = 0.25


def ceil_div(value, step):
    """Ceiling of an integer division, exact for numpy integers of either sign."""
    return -(-value // step)


class Gaps:
    """Declared gaps of one stream: half-open intervals [start, end) in event time; end None = still open."""

    def __init__(self, intervals=()):
        far = np.iinfo(np.int64).max
        pairs = sorted((int(a), far if b is None else int(b)) for a, b in intervals)
        self.start = np.array([a for a, _ in pairs], dtype=np.int64)
        self.end = np.array([b for _, b in pairs], dtype=np.int64)

    def covers(self, instant):
        """True where the instant lies inside a gap."""
        instant = np.asarray(instant)
        out = np.zeros(instant.shape, dtype=bool)
        for a, b in zip(self.start, self.end):
            out |= (a <= instant) & (instant < b)
        return out

    def touches(self, after, until):
        """True where the window (after, until] holds any part of a gap."""
        out = np.zeros(np.shape(until), dtype=bool)
        for a, b in zip(self.start, self.end):
            out |= (a <= until) & (b > after)
        return out

    def overlap(self, after, until):
        """Nanoseconds of gap inside the window (after, until]."""
        out = np.zeros(np.shape(until), dtype=np.int64)
        for a, b in zip(self.start, self.end):
            out += np.maximum(0, np.minimum(b, until) - np.maximum(a, after))
        return out

    def last_start(self, instant):
        """Start of the newest gap that began at or before the instant; the far past where there is none."""
        out = np.full(np.shape(instant), np.iinfo(np.int64).min, dtype=np.int64)
        for a in self.start:
            out = np.where(a <= np.asarray(instant), np.maximum(out, a), out)
        return out

    def last_end(self, instant):
        """End of the newest gap that ended at or before the instant; None-like minimum where there is none."""
        out = np.full(np.shape(instant), np.iinfo(np.int64).min, dtype=np.int64)
        for b in self.end:
            out = np.where(b <= np.asarray(instant), np.maximum(out, b), out)
        return out


class Grid:
    """Contiguous whole seconds first..last; `t` are the instants in nanoseconds."""

    def __init__(self, first_second: int, last_second: int):
        self.first = int(first_second)
        self.n = int(last_second) - self.first + 1
        self.t = (np.arange(self.n, dtype=np.int64) + self.first) * SECOND

    def cell(self, ts):
        """Row whose own second (t−1 s, t] holds the event time."""
        return ceil_div(np.asarray(ts, dtype=np.int64), SECOND) - self.first

    def entry(self, ts, known, lateness=LATENESS):
        """First row that may count the event: not before its own second, and received by t + lateness."""
        cell = self.cell(ts)
        if lateness is None:
            return cell
        return np.maximum(cell, ceil_div(np.asarray(known, dtype=np.int64) - lateness, SECOND) - self.first)

    def last_index(self, entry):
        """Newest item (by position) that has entered by each row; −1 before the first."""
        newest = np.full(self.n, -1, dtype=np.int64)
        inside = entry < self.n
        np.maximum.at(newest, np.maximum(entry[inside], 0), np.flatnonzero(inside))
        return np.maximum.accumulate(newest)

    def window_sum(self, values, cell, entry, seconds: int):
        """Σ values over events in (t − seconds, t] that had entered by t, for every row."""
        leaf = np.zeros(self.n, dtype=np.longdouble)
        on_time = (entry == cell) & (cell >= 0) & (cell < self.n)
        np.add.at(leaf, cell[on_time], np.asarray(values)[on_time].astype(np.longdouble))
        out = rolling_sum(leaf, seconds)
        for i in np.flatnonzero((entry > cell) & (entry < self.n)):
            out[entry[i] : max(entry[i], cell[i] + seconds)] += values[i]
        return out.astype(np.float64)

    def window_max(self, values, cell, entry, seconds: int):
        """Largest value over the same events; −inf where there is none."""
        leaf = np.full(self.n + seconds - 1, -np.inf)
        on_time = (entry == cell) & (cell >= 0) & (cell < self.n)
        np.maximum.at(leaf, cell[on_time] + seconds - 1, np.asarray(values)[on_time])
        out = np.lib.stride_tricks.sliding_window_view(leaf, seconds).max(axis=-1)
        for i in np.flatnonzero((entry > cell) & (entry < self.n)):
            rows = slice(entry[i], max(entry[i], cell[i] + seconds))
            out[rows] = np.maximum(out[rows], values[i])
        return out


def rolling_sum(leaf, seconds: int):
    """Sum of the last `seconds` leaves at each row; leaves before the first row count as zero."""
    padded = np.concatenate([np.zeros(seconds - 1, dtype=np.longdouble), leaf.astype(np.longdouble)])
    return np.lib.stride_tricks.sliding_window_view(padded, seconds).sum(axis=-1)


def rolling_mean(samples, seconds: int, min_n: int):
    """Mean of the present samples of the last `seconds` rows; NaN (missing) below min_n."""
    present = ~np.isnan(samples)
    n = rolling_sum(present, seconds).astype(np.float64)
    total = rolling_sum(np.where(present, samples, 0.0), seconds)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n >= min_n, (total / n).astype(np.float64), np.nan)


def rolling_sd(samples, seconds: int, min_n: int):
    """Population standard deviation of the present samples, two passes per window."""
    padded = np.concatenate([np.full(seconds - 1, np.nan), samples])
    out = np.full(len(samples), np.nan)
    for row in range(len(samples)):
        window = padded[row : row + seconds]
        window = window[~np.isnan(window)]
        if len(window) >= min_n:
            out[row] = 0.0 if window.min() == window.max() else population_sd(window)
    return out


def population_sd(x):
    """√(Σ(x − mean)²/n)."""
    x = np.asarray(x, dtype=np.longdouble)
    return float(np.sqrt(np.mean((x - x.mean()) ** 2)))


def shifted(samples, rows: int):
    """The samples `rows` seconds earlier; missing before the start."""
    out = np.full(len(samples), np.nan)
    if rows < len(samples):
        out[rows:] = samples[: len(samples) - rows]
    return out


class LogHistogram:
    """HIST of features §1.2: 16 bins per octave, one sub-histogram per hour, the current hour and the 23 before it.

    features §1.2 leaves the convention of ranks open. Agreed with the Rust side: the case of rank p·(n − 1), counted from 0, lies
    at (rank − cases below + ½)/cases of its bin, linear in log-space; powers of two from −32 to 31, the ends take the
    rest, zero too; six hours are full when a seventh has a sample.
    """

    PER_OCTAVE, OCTAVES, HOURS, HOURS_MIN = 16, 32, 24, 6

    def __init__(self):
        self.bins = np.zeros(2 * self.OCTAVES * self.PER_OCTAVE, dtype=np.int64)
        self.hours = {}

    def add(self, second: int, value: float):
        """Count one value at its second."""
        index = 0 if value <= 0 else int(np.floor(self.PER_OCTAVE * (np.log2(value) + self.OCTAVES)))
        index = min(max(index, 0), len(self.bins) - 1)
        self.forget(second)
        self.hours.setdefault(second // 3600, np.zeros_like(self.bins))[index] += 1
        self.bins[index] += 1

    def forget(self, second: int):
        """Let go what lies a day back."""
        for hour in [h for h in self.hours if h <= second // 3600 - self.HOURS]:
            self.bins -= self.hours.pop(hour)

    def quantile(self, second: int, p: float):
        """q(p; 24 h) at the second; None before six hours of samples."""
        self.forget(second)
        if len(self.hours) <= self.HOURS_MIN:
            return None
        cumulative = np.cumsum(self.bins)
        rank = p * (cumulative[-1] - 1)
        index = int(np.searchsorted(cumulative, rank, side="right"))
        below = cumulative[index] - self.bins[index]
        within = min((rank - below + 0.5) / self.bins[index], 1.0)
        return 2.0 ** ((index + within) / self.PER_OCTAVE - self.OCTAVES)
