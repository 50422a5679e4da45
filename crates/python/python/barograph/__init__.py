"""Context for crypto trades from a frame of bars: sessions, trend, volatility, liquidity, and advice with reasons.

>>> import barograph
>>> context = barograph.get_context(df, current_price=50_000.0, signal_direction="long")   # doctest: +SKIP
>>> context.should_trade()                                                                  # doctest: +SKIP
(True, 'ok')

Nothing here makes an order or picks a side: the side, the entry and the size are the caller's.
"""

from . import lab
from ._native import (
    FrameError,
    MarketContext,
    MarketContextEngine,
    RiskParams,
    SessionInfo,
    __version__,
    classify_regime_simple,
    get_context,
    get_engine,
)
from ._words import RiskRegime, Session, TrendRegime, Verdict, VolRegime
from .alerts import follow_alerts
from .functions import (
    analyze_volatility_persistence,
    compute_funding_metrics,
    compute_liquidation_metrics,
    compute_pairwise_correlations,
    compute_volatility_features,
    compute_volatility_metrics,
    detect_cascade_events,
    detect_funding_anomalies,
    detect_reversal_signals,
    extract_all_futures_features,
    identify_leading_assets,
    identify_liquidation_support_zones,
)
from .futures_market import (
    analyze_futures_market,
    detect_basis_manipulation,
    detect_forced_liquidations,
    detect_funding_farming,
    detect_funding_manipulation,
    detect_liquidation_cascades,
    market_analysis,
)
from .research import features, minute_features

__all__ = [
    "FrameError",
    "MarketContext",
    "MarketContextEngine",
    "RiskParams",
    "RiskRegime",
    "Session",
    "SessionInfo",
    "TrendRegime",
    "Verdict",
    "VolRegime",
    "__version__",
    "analyze_futures_market",
    "analyze_volatility_persistence",
    "classify_regime_simple",
    "compute_funding_metrics",
    "compute_liquidation_metrics",
    "compute_pairwise_correlations",
    "compute_volatility_features",
    "compute_volatility_metrics",
    "detect_basis_manipulation",
    "detect_cascade_events",
    "detect_forced_liquidations",
    "detect_funding_anomalies",
    "detect_funding_farming",
    "detect_funding_manipulation",
    "detect_liquidation_cascades",
    "detect_reversal_signals",
    "extract_all_futures_features",
    "features",
    "follow_alerts",
    "get_context",
    "get_engine",
    "identify_leading_assets",
    "identify_liquidation_support_zones",
    "lab",
    "market_analysis",
    "minute_features",
]
