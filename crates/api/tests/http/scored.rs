//! A ledger of ninety forecasts and what they are worth, with every field filled once.

use super::world::{World, minute, name};
use barograph_api::agent_sessions::{SessionCase, SessionForecast};
use barograph_api::{AskScores, DriftFilter, ForecastFilter, ForecastView, Page, QueryError, ScorecardFilter};
use barograph_domain::drift::DriftReport;
use barograph_domain::forecast::{
    CalibrationScope, ForecastEvent, Forecaster, Issue, LedgerTick, Resolution, Stated, WindowOutcome,
};
use barograph_domain::scorecard::{Scorecard, SkillVerdict};
use barograph_domain::{Span, Ts};
use serde_json::json;
use std::sync::Arc;

/// Ticks with forecasts; each has one of three events.
const TICKS: i64 = 30;

fn issued() -> impl Iterator<Item = ForecastView> {
    let market = name("binance-usdm:BTCUSDT");
    (0..TICKS).flat_map(move |n| {
        let tick = LedgerTick { ts: minute(5 * n), markets: vec![market.clone()].into(), ..LedgerTick::default() };
        let events = [ForecastEvent::HighVol1h, ForecastEvent::Calm4h, ForecastEvent::VolClass24h];
        events.map(|event| {
            let issue = Issue {
                event,
                market: 0,
                subject: None,
                forecaster: Forecaster::Rules,
                resolve_after: tick.ts + Span::hours(1),
                label: 1,
                raw_label: 1,
                state: Some(1),
                stated: match event {
                    ForecastEvent::VolClass24h => Stated::Classes([0.25; 4]),
                    _ => Stated::Probability(0.5),
                },
                scope: Some(CalibrationScope::Group),
                cases: 500,
                separate: 40,
                input_digest: 7,
            };
            let mut view = ForecastView::of(&tick, &issue, &market, "v1");
            let outcome =
                if event == ForecastEvent::VolClass24h { WindowOutcome::Class(2) } else { WindowOutcome::Happened };
            let (subject, evidence) = (None, [Some(0.9), None]);
            let resolution = Resolution { event, market: 0, subject, issued_ts: tick.ts, outcome, evidence };
            if n > 0 {
                view.resolve(issue.resolve_after, &resolution);
            }
            view
        })
    })
}

fn card(asked: &ScorecardFilter, newest: Ts) -> Scorecard {
    let skill = json!({"value": 0.041, "low": 0.012, "high": 0.07, "n": 900, "brier": 0.1, "reference_brier": 0.11});
    let of = |event: ForecastEvent, scope: &str, window: &str| {
        let verdict = match (event, window) {
            (ForecastEvent::HighVol1h, "all") => SkillVerdict::Skill,
            (ForecastEvent::HighVol1h, _) => SkillVerdict::BetterSoFar,
            _ => SkillVerdict::NoSkillShown,
        };
        json!({
            "event": event, "forecaster": asked.classifier.map_or("rules", Forecaster::id), "scope": scope, "window": window, "span": [newest, newest],
            "denominators": {"asked": 1_000, "issued": 990, "not_issued": {"stale": 10}, "waiting": 5, "void": 1, "unresolvable": 2,
                "resolved": 982, "abstained": {"too_few_cases": 82}, "scored": 900, "revised": 2},
            "n_eff": 75, "base_rate": 0.1, "score": 0.09, "climatology": skill, "persistence": skill, "verdict": verdict,
            "persistence_hard_brier": 0.12,
            "parts": {"rel": 0.01, "res": 0.02, "unc": 0.09, "wbv": 0.001, "wbc": 0.001, "mcb": 0.01, "dsc": 0.02},
            "ece": 0.03, "log_score": 0.3, "clipped": 0, "auc": 0.7, "sharpness": 0.02,
            "reliability": [{"stated": 0.05, "observed": 0.04, "n": 800, "n_eff": 60, "low": 0.02, "high": 0.09}],
            "curve": [{"from": 0.01, "upto": 0.2, "calibrated": 0.05, "n": 850}],
            "label": {"hits": 40, "false_alarms": 50, "misses": 50, "correct_negatives": 760, "pod": 0.44, "far": 0.55, "pofd": 0.06,
                "csi": 0.28, "hk": 0.38},
            "sequence": {"n": 75, "mean": 0.01, "low": -0.02, "high": 0.04, "activated_at": newest},
            "timeline": [{"month": newest, "n": 900, "brier": 0.09, "skill_climatology": 0.1, "skill_persistence": 0.04}],
            "largest_share": 0.6,
        })
    };
    let events = if asked.events.is_empty() { ForecastEvent::ALL.to_vec() } else { asked.events.clone() };
    let scopes = if asked.scopes.is_empty() { vec!["all".to_owned()] } else { asked.scopes.clone() };
    let mut rows = Vec::new();
    for event in events {
        for scope in &scopes {
            rows.extend(asked.windows.iter().map(|window| of(event, scope, window)));
        }
    }
    let all = json!({
        "logic_version": "v1", "book": "default", "span": [newest, newest], "markets": ["binance-usdm:BTCUSDT"], "seed": 7,
        "rows": rows,
        "alerts": [{"alert": "HIGH_VOL", "pattern": null, "event": "hv_1h", "scope": "all", "window": "all",
            "alerts": 21, "n": 20, "hits": 9, "precision": 0.45,
            "precision_band": [0.3, 0.6], "events": 12, "recall": 0.5, "recall_band": [0.3, 0.7], "lead_min": [25.0, 5.0, 55.0],
            "days": 52.5, "per_day": 0.4, "dup_rate": 0.1, "lift": 4.5, "lift_low": 3.0}],
        "stability": [{"axis": "risk", "scope": "all", "window": "all", "days": 30.0, "flip_rate": 1.5, "raw_flip_rate": 4.0, "flip_flop": 0.2,
            "short_episodes": 0.1, "episode_h": [3.0, 12.0]}],
        "heads": [{"day": newest, "event": "hv_1h", "rows": 288, "head": "00ff"}],
    });
    serde_json::from_value(all).unwrap()
}

impl AskScores for World {
    fn session_cases(
        &self,
        session: &str,
        stated: &[SessionForecast],
        _as_of: Option<Ts>,
    ) -> Result<Vec<SessionCase>, QueryError> {
        let case = |one| SessionCase { view: ForecastView::of_session(session, one, None, "v1"), case: None };
        Ok(stated.iter().map(case).collect())
    }

    fn scorecard_kept(&self, asked: &ScorecardFilter) -> Result<Option<Arc<Scorecard>>, QueryError> {
        self.disk()?;
        match asked.as_of.filter(|t| *t < minute(0)) {
            Some(_) => Err(QueryError::NoForecasts { as_of: asked.as_of }),
            None if asked.as_of.is_some() => Ok(None),
            None => Ok(Some(Arc::new(card(asked, minute(5 * (TICKS - 1)))))),
        }
    }

    fn scorecard(&self, asked: &ScorecardFilter) -> Result<Arc<Scorecard>, QueryError> {
        self.disk()?;
        self.computes();
        match asked.as_of.filter(|t| *t < minute(0)) {
            Some(_) => Err(QueryError::NoForecasts { as_of: asked.as_of }),
            None => Ok(Arc::new(card(asked, minute(5 * (TICKS - 1))))),
        }
    }

    fn drift(&self, asked: &DriftFilter) -> Result<DriftReport, QueryError> {
        self.disk()?;
        if asked.as_of.is_some_and(|t| t < minute(0)) {
            return Err(QueryError::NoForecasts { as_of: asked.as_of });
        }
        let (newest, market) = (minute(5 * (TICKS - 1)), "binance-usdm:BTCUSDT");
        let week = serde_json::json!({"week_ended": newest, "psi": 1.25, "word": "changed"});
        let past = vec![week; usize::try_from(asked.weeks).unwrap()];
        let all = serde_json::json!({
            "logic_version": "v1", "book": "default", "newest": newest,
            "readings": [{"market": market, "feature": "realized_vol_24h", "week_ended": newest, "psi": 1.25, "by_chance": 0.005,
                "n": 2016, "reference_n": 26208, "weeks": 104, "p80": 0.6, "p95": 1.1, "word": "changed", "past": past}],
            "skills": [{"event": "hv_1h", "group": "btc", "stated": newest, "skill": 0.1, "low": 0.02, "high": 0.2, "n": 8640,
                "n_eff": 720, "verdict": "skill"}],
        });
        Ok(serde_json::from_value(all).unwrap())
    }

    fn forecasts(&self, asked: &ForecastFilter) -> Result<Page<ForecastView>, QueryError> {
        self.disk()?;
        let inside = |t: Ts| asked.from.is_none_or(|s| s <= t) && asked.to.is_none_or(|e| t < e);
        let known = |v: &ForecastView| asked.events.is_empty() || asked.events.iter().any(|e| e.id() == v.event_id);
        let of = |v: &ForecastView| asked.classifier.is_none_or(|c| c.id() == v.classifier_id);
        let mut items: Vec<ForecastView> = issued().filter(|v| inside(v.issued_ts) && known(v) && of(v)).collect();
        items.truncate(items.len().saturating_sub(asked.skip));
        let more = items.len() > asked.limit;
        items.drain(..items.len().saturating_sub(asked.limit));
        Ok(Page { items, more })
    }
}
