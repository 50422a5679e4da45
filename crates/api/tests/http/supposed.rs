//! What the small world answers about a changed rule book and about decisions on paper: one threshold, counts of one market and
//! day, a week of one decision.
//!
//! Whether such counts are right is asked elsewhere (`barograph_query`); here they only have to come through unchanged.

use super::world::{START, World};
use barograph_api::{AskMarkets as _, AskPaper, AskWhatIf, QueryError};
use barograph_domain::advice::Verdict;
use barograph_domain::paper::{
    ConfidenceReview, GroupOutcome, ListedTrade, PaperEnd, PaperReview, PaperView, PaperWeek,
};
use barograph_domain::scorecard::SkillReading;
use barograph_domain::whatif::{
    BeforeAfter, BookThresholds, ForecastWhatIf, HitRates, KeptBook, NewBook, SignalForecast, SignalMinutes,
    SignalWhatIf, ThresholdView, WhatIfCounts, WhatIfRequest, WhatIfView,
};
use barograph_domain::{InstrumentName, Side, Ts};

impl AskWhatIf for World {
    fn thresholds(&self, base: Option<&str>) -> Result<BookThresholds, QueryError> {
        let item = ThresholdView {
            name: "HIGH_VOL.realized_vol_1h".to_owned(),
            axis: "risk".to_owned(),
            rule: "HIGH_VOL".to_owned(),
            feature: "realized_vol_1h".to_owned(),
            spoken: "1 h volatility".to_owned(),
            unit: "fraction".to_owned(),
            abs: false,
            op: ">".to_owned(),
            value: 0.8,
            exit: 0.48,
            scale: None,
            label: Some("HIGH_VOL".to_owned()),
            text: "Extreme volatility".to_owned(),
            meaning: "1 h volatility has to be above this.".to_owned(),
            low: 0.0,
            high: 2.4,
            step: 0.02,
            refused: None,
        };
        Ok(BookThresholds {
            book: base.unwrap_or("default").to_owned(),
            items: vec![item],
            shipped: vec!["default".to_owned()],
            left_out: vec!["[detectors]".to_owned()],
        })
    }
    fn keep_book(&self, new: &NewBook) -> Result<KeptBook, QueryError> {
        self.disk()?;
        if new.name == "there" && !new.replace {
            let (reason, hint) = ("there is a book 'there' already".to_owned(), "send replace: true".to_owned());
            return Err(QueryError::Conflict { reason, hint });
        }
        Ok(KeptBook {
            name: new.name.clone(),
            file: format!("/data/books/{}.toml", new.name),
            replaced: new.replace,
            usage: "Start with it.".to_owned(),
        })
    }
    fn what_if(&self, request: &WhatIfRequest) -> Result<WhatIfView, QueryError> {
        self.disk()?;
        self.computes();
        if request.set.len() > 256 {
            let (reason, hint) = ("257 changes are too many".to_owned(), "change fewer thresholds at once".to_owned());
            return Err(QueryError::TooMuch { reason, hint });
        }
        if let Some(wrong) = request.set.iter().find(|s| !s.contains('=')) {
            let reason = format!("'{wrong}' names no number");
            return Err(QueryError::BadField { field: "set".to_owned(), value: wrong.clone(), reason });
        }
        let all = WhatIfCounts {
            market_days: 1.0,
            alerts_per_day: BeforeAfter { before: Some(2.0), after: None },
            axes: Vec::new(),
            rules: Vec::new(),
            forecasts: vec![forecast()],
            minutes_not_as_published: Some(0),
        };
        Ok(WhatIfView {
            base: "default".to_owned(),
            changed: "default".to_owned(),
            changes: Vec::new(),
            from: START,
            to: self.now(),
            all,
            markets: Vec::new(),
            left_out: Vec::new(),
            budget: None,
            tuned: None,
            signals: request.when.as_deref().map(supposed),
            text: request.book.clone().unwrap_or_default(),
        })
    }
}

fn supposed(when: &str) -> SignalWhatIf {
    let ForecastWhatIf { event, horizon_min, base_rate, before, .. } = forecast();
    SignalWhatIf {
        when: when.to_owned(),
        market_days: 1.0,
        entries_per_day: Some(3.0),
        share: Some(0.25),
        known_share: None,
        forecasts: vec![SignalForecast { event, horizon_min, base_rate, hits: before }],
        used: vec![SignalMinutes {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").expect("a name of a market"),
            name: "x.desk_flow".to_owned(),
            scope: "*".to_owned(),
            source: "desk".to_owned(),
            within_s: 7_200,
            stated: 2,
            assumed: 0,
            revisions: 3,
            minutes: 60,
            digest: "0".repeat(64),
        }],
    }
}

fn forecast() -> ForecastWhatIf {
    let skill =
        SkillReading { value: Some(-0.1), low: None, high: None, n: 7, brier: Some(0.2), reference_brier: Some(0.18) };
    let of = HitRates {
        alerts: 2,
        resolved: 2,
        precision: Some(0.5),
        precision_low: Some(0.1),
        precision_high: Some(0.9),
        lift: None,
        events: 1,
        recall: Some(1.0),
        in_force_at_onset: Some(0.0),
        median_lead_min: Some(5),
        skill,
    };
    ForecastWhatIf {
        event: "hv_1h".to_owned(),
        label: "HIGH_VOL".to_owned(),
        horizon_min: 60,
        base_rate: Some(0.2),
        before: of.clone(),
        after: of,
    }
}

/// A week of one decision, with every number once.
impl AskPaper for World {
    fn paper(&self, week: Option<&str>, as_of: Option<Ts>) -> Result<PaperView, QueryError> {
        self.disk()?;
        if as_of.is_some_and(|t| t < START) {
            return Ok(PaperView {
                weeks: vec![],
                review: None,
                decisions: vec![],
                more: 0,
                started_at: None,
                strategy: None,
            });
        }
        let group =
            GroupOutcome { decisions: 1, resolved: 1, win_rate_band: Some((0.2, 1.0)), ..GroupOutcome::default() };
        let trade = ListedTrade {
            id: "binance-usdm:ETHUSDT 2026-02-05T00:15:00Z long".to_owned(),
            market: "binance-usdm:ETHUSDT".to_owned(),
            strategy: "volume_vwap".to_owned(),
            readings: [("volume_ratio".to_owned(), 2.5)].into(),
            bar_close: START,
            side: Side::Long,
            entry: 2_000.0,
            verdict: Verdict::Caution,
            reasons: vec!["squeeze_risk".to_owned()],
            taken: true,
            skipped: None,
            confidence: None,
            end: PaperEnd::Target,
            ended_at: Some(START),
            r_after_costs: Some(1.1),
            plain_r_after_costs: Some(-1.1),
        };
        let week = week.unwrap_or("2026-W06").to_owned();
        let review = PaperReview {
            week: week.clone(),
            from: START,
            until: self.now(),
            by_strategy: [("volume_vwap".to_owned(), 1)].into(),
            all: group.clone(),
            taken: group.clone(),
            skipped: GroupOutcome::default(),
            by_verdict: [("CAUTION", group.clone())].into(),
            confidence: ConfidenceReview {
                above_07: GroupOutcome::default(),
                between: GroupOutcome::default(),
                below_04: GroupOutcome::default(),
                null: group,
                gap: None,
                gap_missing: Some("too few"),
            },
            low_confidence: vec![trade.clone()],
            not_made: [("stale".to_owned(), 2)].into(),
            best: vec![trade.clone()],
            worst: vec![],
        };
        Ok(PaperView {
            weeks: vec![PaperWeek { week, from: START, decisions: 1 }],
            review: Some(review),
            decisions: vec![trade],
            more: 0,
            started_at: Some(START),
            strategy: Some("volume_vwap".to_owned()),
        })
    }
}
