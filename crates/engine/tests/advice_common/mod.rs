//! What the tests of advice share: levels, contexts and intents with numbers one can check by hand.
#![allow(dead_code, reason = "each test file uses its own part")]

use barograph_domain::{Kind, Level, LevelType, RiskRegime, Side, Span, TradingSession, TrendRegime, Ts, VolRegime};
use barograph_engine::advice::{
    Advice, AdviceContext, Calibrated, Confidence, CrowdedSide, Intent, OperatorSettings, SessionContext, TrendContext,
    advise,
};

pub(crate) const NOW: Ts = Ts(1_770_000_000_000_000_000);

/// An unmitigated hourly level, known an hour ago.
pub(crate) fn level(kind: LevelType, bottom: f64, top: f64, strength: f64) -> Level {
    let known = NOW - Span::hours(1);
    Level {
        level_id: format!("{}-{bottom}", kind.name()),
        revision: 1,
        kind,
        timeframe: Span::hours(1),
        side: None,
        price: f64::midpoint(bottom, top),
        top,
        bottom,
        formed_at: known - Span::hours(3),
        confirmed_at: known,
        known_at: known,
        touched_at: None,
        mitigated_at: None,
        swept_at: None,
        touches: 0,
        volume: None,
        strength,
        source: Kind::Measured,
    }
}

/// The New York session of worked example 1: multiplier 2.079.
pub(crate) fn new_york() -> SessionContext {
    session(TradingSession::Ny, 1.8 * 1.10 * 1.05)
}

pub(crate) fn session(session: TradingSession, adaptive_mult: f64) -> SessionContext {
    SessionContext {
        session,
        adaptive_mult: Some(adaptive_mult),
        vol_adjustment_default: false,
        volume_adjustment_default: false,
        vol_ratio: Some(1.2),
    }
}

pub(crate) fn trend(label: TrendRegime, mtf_confirmed: bool, mtf_confidence: f64) -> TrendContext {
    TrendContext { label, mtf_confirmed, mtf_confidence: Some(mtf_confidence), early: false }
}

/// A context in which nothing is missing and nothing speaks against a trade.
pub(crate) fn calm(levels: &[Level]) -> AdviceContext<'_> {
    AdviceContext {
        price: Some(50_000.0),
        atr_14: Some(400.0),
        session: Some(new_york()),
        trend: Some(trend(TrendRegime::Uptrend, true, 0.8)),
        volatility: VolRegime::Stable,
        levels: Some(levels),
        event: Some(None),
        confidence: Some(Confidence { value: 0.7, calibrated: Some(Calibrated { high: 0.8, usual: Some(0.5) }) }),
        health: Some(96.0),
        overlaps: Some(&[]),
        stops: barograph_engine::advice::SideStops {
            long: Some(barograph_domain::StopVulnerability::Low),
            short: Some(barograph_domain::StopVulnerability::Low),
        },
        ..AdviceContext::of_label(NOW, RiskRegime::Normal, NOW - Span::hours(5))
    }
}

/// The same in a squeeze of this side.
pub(crate) fn squeeze(levels: &[Level], crowded: Side) -> AdviceContext<'_> {
    let mut c = AdviceContext::of_label(NOW, RiskRegime::SqueezeRisk, NOW - Span::mins(90));
    c.risk.crowded = Some(CrowdedSide(crowded));
    let calm = calm(levels);
    AdviceContext { risk: c.risk, bias: c.bias, posture: c.posture, ..calm }
}

pub(crate) fn long(entry: f64) -> Intent<'static> {
    Intent::new("binance-usdm:BTCUSDT", Side::Long, entry)
}

pub(crate) fn short(entry: f64) -> Intent<'static> {
    Intent::new("binance-usdm:BTCUSDT", Side::Short, entry)
}

pub(crate) fn ask(ctx: &AdviceContext<'_>, intent: &Intent<'_>) -> Advice {
    advise(Some(ctx), intent, &OperatorSettings::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Equal to the printed digits: half of the last one.
pub(crate) fn printed(got: Option<f64>, want: f64, digit: f64, what: &str) {
    let got = got.unwrap_or_else(|| panic!("{what} is not there"));
    assert!((got - want).abs() <= digit / 2.0, "{what}: {got} is not {want}");
}
