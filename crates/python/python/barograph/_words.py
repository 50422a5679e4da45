"""Closed sets of words, spelt as on the wire. Every member has ``.value`` and compares equal to its word."""

from enum import Enum


class _Word(str, Enum):
    def __str__(self) -> str:
        return str(self.value)


class Session(_Word):
    """The four sessions of the day."""

    ASIAN = "ASIAN"
    LONDON = "LONDON"
    NY = "NY"
    ROLLOVER = "ROLLOVER"


class TrendRegime(_Word):
    """Labels of the trend axis."""

    STRONG_UPTREND = "STRONG_UPTREND"
    UPTREND = "UPTREND"
    SIDEWAYS = "SIDEWAYS"
    DOWNTREND = "DOWNTREND"
    STRONG_DOWNTREND = "STRONG_DOWNTREND"
    UNKNOWN = "UNKNOWN"


class VolRegime(_Word):
    """Labels of the volatility axis."""

    STABLE = "STABLE"
    HIGH_VOL = "HIGH_VOL"
    EXPLOSIVE = "EXPLOSIVE"
    EXTREME = "EXTREME"
    UNKNOWN = "UNKNOWN"


class RiskRegime(_Word):
    """Labels of the risk axis. Bars alone can tell NORMAL, HIGH_VOL and UNKNOWN."""

    NORMAL = "NORMAL"
    CHOP_RISK = "CHOP_RISK"
    SQUEEZE_RISK = "SQUEEZE_RISK"
    HIGH_VOL = "HIGH_VOL"
    UNKNOWN = "UNKNOWN"


class Verdict(_Word):
    """What the context says about the trade in hand, from mildest to most severe."""

    ALLOW = "ALLOW"
    CAUTION = "CAUTION"
    AVOID = "AVOID"


BY_NAME = {c.__name__: {m.value: m for m in c} for c in (Session, TrendRegime, VolRegime, RiskRegime, Verdict)}
