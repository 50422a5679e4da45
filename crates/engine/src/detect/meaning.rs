//! What an alert means for new entries and for positions already held, and what would clear it (C08; regimes §8, surveillance §4).
//!
//! Guidance is that of the market at the alert's minute, by the book's posture table; a detector that asks for more is followed.
//! Where the minute is not at hand only what is true of the alert alone is said, and never that nothing is to be done: the market
//! may be at its extremes otherwise. Never a side, never an order. What would clear it follows from the statistic that decides
//! and the band that keeps an episode open.

use super::table::DETECTORS;
use super::words::{self, is_proxy};
use crate::explain::guidance::mapping;
use crate::explain::{Minute, significant};
use barograph_domain::alert::AlertChange;
use barograph_domain::guidance::{new_entries, open_positions};
use barograph_domain::{Alert, Axis, Label as _, Posture, RiskRegime, Span};

/// Said where the alert alone asks for nothing and its minute is not at hand.
pub const AS_LABELLED: &str = "as the market's labels say";

/// What ends an episode of order flow: several numbers decide, and no one of them has a limit that is worth saying.
pub(super) const WHEN_CALM: &str = "It would clear after 5 min without it.";

/// Guidance about one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meaning {
    /// For entries not yet made.
    pub new_entries: String,
    /// For positions already held.
    pub open_positions: String,
    /// What would clear it, as a sentence; what cleared it, where it is over.
    pub clears: String,
}

/// Of one record. `keep` is the part of the threshold above which an episode goes on.
#[must_use]
pub fn meaning(alert: &Alert, keep: f64) -> Meaning {
    meaning_at(alert, keep, None)
}

/// The same with its minute: what that asks for, and what would end a changed label.
#[must_use]
pub fn meaning_at(alert: &Alert, keep: f64, minute: Option<&Minute>) -> Meaning {
    let label = minute.and_then(|m| m.label.as_ref()).filter(|label| label.told);
    let clears = label.map_or_else(|| clears(alert, keep), |m| m.clears.clone());
    let own = own(alert, minute);
    let (new_entries, open_positions) = match (minute, own) {
        (Some(minute), Some(own)) if is_stricter(&own, minute) => own.words(),
        (Some(Minute { care, .. }), _) => (care.new_entries.clone(), care.open_positions.clone()),
        (None, Some(own)) => own.words(),
        (None, None) => (AS_LABELLED.to_owned(), AS_LABELLED.to_owned()),
    };
    Meaning { new_entries, open_positions, clears }
}

/// What an alert asks for by itself.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    posture: Posture,
    new_entries: &'a str,
    open_positions: &'a str,
}

impl<'a> Asked<'a> {
    /// As the row of the book's posture table does; what it has no words for is the market's. One of posture NORMAL asks for
    /// nothing, nor does a label without a row.
    fn of_row(minute: &'a Minute) -> Option<Self> {
        let row = minute.told.as_ref().filter(|row| row.posture < Posture::Normal)?;
        let said = |own: &'a str, market: &'a str| if own.is_empty() { market } else { own };
        Some(Self {
            posture: row.posture,
            new_entries: said(&row.new_entries, &minute.care.new_entries),
            open_positions: said(&row.open_positions, &minute.care.open_positions),
        })
    }
    fn words(&self) -> (String, String) {
        (self.new_entries.to_owned(), self.open_positions.to_owned())
    }
    /// As this risk label does; NORMAL asks for nothing.
    fn of_risk(label: RiskRegime) -> Option<Self> {
        let (_, posture) = mapping(label);
        (label != RiskRegime::Normal).then(|| Self {
            posture,
            new_entries: new_entries(label, posture),
            open_positions: open_positions(label),
        })
    }
}

/// Does the alert ask for more than its minute? A table weighs the labels of the minute itself; a book without one knows the
/// risk label alone.
fn is_stricter(own: &Asked<'_>, minute: &Minute) -> bool {
    let care = &minute.care;
    let explained = minute.label.as_ref().is_some_and(|label| label.told);
    if care.by_table { !explained && own.posture < care.posture } else { own.posture <= care.posture }
}

/// `None` where it asks for nothing by itself: it is over, or nothing to be careful about. Of trend and heat the book's table
/// speaks; a volatility class has the words of the risk it stands for, which are those of every book.
fn own<'a>(alert: &Alert, minute: Option<&'a Minute>) -> Option<Asked<'a>> {
    if alert.change == AlertChange::Closed {
        return None;
    }
    match (alert.axis(), minute) {
        (Some(Axis::Trend | Axis::Heat), Some(minute)) if minute.care.by_table => Asked::of_row(minute),
        (Some(axis), _) => of_label(axis, alert.label_entered().unwrap_or("UNKNOWN")),
        (None, _) => Asked::of_risk((words::of(alert).risk)(alert.severity)),
    }
}

fn of_label(axis: Axis, label: &str) -> Option<Asked<'static>> {
    let risk = match (axis, label) {
        (Axis::Risk, label) => RiskRegime::of_word(label).unwrap_or(RiskRegime::Unknown),
        (Axis::Volatility, "EXPLOSIVE" | "EXTREME") => RiskRegime::HighVol,
        (Axis::Volatility, "UNKNOWN") => RiskRegime::Unknown,
        (Axis::Trend, "STRONG_UPTREND" | "STRONG_DOWNTREND") => {
            return Some(Asked {
                posture: Posture::Hold,
                new_entries: "against the move: wait",
                open_positions: "positions against the move: review or reduce",
            });
        }
        (Axis::Heat, "SUPER_HOT") => {
            return Some(Asked { posture: Posture::Hold, new_entries: "no chasing", open_positions: "trail stop" });
        }
        // HIGH_VOL is a volatility class of every day.
        (Axis::Volatility | Axis::Trend | Axis::Heat, _) => RiskRegime::Normal,
    };
    Asked::of_risk(risk)
}

fn clears(alert: &Alert, keep: f64) -> String {
    if alert.change == AlertChange::Closed {
        "It has ended.".to_owned()
    } else {
        (words::of_speaker(alert).clears)(alert, keep)
    }
}

/// "It would clear if funding's distance from its mean fell below 2.7σ and stayed there for 5 min."
pub(super) fn below(alert: &Alert, keep: f64) -> String {
    let Some(statistic) = alert.statistics.iter().find(|s| s.decides).or_else(|| alert.statistics.first()) else {
        return "It would clear when the pattern no longer holds.".to_owned();
    };
    calm(alert, words::of(alert).measure, &significant(keep * statistic.threshold, &statistic.unit))
}

/// The same of positions; of the split of the top traders' that stands in for tiers, in its own words.
pub(super) fn of_concentration(alert: &Alert, keep: f64) -> String {
    if !is_proxy(alert) {
        return below(alert, keep);
    }
    let limit = alert.statistics.first().map_or(0.0, |s| super::fact::larger_side(keep * s.threshold));
    calm(alert, "the larger side", &format!("{:.0} %", 100.0 * limit))
}

fn calm(alert: &Alert, measure: &str, limit: &str) -> String {
    let detector = DETECTORS.iter().find(|d| d.pattern == alert.pattern && d.trigger == alert.trigger);
    let clear = detector.map_or(Span::mins(5), |d| d.clear).spoken();
    format!("It would clear if {measure} fell below {limit} and stayed there for {clear}.")
}

/// A record of a pattern, for tests.
#[cfg(test)]
pub(super) fn sample(
    pattern: barograph_domain::Pattern,
    trigger: Option<barograph_domain::Trigger>,
    change: AlertChange,
) -> Alert {
    use barograph_domain::Severity;
    use barograph_domain::alert::{AlertState, BaseRate, Datum, Statistic, Word};
    let statistic = Statistic {
        name: Word::from("funding_zscore_24h"),
        value: Some(3.4),
        reason: None,
        threshold: 3.0,
        u: Some(3.4 / 3.0),
        unit: Word::from("σ"),
        kind: barograph_domain::Kind::Measured,
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
        ts: barograph_domain::Ts(0),
        severity: Severity::High,
        score: 70.0,
        opened_at: barograph_domain::Ts(0),
        last_seen_at: barograph_domain::Ts(0),
        closed_at: None,
        window_from: barograph_domain::Ts(0),
        statistics: vec![statistic],
        data: vec![(Word::from("to"), Datum::Word(Word::from("SQUEEZE_RISK")))],
        base_rate: BaseRate::default(),
        inhibited_by: None,
        other: None,
        rule: None,
    }
}

#[cfg(test)]
mod tests {
    use super::sample as alert;
    use super::*;
    use crate::explain::{AxisMoment, Care};
    use barograph_domain::alert::{Datum, Word};
    use barograph_domain::{Pattern, Severity, Trigger};

    #[test]
    fn guidance_follows_the_label_and_clearing_the_statistic_that_decides() {
        let told = meaning(&alert(Pattern::FundingManipulation, None, AlertChange::Opened), 0.9);
        assert_eq!(told.new_entries, "smaller size, wider stop or wait");
        assert_eq!(told.open_positions, "review, reduce or trail stop");
        assert_eq!(
            told.clears,
            "It would clear if funding's distance from its mean fell below 2.7σ and stayed there for 5 min."
        );
        let over = meaning(&alert(Pattern::FundingManipulation, None, AlertChange::Closed), 0.9);
        assert_eq!((over.new_entries.as_str(), over.clears.as_str()), (AS_LABELLED, "It has ended."));
        let label = meaning(&alert(Pattern::RegimeChange, Some(Trigger::Risk), AlertChange::Happened), 0.9);
        assert_eq!(label.new_entries, "smaller size, wider stop or wait");
        assert!(label.clears.contains("risk label"), "{}", label.clears);
        let lost = meaning(&alert(Pattern::DataGap, None, AlertChange::Opened), 0.9);
        assert_eq!((lost.new_entries.as_str(), lost.open_positions.as_str()), ("data incomplete: wait", "keep"));
    }

    #[test]
    fn every_pattern_has_its_words() {
        for pattern in Pattern::ALL {
            for change in AlertChange::ALL {
                let told = meaning(&alert(*pattern, None, change), 0.9);
                assert!(told.clears.ends_with('.') && !told.new_entries.is_empty(), "{pattern:?} {change:?}");
                assert_ne!(told.open_positions, "no action needed", "{pattern:?} {change:?}");
            }
        }
    }

    #[test]
    fn an_alert_alone_never_says_that_nothing_is_to_be_done() {
        use Trigger::{Heat, Risk, Trend, Volatility};
        for (trigger, label, want) in [
            (Risk, "HIGH_VOL", "review, reduce or trail stop"),
            (Risk, "NORMAL", AS_LABELLED),
            (Volatility, "EXTREME", "review, reduce or trail stop"),
            // An everyday class.
            (Volatility, "HIGH_VOL", AS_LABELLED),
            (Volatility, "STABLE", AS_LABELLED),
            (Trend, "STRONG_DOWNTREND", "positions against the move: review or reduce"),
            (Trend, "SIDEWAYS", AS_LABELLED),
            (Heat, "SUPER_HOT", "trail stop"),
        ] {
            for (pattern, name) in [(Pattern::RegimeChange, "to"), (Pattern::RegimeConfirmed, "regime")] {
                let mut of = alert(pattern, Some(trigger), AlertChange::Happened);
                of.data = vec![(Word::from(name), Datum::Word(Word::from(label)))];
                assert_eq!(meaning(&of, 0.9).open_positions, want, "{pattern:?} {label}");
            }
        }
    }

    /// The stricter of the alert's own and the minute's; labels go by the table alone.
    #[test]
    fn an_alert_is_never_calmer_than_its_minute() {
        let care = |posture, by_table| Care {
            by_table,
            bias: barograph_domain::RiskBias::Neutral,
            posture,
            new_entries: format!("entries {}", posture.name()),
            open_positions: format!("held {}", posture.name()),
        };
        let told = |of: &Alert, posture, by_table| {
            // A label of this minute has been explained by it.
            let label = of.axis().map(|_| AxisMoment {
                told: true,
                price: None,
                side: None,
                why: String::new(),
                clears: String::new(),
                flip: None,
                exit: None,
                statistics: Vec::new(),
            });
            let minute = Minute { headline: String::new(), care: care(posture, by_table), label, told: None };
            meaning_at(of, 0.9, Some(&minute)).open_positions
        };
        let cascade = alert(Pattern::LiquidationCascade, None, AlertChange::Opened);
        let over = alert(Pattern::LiquidationCascade, None, AlertChange::Closed);
        let session = alert(Pattern::SessionChanged, None, AlertChange::Happened);
        let mut anomaly = alert(Pattern::FundingAnomaly, None, AlertChange::Opened);
        anomaly.severity = Severity::Low;
        let squeeze = alert(Pattern::RegimeChange, Some(Trigger::Risk), AlertChange::Happened);
        let own = "review, reduce or trail stop";
        use Posture::{Hold, Normal, Reduce};
        for (of, posture, by_table, want) in [
            (&cascade, Normal, true, own),
            (&cascade, Reduce, true, "held REDUCE"),
            (&cascade, Reduce, false, own),
            (&over, Reduce, true, "held REDUCE"),
            (&over, Reduce, false, "held REDUCE"),
            (&over, Normal, true, "held NORMAL"),
            (&session, Hold, true, "held HOLD"),
            (&anomaly, Reduce, true, "held REDUCE"),
            (&anomaly, Normal, true, "keep, no adding"),
            (&squeeze, Hold, true, "held HOLD"),
            (&squeeze, Normal, false, own),
        ] {
            assert_eq!(told(of, posture, by_table), want, "{:?} {:?} {posture:?} {by_table}", of.pattern, of.change);
        }
    }
}
