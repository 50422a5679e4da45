"""An exported ledger and the scorecard of the same data folder, as `test_scorecard_notebook.py` reads them."""

import json
import pathlib

import pandas as pd
from recomputed import GRID, MINUTE_NS

HOUR, DAY = 60 * MINUTE_NS, 1440 * MINUTE_NS
ENOUGH = 100  # A reference that has seen fewer cases is none.
WINDOWS = {"30d": 30, "90d": 90, "365d": 365, "all": None}

# Length of each event's window; the labels of an axis that assert it, where one does.
HOURS = {
    "hv_1h": 1, "squeeze_4h": 4, "chop_4h": 4, "calm_4h": 4, "trend_up_24h": 24, "trend_down_24h": 24, "vol_class_24h": 24,
    "vol_up_24h": 24, "corr_break_7d": 168, "zone_reach_24h": 24, "level_react": 12, "alert_cascade_1h": 1, "alert_move_1h": 1,
    "post_fund_rev_8h": 8,
}
ASSERTED_BY = {
    "hv_1h": ["HIGH_VOL"], "squeeze_4h": ["SQUEEZE_RISK"], "chop_4h": ["CHOP_RISK"], "calm_4h": ["NORMAL"],
    "trend_up_24h": ["UPTREND", "STRONG_UPTREND"], "trend_down_24h": ["DOWNTREND", "STRONG_DOWNTREND"],
}
# Labels in the order of their severity.
RISK = ["NORMAL", "CHOP_RISK", "SQUEEZE_RISK", "HIGH_VOL"]
VOLATILITY = ["STABLE", "HIGH_VOL", "EXPLOSIVE", "EXTREME"]
TREND = ["STRONG_UPTREND", "UPTREND", "SIDEWAYS", "DOWNTREND", "STRONG_DOWNTREND"]
CLASSES = "vol_class_24h"


def read(path):
    """The ledger in the order of issue; times as nanoseconds, an absent one as -1."""
    ledger = pd.read_parquet(path)
    for name in ("issued_ts", "resolve_after", "resolved_at"):
        at = ledger[name]
        ledger[name] = at.dt.as_unit("ns").astype("int64").where(at.notna(), -1)
    words = ("kind", "event_id", "symbol", "label", "raw_label", "classifier_id", "resolution_reason", "abstain_reason", "not_issued_reason")
    for name in words:
        ledger[name] = ledger[name].astype("category")
    ledger["group"] = ledger.symbol.map(group_of)
    ledger["classifier_id"] = ledger.classifier_id.fillna("rules")
    return ledger.sort_values("issued_ts", kind="stable", ignore_index=True)


def group_of(symbol):
    base = symbol.split(":")[1]
    return "btc" if base.startswith(("BTC", "XBT")) else "eth" if base.startswith("ETH") else "other"


def ns(iso):
    return None if iso is None else pd.Timestamp(iso).value


class Files:
    """Ledger and scorecard of one data folder."""

    def __init__(self, ledger, card):
        self.path, every, self.card = ledger, read(ledger), json.loads(pathlib.Path(card).read_text())
        # Windows at any time, which lift of detectors is over, are no forecasts.
        self.bases = every[every.kind == "base"]
        self.ledger = every[every.kind != "base"]
        self.newest = int(max(self.ledger.issued_ts.max(), self.ledger.resolved_at.max()))
        # Markets in the order in which they were first asked anything.
        first = self.ledger.groupby("symbol", observed=True).issued_ts.min()
        self.markets = [name for _, name in sorted((at, name) for name, at in first.items())]
        self.of_event = {event: cases for event, cases in self.ledger.groupby("event_id", observed=True)}

    def scopes(self):
        groups = [group_of(m) for m in self.markets]
        return ["all", *(g for g in ("btc", "eth", "other") if groups.count(g) > 1), *sorted(self.markets)]

    def cases(self, event, forecaster="rules", scope="all", window="all"):
        """What a row of the scorecard counts: registered or not, in the order of issue."""
        found = self.of_event[event]
        found = found[found.classifier_id == forecaster]
        if scope != "all":
            found = found[(found.symbol == scope) | (found.group == scope)]
        if WINDOWS[window]:
            found = found[found.issued_ts >= self.newest - WINDOWS[window] * DAY]
        return found

    def rows(self):
        """Rows of the scorecard, each with its cases."""
        for row in self.card["rows"]:
            yield row, self.cases(row["event"], row["forecaster"], row["scope"], row["window"])
