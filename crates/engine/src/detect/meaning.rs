//! What an alert means for new entries and for positions already held, and what would clear it (C08; regimes §8, surveillance §4).
//!
//! Guidance is that of the labels, in the words of one table; never a side, never an order. What would clear it follows from the
//! statistic that decides and the band that keeps an episode open.

use super::table::DETECTORS;
use crate::explain::{Moment, significant};
use barograph_domain::alert::{Change, Statistic};
use barograph_domain::guidance::{new_entries, open_positions};
use barograph_domain::{Alert, Label as _, Pattern, Posture, RiskRegime, Severity, Span, Trigger, VolRegime};

/// Guidance about one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meaning {
    /// For entries not yet made.
    pub new_entries: &'static str,
    /// For positions already held.
    pub open_positions: &'static str,
    /// What would clear it, as a sentence; what cleared it, where it is over.
    pub clears: String,
}

/// Of one record. `keep` is the part of the threshold above which an episode goes on.
#[must_use]
pub fn meaning(alert: &Alert, keep: f64) -> Meaning {
    meaning_at(alert, keep, None)
}

/// The same; of a changed label what would end it follows from its minute.
#[must_use]
pub fn meaning_at(alert: &Alert, keep: f64, moment: Option<&Moment>) -> Meaning {
    let label = stands_for(alert);
    Meaning {
        new_entries: new_entries(label, Posture::Normal),
        open_positions: open_positions(label),
        clears: moment.map_or_else(|| clears(alert, keep), |m| m.clears.clone()),
    }
}

/// The risk label whose guidance fits.
fn stands_for(alert: &Alert) -> RiskRegime {
    if matches!(alert.change, Change::Closed) {
        return RiskRegime::Normal;
    }
    match alert.pattern {
        Pattern::RegimeChange if alert.trigger == Some(Trigger::Risk) => {
            alert.word("to").and_then(RiskRegime::of_word).unwrap_or(RiskRegime::Unknown)
        }
        Pattern::VolatilityRegimeChange => match alert.word("to").and_then(VolRegime::of_word) {
            Some(VolRegime::Stable) => RiskRegime::Normal,
            Some(VolRegime::HighVol) => RiskRegime::ChopRisk,
            Some(VolRegime::Explosive | VolRegime::Extreme) => RiskRegime::HighVol,
            Some(VolRegime::Unknown) | None => RiskRegime::Unknown,
        },
        Pattern::DataGap | Pattern::FeedStale => RiskRegime::Unknown,
        Pattern::LiquidationCascade | Pattern::FundingManipulation | Pattern::BasisManipulation => {
            RiskRegime::SqueezeRisk
        }
        Pattern::FundingAnomaly
        | Pattern::FundingReversal
        | Pattern::FundingFarming
        | Pattern::ForcedLiquidations
        | Pattern::PremiumDeviation
        | Pattern::PositionConcentration
        | Pattern::CorrelationBreak
        | Pattern::AlertRule => {
            if alert.severity >= Severity::High {
                RiskRegime::SqueezeRisk
            } else {
                RiskRegime::ChopRisk
            }
        }
        Pattern::RegimeChange | Pattern::RegimeConfirmed | Pattern::SessionChanged => RiskRegime::Normal,
    }
}

fn clears(alert: &Alert, keep: f64) -> String {
    if alert.change == Change::Closed {
        return "It has ended.".to_owned();
    }
    if alert.rule.is_some() {
        return "It would clear when its condition no longer holds at its exit thresholds.".to_owned();
    }
    match alert.pattern {
        Pattern::RegimeChange | Pattern::VolatilityRegimeChange => {
            let axis = alert.trigger.map_or("", Trigger::name);
            format!("It stands until the {axis} label changes again.")
        }
        Pattern::RegimeConfirmed => "It stands while the timeframes agree.".to_owned(),
        Pattern::SessionChanged => "It stands until the next session begins.".to_owned(),
        Pattern::DataGap => "It clears when every stream that the rules read is back.".to_owned(),
        Pattern::FeedStale => "It clears when the input updates again.".to_owned(),
        Pattern::CorrelationBreak => "It clears when the correlation is back within its band.".to_owned(),
        Pattern::FundingManipulation
        | Pattern::FundingAnomaly
        | Pattern::FundingReversal
        | Pattern::FundingFarming
        | Pattern::LiquidationCascade
        | Pattern::ForcedLiquidations
        | Pattern::BasisManipulation
        | Pattern::PremiumDeviation
        | Pattern::PositionConcentration
        | Pattern::AlertRule => below(alert, keep),
    }
}

/// "It would clear if funding's distance from its mean fell below 2.7σ and stayed there for 5 min."
fn below(alert: &Alert, keep: f64) -> String {
    if alert.pattern == Pattern::PositionConcentration && super::explain::is_proxy(alert) {
        let limit = alert.statistics.first().map_or(0.0, |s| super::fact::larger_side(keep * s.threshold));
        return format!(
            "It would clear if the larger side fell below {:.0} % and stayed there for 5 min.",
            100.0 * limit
        );
    }
    let Some(statistic) = alert.statistics.iter().find(|s| s.decides).or_else(|| alert.statistics.first()) else {
        return "It would clear when the pattern no longer holds.".to_owned();
    };
    let limit = significant(keep * statistic.threshold, &statistic.unit);
    let clear = DETECTORS
        .iter()
        .find(|d| d.pattern == alert.pattern && d.trigger == alert.trigger)
        .map_or(Span::mins(5), |d| d.clear);
    format!("It would clear if {} fell below {limit} and stayed there for {}.", spoken(statistic), clear.spoken())
}

/// A statistic in words.
fn spoken(statistic: &Statistic) -> &str {
    match statistic.name.as_ref() {
        "funding_zscore_24h" => "funding's distance from its mean",
        "funding_change_8h" => "the change of funding in 8 h",
        "funding_farming_share" => "the share of one-way funding blocks",
        "liq_count_60s" => "the number of liquidations within 60 s",
        "liq_velocity_4h" => "what is liquidated an hour",
        "liq_side_share_1h" => "the share of the larger side",
        "basis" => "the distance of futures from spot",
        "premium" => "the distance of the mark from the index",
        "position_concentration" => "the share of the largest tier",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::alert::{AlertState, BaseRate, Datum, Word};
    use barograph_domain::{Kind, Ts};

    fn alert(pattern: Pattern, trigger: Option<Trigger>, change: Change) -> Alert {
        let statistic = Statistic {
            name: Word::from("funding_zscore_24h"),
            value: Some(3.4),
            reason: None,
            threshold: 3.0,
            u: Some(3.4 / 3.0),
            unit: Word::from("σ"),
            kind: Kind::Measured,
            coverage: 1.0,
            decides: true,
            uncalibrated: false,
        };
        Alert {
            pattern,
            trigger,
            change,
            state: AlertState::Open,
            revision: 1,
            ts: Ts(0),
            severity: Severity::High,
            score: 70.0,
            opened_at: Ts(0),
            last_seen_at: Ts(0),
            closed_at: None,
            window_from: Ts(0),
            statistics: vec![statistic],
            data: vec![(Word::from("to"), Datum::Word(Word::from("SQUEEZE_RISK")))],
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: None,
        }
    }

    #[test]
    fn guidance_follows_the_label_and_clearing_the_statistic_that_decides() {
        let told = meaning(&alert(Pattern::FundingManipulation, None, Change::Opened), 0.9);
        assert_eq!(told.new_entries, "smaller size, wider stop or wait");
        assert_eq!(told.open_positions, "review, reduce or trail stop");
        assert_eq!(
            told.clears,
            "It would clear if funding's distance from its mean fell below 2.7σ and stayed there for 5 min."
        );
        let over = meaning(&alert(Pattern::FundingManipulation, None, Change::Closed), 0.9);
        assert_eq!((over.new_entries, over.clears.as_str()), ("follow own rules", "It has ended."));
        let label = meaning(&alert(Pattern::RegimeChange, Some(Trigger::Risk), Change::Happened), 0.9);
        assert_eq!(label.new_entries, "smaller size, wider stop or wait");
        assert!(label.clears.contains("risk label"), "{}", label.clears);
        let lost = meaning(&alert(Pattern::DataGap, None, Change::Opened), 0.9);
        assert_eq!((lost.new_entries, lost.open_positions), ("data incomplete: wait", "keep"));
    }

    #[test]
    fn every_pattern_has_its_words() {
        for pattern in Pattern::ALL {
            for change in Change::ALL {
                let told = meaning(&alert(*pattern, None, change), 0.9);
                assert!(told.clears.ends_with('.') && !told.new_entries.is_empty(), "{pattern:?} {change:?}");
            }
        }
    }
}
