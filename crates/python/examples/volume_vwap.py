"""Reference strategy: price above its volume-weighted average on rising volume, before and after context (R2.43).

The signal is the same three lines in both. Before, stop and target are fixed multiples of ATR for every hour of the day;
after, the context gives them, may reduce the size, and may say that this is no time for an entry. Without a context
(no data, a stale frame, an error) the fixed numbers are used again, and the reason is in the record.

    python crates/python/examples/volume_vwap.py bars.csv
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import List, Optional

import pandas as pd

import barograph

WINDOW = 24
LOOKBACK = 500


@dataclass(frozen=True)
class Trade:
    """One intended entry."""

    time: pd.Timestamp
    entry: float
    stop: float
    target: float
    size: float
    why: str


def signals(df: pd.DataFrame) -> pd.DataFrame:
    """Adds the average, the volume against its own day, the range, and the signal."""
    out = df.copy()
    typical = (out.high + out.low + out.close) / 3
    out["vwap"] = (typical * out.volume).rolling(WINDOW).sum() / out.volume.rolling(WINDOW).sum()
    out["volume_ratio"] = out.volume / out.volume.rolling(WINDOW).mean().shift()
    before = out.close.shift()
    true_range = pd.concat([out.high - out.low, (out.high - before).abs(), (out.low - before).abs()], axis=1).max(axis=1)
    out["atr"] = true_range.ewm(alpha=1 / 14, adjust=False).mean()
    crossed = (out.close > out.vwap) & (before <= out.vwap.shift())
    out["signal"] = crossed & (out.volume_ratio > 1.5)
    return out


def before(df: pd.DataFrame, size: float = 1.0) -> List[Trade]:
    """The strategy as it was: 1.5 ATR to the stop, 3 ATR to the target, always the same size."""
    rows = signals(df)
    return [
        Trade(t, r.close, r.close - 1.5 * r.atr, r.close + 3.0 * r.atr, size, "fixed")
        for t, r in rows[rows.signal].iterrows()
        if rows.index.get_loc(t) >= LOOKBACK
    ]


def one(df: pd.DataFrame, entry: float, atr: float, size: float, engine: barograph.MarketContextEngine) -> Optional[Trade]:
    """An entry with context; None when the context says AVOID."""
    context = engine.get_context(df, entry, "long", symbol="BTCUSDT")
    allowed, reason = context.should_trade()
    if not allowed:
        return None
    if context.is_fallback:
        # R2.31: nothing is known, so the strategy does what it always did.
        return Trade(df.index[-1], entry, context.get_stop_loss(entry, atr), context.get_take_profit(entry, atr), size, reason)
    return Trade(
        df.index[-1],
        entry,
        context.get_stop_loss(entry, context.atr),
        context.get_take_profit(entry, context.atr),
        context.get_position_size(size),
        reason,
    )


def after(df: pd.DataFrame, size: float = 1.0) -> List[Trade]:
    """The same signal with context for every entry, from the bars closed by then."""
    engine = barograph.MarketContextEngine(on_error="fallback")
    rows = signals(df)
    out = []
    for at in [rows.index.get_loc(t) for t in rows.index[rows.signal]]:
        if at < LOOKBACK:
            continue
        known = df.iloc[at - LOOKBACK + 1 : at + 1]
        trade = one(known, float(rows.close.iloc[at]), float(rows.atr.iloc[at]), size, engine)
        if trade is not None:
            out.append(trade)
    return out


def main() -> None:
    """Prints both lists for a CSV with timestamp, open, high, low, close, volume."""
    df = pd.read_csv(sys.argv[1], parse_dates=["timestamp"], index_col="timestamp")
    for name, trades in (("before", before(df)), ("after", after(df))):
        print(f"{name}: {len(trades)} entries")
        for t in trades[-5:]:
            print(f"  {t.time}  entry {t.entry:.1f}  stop {t.stop:.1f}  target {t.target:.1f}  size {t.size:.2f}  {t.why}")


if __name__ == "__main__":
    main()
