"""A strategy in the shape that freqtrade calls: entry columns, a confirmation, a custom stop, a stake (R2.42).

It runs without freqtrade: the class has the methods freqtrade would call, and the tests call them the same way. To use it
there, inherit from ``IStrategy`` and keep the bodies. Frames of freqtrade have a ``date`` column with bar opens in UTC and
closed bars only, which is what the engine takes.
"""

from __future__ import annotations

import logging
from typing import Any, Dict, Optional

import pandas as pd

import barograph

log = logging.getLogger("strategy")


class ContextStrategy:
    """Crossing of two averages, guarded by context."""

    timeframe = "1h"
    stoploss = -0.05
    startup_candle_count = 500

    def __init__(self, frames: Dict[str, pd.DataFrame], engine: Optional[barograph.MarketContextEngine] = None) -> None:
        self.frames = frames
        # A broken frame must not stop the bot: it gives the legacy parameters, and a line in the log.
        self.engine = engine or barograph.MarketContextEngine(on_error="fallback", ttl=60.0)

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: Dict[str, Any]) -> pd.DataFrame:
        """Two averages and the range; nothing of the context, which is asked for at the moment of an entry."""
        dataframe["fast"] = dataframe["close"].rolling(12).mean()
        dataframe["slow"] = dataframe["close"].rolling(48).mean()
        dataframe["atr"] = (dataframe["high"] - dataframe["low"]).rolling(14).mean()
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: Dict[str, Any]) -> pd.DataFrame:
        """As before: the context changes no signal."""
        up = (dataframe["fast"] > dataframe["slow"]) & (dataframe["fast"].shift() <= dataframe["slow"].shift())
        down = (dataframe["fast"] < dataframe["slow"]) & (dataframe["fast"].shift() >= dataframe["slow"].shift())
        dataframe.loc[up, "enter_long"] = 1
        dataframe.loc[down, "enter_short"] = 1
        return dataframe

    def context(self, pair: str, rate: float, side: str, now: Any = None) -> barograph.MarketContext:
        """What the bars of the pair say; analyses are shared with every other strategy that asks."""
        frame = self.frames.get(pair)
        frame = None if frame is None else frame.iloc[-self.startup_candle_count :]
        return self.engine.get_context(frame, rate, side, symbol=pair, now=now)

    def confirm_trade_entry(self, pair: str, rate: float, side: str, current_time: Any = None, **_: Any) -> bool:
        """False only where the context says AVOID; a missing context lets the strategy go on as before."""
        context = self.context(pair, rate, side, current_time)
        allowed, reason = context.should_trade()
        if context.is_fallback:
            log.warning("%s: no context (%s), going on with fixed parameters", pair, reason)
            return True
        log.info("%s %s at %s: %s (%s)", pair, side, rate, context.verdict.value, reason)
        return allowed

    def custom_stoploss(self, pair: str, open_rate: float, side: str, current_time: Any = None, **_: Any) -> float:
        """Distance of the stop as a negative share of the entry; the fixed one without a range to measure by."""
        context = self.context(pair, open_rate, side, current_time)
        if context.atr is None:
            return self.stoploss
        stop = context.get_stop_loss(open_rate, context.atr, side)
        return -abs(stop / open_rate - 1.0)

    def custom_stake_amount(self, pair: str, rate: float, side: str, proposed_stake: float, **_: Any) -> float:
        """The proposed stake, less what volatility and posture take away."""
        return self.context(pair, rate, side).get_position_size(proposed_stake)
