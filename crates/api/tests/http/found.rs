//! What detectors found in the small world: a record of an alert every ten minutes.

use super::world::{LIVING, minute, name};
use barograph_api::analysis::{AnalysisView, PatternCheck, SourceView};
use barograph_api::events::{BaseRateView, DatumView, EvidenceView, EvidenceWindow};
use barograph_api::outcome::{AlertOutcome, AlertOutcomeSpan, SimilarAlert};
use barograph_api::{EventView, Page, SeriesWindow};
use barograph_domain::alert::{AlertChange, AlertState, Statistic};
use barograph_domain::health::{AlertBurden, HealthScore, PatternState, ValidShare};
use barograph_domain::{Kind, Pattern, Reason, Severity, Snapshot, Span, Trigger, Ts};

/// A record of an alert every ten minutes, of two markets in turn, two at each moment.
pub(crate) fn event(n: usize) -> EventView {
    let patterns =
        [Pattern::LiquidationCascade, Pattern::FundingAnomaly, Pattern::RegimeChange, Pattern::VolatilityRegimeChange];
    let pattern = patterns[n % 4];
    let at = minute(i64::try_from(n / 2).unwrap() * 10);
    let severity = Severity::ALL[n % 5];
    let instrument = name(LIVING[n % 2]);
    let statistic = Statistic {
        name: "liq_count_60s".into(),
        value: (!n.is_multiple_of(3)).then_some(7.5),
        reason: n.is_multiple_of(3).then_some(Reason::Warming),
        threshold: 5.0,
        u: None,
        unit: "count".into(),
        kind: Kind::Sampled,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    };
    let data = [
        ("side_bias", DatumView::Word("LONG".to_owned())),
        ("reasons", DatumView::Words(vec!["Z-score anomaly: 2.30σ".to_owned()])),
        ("total_liquidated_usd", DatumView::Number(0.5)),
        ("severity_ratio", DatumView::Null),
        ("severity_ratio_reason", DatumView::Word("warming".to_owned())),
    ];
    EventView {
        alert_id: format!("0f8fad5b-d9cb-569f-a165-{n:012x}"),
        revision: 1,
        event_type: pattern,
        pattern_type: pattern,
        trigger: (pattern == Pattern::LiquidationCascade).then_some(Trigger::Burst),
        source: pattern.source(),
        experimental: pattern.is_experimental(),
        change: AlertChange::Opened,
        state: AlertState::Open,
        timestamp: at,
        known_at: at + Span::millis(200),
        symbol: barograph_api::alias::markets::pair_of(&instrument),
        instrument,
        asset_pair: None,
        severity,
        risk_level: severity.risk_level(),
        anomaly_score: 63.2,
        title: "Burst of liquidations".to_owned(),
        description: "7 liquidations within 60 s (threshold 5).".to_owned(),
        explanation: "7 liquidations within 60 s (threshold 5).".to_owned(),
        new_entries: "smaller size, wider stop or wait".to_owned(),
        open_positions: "review, reduce or trail stop".to_owned(),
        clears: "It would clear if it fell.".to_owned(),
        rule: None,
        opened_at: at,
        last_seen_at: at,
        closed_at: None,
        inhibited_by: None,
        data: data.map(|(n, d)| (n.to_owned(), d)).into_iter().collect(),
        moment: None,
        evidence: EvidenceView {
            window: EvidenceWindow { from: at - Span::mins(1), to: at },
            statistics: vec![statistic],
            base_rate: BaseRateView {
                per_day_30d: None,
                fired_30d: 1,
                fired_90d: 2,
                known_days: 0.5,
                known_days_30d: 0.5,
                held_share_90d: None,
            },
            limits: vec!["The venue shows only part of its liquidations.".to_owned()],
            similar: None,
            similar_reason: EvidenceView::ASK_BY_ID,
            outcome: None,
        },
        logic_version: "v0.1.0+0123456789ab".to_owned(),
    }
}

/// Two cascades with more to them: one that grew and was over four minutes later, and the newest one, which goes on.
pub(crate) const OVER: usize = 8;
/// See [`OVER`].
pub(crate) const GOES_ON: usize = 36;

/// The same with more liquidated, at a later moment of its life.
fn later(n: usize, change: AlertChange, minutes: i64, usd: f64) -> EventView {
    let mut event = event(n);
    let after = Span::mins(minutes);
    (event.change, event.revision) = (change, event.revision + u32::try_from(minutes).unwrap());
    (event.timestamp, event.known_at) = (event.timestamp + after, event.known_at + after);
    if change == AlertChange::Closed {
        (event.state, event.closed_at) = (AlertState::Closed, Some(event.timestamp));
    }
    event.data.insert("total_liquidated_usd".to_owned(), DatumView::Number(usd));
    event.description = format!("{usd} USD.");
    event
}

/// What the newest cascade has come to since it was reported.
pub(crate) fn grown(as_of: Option<Ts>) -> Option<EventView> {
    let known = as_of.is_none_or(|t| event(GOES_ON).known_at <= t);
    known.then(|| EventView { revision: 1, ..later(GOES_ON, AlertChange::Opened, 0, 9.5) })
}

/// With what followed it, in every shape that may have, and an episode like it.
pub(crate) fn detailed(event: EventView) -> EventView {
    let span = |horizon, max_move: Option<f64>, reason| AlertOutcomeSpan {
        horizon,
        max_move,
        max_move_atr: max_move.map(|m| m.abs() * 40.0),
        vol_change: max_move.map(|_| 0.12),
        reason,
    };
    let outcome = AlertOutcome {
        from: event.opened_at,
        price: Some(64_000.0),
        atr: Some(1_600.0),
        spans: vec![span("5m", Some(-0.012), None), span("1h", None, Some("gap")), span("4h", None, Some("not_over"))],
        liquidated_usd_1h: None,
        liquidated_usd_1h_reason: Some("not_offered"),
    };
    let similar = SimilarAlert {
        alert_id: "0f8fad5b-d9cb-569f-a165-70867728950e".to_owned(),
        opened_at: event.opened_at - Span::days(3),
        closed_at: None,
        severity: Severity::High,
        anomaly_score: 71.0,
        distance: Some(0.2),
        outcome: AlertOutcome { liquidated_usd_1h: Some(2.5e6), liquidated_usd_1h_reason: None, ..outcome.clone() },
    };
    let evidence = EvidenceView {
        similar: Some(vec![similar]),
        similar_reason: None,
        outcome: Some(outcome),
        ..event.evidence.clone()
    };
    EventView { evidence, ..event }
}

/// All of them that were known.
pub(crate) fn events(as_of: Option<Ts>) -> Vec<EventView> {
    let mut all: Vec<EventView> = (0..40).map(event).collect();
    all.extend([later(OVER, AlertChange::Updated, 1, 1.5), later(OVER, AlertChange::Closed, 4, 4.5)]);
    all.sort_by_key(|e| e.known_at);
    all.retain(|e| as_of.is_none_or(|t| e.known_at <= t));
    all
}

/// A market checked at its newest minute, with every field filled.
pub(crate) fn checked(newest: &Snapshot) -> AnalysisView {
    let open = event(0);
    let burden = |closed| AlertBurden::new((open.pattern_type, open.trigger), Severity::High, 65.0, closed);
    let check = |state, statistics: &[Statistic]| PatternCheck {
        pattern: open.pattern_type,
        trigger: open.trigger,
        state,
        score: (state == PatternState::Open).then_some(65.0),
        window_s: (!statistics.is_empty()).then_some(60),
        statistics: statistics.to_vec(),
    };
    let source = |source: Option<&str>| SourceView {
        metric: "bar",
        source: source.map(str::to_owned),
        age_s: source.map(|_| 30),
        max_age_s: source.map(|_| 300),
        stale: false,
        gap: source.map(|_| "disconnected"),
        valid_share_60m: source.map(|_| 0.98),
    };
    AnalysisView {
        symbol: barograph_api::alias::markets::pair_of(&newest.instrument),
        instrument: newest.instrument.clone(),
        timestamp: newest.timestamp,
        recorded_until: None,
        headline: newest.headline.clone(),
        price: newest.price,
        health: HealthScore::of(
            newest.timestamp,
            vec![burden(None), burden(Some(Span::hours(1)))],
            vec![ValidShare { metric: "bar", source: "binance-usdm".to_owned(), share: 0.98 }],
            &[],
            &[],
        ),
        patterns_judged: 1,
        patterns: vec![
            check(PatternState::Open, &open.evidence.statistics),
            check(PatternState::NotOffered, &open.evidence.statistics),
            check(PatternState::AlertsOnly, &[]),
        ],
        alerts: vec![open],
        sources: vec![source(Some("binance-usdm")), source(None)],
        logic_version: newest.logic_version.clone(),
    }
}

/// The window applied to rows in order.
pub(crate) fn page<T>(rows: impl Iterator<Item = (Ts, T)>, w: &SeriesWindow) -> Page<T> {
    let inside = |t: Ts| w.start.is_none_or(|s| s <= t) && w.end.is_none_or(|e| t < e);
    let dense = |t: Ts| w.every.is_none_or(|e| t.floor(e) == t);
    let mut items: Vec<T> =
        rows.filter(|(t, _)| inside(*t) && dense(*t)).map(|(_, row)| row).skip(w.skip).take(w.limit + 1).collect();
    let more = items.len() > w.limit;
    items.truncate(w.limit);
    Page { items, more }
}
