//! Advice, a position's card and a notice with every field filled, so that the schema is held against all of them.

use barograph_domain::advice::{
    AdviceOption, AdviceRequest, AdviceView, ContextBrief, ExpectedValue, KellyView, MarketPrice, NearbyLevel,
    NoticeLevel, NoticeTrigger, OptionKind, ParameterView, Position, PositionCard, PositionFlag, PositionNotice,
    PositionTexts, ReasonCode, SizeLimit, SizeView, SnapshotRef, StopView, TargetSource, TargetView, Verdict,
    VerdictReason, WarningCode, WarningView,
};
use barograph_domain::universe::{Gauge, LeadReading, PairReading, StateHours, UniverseMarket};
use barograph_domain::{
    InstrumentName, LevelType, Posture, Reason, RiskBias, RiskRegime, Side, Snapshot, Span, TradingSession,
    TrendRegime, Ts, UniverseRow, VolRegime,
};

pub(crate) fn advice(request: &AdviceRequest, s: &Snapshot) -> AdviceView {
    let level = NearbyLevel {
        level_id: "l".to_owned(),
        level_type: LevelType::EqualLows,
        timeframe: "1h".to_owned(),
        price: 1.5,
        top: 2.0,
        bottom: 1.0,
        strength: 0.5,
        known_at: s.timestamp,
    };
    let option = AdviceOption {
        option: OptionKind::Wait,
        text: "Wait".to_owned(),
        size: Some(1.0),
        stop: Some(1.0),
        r: Some(1.0),
        risk_quote: Some(1.0),
        risk_fraction: Some(0.01),
        above_one_percent: Some(false),
        regime_age_s: Some(60),
        median_s: Some(60),
        low_s: Some(6),
        high_s: Some(600),
        episodes: Some(7),
        missing: None,
    };
    AdviceView {
        instrument: s.instrument.to_string(),
        side: Side::Long,
        entry: request.entry,
        market: Some(MarketPrice { price: 50_010.0, at: s.timestamp, age_s: 60 }),
        strategy: request.strategy.clone(),
        snapshot: Some(SnapshotRef {
            snapshot_id: s.snapshot_id.clone(),
            timestamp: s.timestamp,
            logic_version: s.logic_version.clone(),
            risk: s.regimes.risk.label,
            trend: Some(TrendRegime::Uptrend),
            volatility: Some(VolRegime::Stable),
            session: Some(TradingSession::Ny),
            risk_bias: RiskBias::Neutral,
            posture: Posture::Normal,
        }),
        error: None,
        verdict: Verdict::Caution,
        verdict_base_rate: Some(0.57),
        verdict_base_rate_text: Some("t".to_owned()),
        decided_by: ReasonCode::SqueezeRisk,
        summary: "CAUTION".to_owned(),
        reasons: vec![VerdictReason { code: ReasonCode::SqueezeRisk, verdict: Verdict::Caution, text: "t".to_owned() }],
        not_evaluated: vec![ReasonCode::LowHealth],
        warnings: vec![WarningView {
            code: WarningCode::Reasons,
            level: NoticeLevel::High,
            text: "t".to_owned(),
            reason: Some(ReasonCode::LowHealth),
        }],
        options: vec![option],
        parameters: ParameterView {
            stop_loss_atr_mult: 1.5,
            stop_loss_atr_mult_fallback: None,
            risk_reward_ratio: 1.5,
            risk_reward_ratio_fallback: None,
            market_regime: TrendRegime::Sideways,
            confidence: None,
            confidence_kind: "not_available",
            confidence_reason: Some("few_forecasts"),
            size_factor: 1.0,
            size_factor_fallback: None,
            posture_factor: 1.0,
            posture_factor_fallback: None,
            fallback: false,
        },
        stop: StopView {
            used: request.stop,
            source: Some("user"),
            r: Some(1.0),
            r_atr: Some(1.0),
            base: Some(1.0),
            atr: Some(1.0),
            on_cluster: Some(level.clone()),
            stop_alternative: Some(1.0),
            missing: None,
        },
        target: TargetView {
            price: Some(1.0),
            target_source: Some(TargetSource::Liquidity),
            level: Some(level),
            effective_rr: Some(2.0),
            text: "t".to_owned(),
            capped: false,
            missing: None,
        },
        size: SizeView {
            risk_fraction: Some(0.01),
            fraction_limit: Some(SizeLimit::OnePercent),
            binding_limit: Some(SizeLimit::MaxLeverage),
            binding_limit_text: Some("the leverage limit"),
            risk_quote: Some(1.0),
            cost_per_unit: 1.0,
            size_base_units: Some(1.0),
            notional: Some(1.0),
            loss_at_stop: Some(1.0),
            loss_fraction: Some(0.01),
            kelly: KellyView {
                kelly_full: Some(0.1),
                p_used: Some(0.5),
                kelly_fraction: Some(0.02),
                n: 200,
                missing: None,
            },
            missing: None,
        },
        expected_value: Some(ExpectedValue { value_r: 0.1, win_rate: 0.5, payoff: 1.2, n: 200 }),
        new_entries: "wait".to_owned(),
        open_positions: "keep".to_owned(),
        defaults_used: vec!["d".to_owned()],
    }
}

pub(crate) fn card(p: &Position) -> PositionCard {
    let n = notice(p);
    PositionCard {
        position: p.clone(),
        flag: PositionFlag::Yellow,
        context: Some(n.new.clone()),
        card: Some("Market context: CONSERVATIVE (high caution)".to_owned()),
        guidance: Some(PositionTexts { open_positions: "keep".to_owned(), new_entries: "wait".to_owned() }),
        stop_state: None,
        notices: vec![n],
    }
}

pub(crate) fn notice(p: &Position) -> PositionNotice {
    let context = ContextBrief {
        timestamp: p.opened_at,
        snapshot_id: "s".to_owned(),
        risk: RiskRegime::HighVol,
        since: p.opened_at,
        risk_bias: RiskBias::Conservative,
        posture: Posture::Reduce,
        volatility: Some(VolRegime::Extreme),
        price: Some(1.0),
        price_at: None,
        stale: false,
    };
    PositionNotice {
        notice_id: "n".to_owned(),
        position_id: p.id.clone(),
        instrument: p.instrument.clone(),
        timestamp: p.opened_at,
        trigger: NoticeTrigger::HighVol,
        level: NoticeLevel::High,
        flag: PositionFlag::Yellow,
        text: "t".to_owned(),
        headline: "Nothing unusual.".to_owned(),
        open_positions: "keep".to_owned(),
        new_entries: "wait".to_owned(),
        episode: p.opened_at,
        repeat: 0,
        old: Some(context.clone()),
        new: context,
    }
}

/// An hour between two markets.
pub(crate) fn hour(ts: Ts) -> UniverseRow {
    let market = |asset: &str| UniverseMarket {
        instrument: InstrumentName::new("binance-usdm", &format!("{asset}USDT"))
            .unwrap_or_else(|e| unreachable!("{e}")),
        asset: asset.to_owned(),
        price: Some(100.0),
        vol_annual: None,
        risk: RiskRegime::Normal,
        volatility: VolRegime::Unknown,
        lead_score: None,
    };
    let none = Gauge::none(Reason::Warming, 1, 576);
    let pair = PairReading {
        a: 0,
        b: 1,
        corr_20: Gauge::of(0.8, 20, 18, false),
        corr_20_ci: Some([0.6, 0.9]),
        corr_30d: none,
        corr_30d_ci: None,
        corr_20_pct_180d: none,
        band: None,
        state: None,
        severity: None,
        divergence_strength: None,
        exposure_overlap: Some(false),
        held_90d: StateHours::default(),
        lead: LeadReading { ratio: none, best: None, significant: None, xcorr: Vec::new() },
    };
    UniverseRow {
        ts,
        known_ts: ts + Span::millis(200),
        markets: vec![market("BTC"), market("ETH")],
        pairs: vec![pair],
        leading: None,
    }
}
