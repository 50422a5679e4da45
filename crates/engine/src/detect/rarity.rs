//! Severity by rarity (verification §5): what is common on a market is no news there, however severe the book calls it.
//!
//! A label, or an episode of a detector, that began more often than once a week within the last 90 days is at most LOW, more often
//! than once a day INFO; before a week of days could be judged nothing is more than MEDIUM. Two things stay loud: what is more
//! extreme than anything of those 90 days, and what was measured to forecast its event (a lower bound above 1.5, in a row `[[lift]]`
//! or, where the book says `lift = "measured"`, on the market itself).
//! Alerts about data, and rules of the user's own, keep their severity. Counting is `base_rate`, the table is read by `rules`.

use super::Thresholds;
use super::base_rate::day_of;
use super::lifts::LiftReading;
use barograph_domain::alert::{BaseRate, Datum, Word};
use barograph_domain::{Alert, Pattern, Severity, Span, Ts};
use serde::{Deserialize, Serialize};

/// Days that must have been judged before anything may be more than MEDIUM: with fewer a rare thing looks like a common one.
pub const KNOWN_DAYS_MIN: f64 = 7.0;
/// Beginnings in so many days, one on average, and not more often, may be more than LOW.
const DAYS_APART_LOW: f64 = 7.0;
/// Lower bound of a lift that keeps a severity (verification §5).
const LIFT_MIN: f64 = 1.5;
/// A greatest value counts for a label that is entered so soon after it: a label may wait for its second hourly reading.
pub(super) const PEAK_FRESH: Span = Span::hours(2);
const QUARTER_DAYS: i64 = 90;
/// Ninety days, today, and the one that is about to be dropped.
const DAYS_ROOM: usize = 92;

/// Fact of a record: the severity that the book gives it, where rarity changed or kept it.
pub const FIXED_SEVERITY: &str = "severity_before_rarity";
/// Fact of a record: why a common thing keeps its severity, `peak` or `lift`.
pub const KEPT_BY: &str = "severity_kept_by";

/// Fact of a label's record: which reading is more extreme than anything before, as its feature.
pub const PEAK_OF: &str = "peak_of";

/// What a book goes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SeverityBy {
    /// The pattern, the label and the size alone.
    #[default]
    Fixed,
    /// These, capped by how common it is on the market.
    Rarity,
}

impl SeverityBy {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Fixed, Self::Rarity];
    /// As written in a book.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Rarity => "rarity",
        }
    }
}

/// A measured lift: precision of an alert over the base rate of its event in random windows (verification §5).
#[derive(Clone, PartialEq, Debug)]
pub struct MeasuredLift {
    /// Which alert.
    pub pattern: Pattern,
    /// Which label, where the alert is about a label; `None`: any.
    pub label: Option<String>,
    /// Which event it forecasts, as in `hv_1h`.
    pub event: String,
    /// Lower bound of the lift.
    pub lower: f64,
    /// On which recordings it was measured.
    pub measured: String,
}

/// How a book judges severity.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SeverityTable {
    /// What it goes by.
    pub by: SeverityBy,
    /// Measured lifts; no row means that none is known.
    pub lifts: Vec<MeasuredLift>,
    /// Lifts are measured on each market as it goes.
    pub measures: bool,
}

impl SeverityTable {
    /// A book that knows no rarity.
    pub const FIXED: Self = Self { by: SeverityBy::Fixed, lifts: Vec::new(), measures: false };

    /// Was it measured that this forecasts its event?
    fn is_lifted(&self, of: &Occurrence<'_>) -> bool {
        let is_of = |l: &&MeasuredLift| {
            l.pattern == of.pattern && l.label.as_deref().is_none_or(|label| Some(label) == of.label)
        };
        let here = of.lift.filter(|_| self.measures).is_some_and(|lift| lift.low > LIFT_MIN);
        here || self.lifts.iter().filter(is_of).any(|l| l.lower > LIFT_MIN)
    }

    /// The severity of what begins, where it began so often before.
    #[must_use]
    pub fn rank(&self, of: &Occurrence<'_>, rate: &BaseRate) -> Ranked {
        let fixed = of.severity;
        if self.by == SeverityBy::Fixed {
            return Ranked { severity: fixed, fixed, kept_by: None };
        }
        let common = ceiling(rate);
        let (severity, kept_by) = if fixed <= common {
            (fixed, None)
        } else if of.peak {
            (fixed, Some(KeptBy::Peak))
        } else if self.is_lifted(of) {
            (fixed, Some(KeptBy::MeasuredLift))
        } else {
            (common, None)
        };
        let most = if rate.known_days < KNOWN_DAYS_MIN { Severity::Medium } else { Severity::Critical };
        Ranked { severity: severity.min(most).max(of.floor.min(fixed)), fixed, kept_by }
    }
}

/// The greatest severity of what begins so often.
fn ceiling(rate: &BaseRate) -> Severity {
    // Of the first day nobody can say yet how often a day it comes.
    let (fired, days) = (f64::from(rate.fired_90d), rate.known_days.max(1.0));
    if rate.is_daily() {
        Severity::Info
    } else if fired > days / DAYS_APART_LOW {
        Severity::Low
    } else {
        Severity::Critical
    }
}

/// One beginning that is to be ranked.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// Of which pattern.
    pub pattern: Pattern,
    /// The label that was entered, where it is one.
    pub label: Option<&'a str>,
    /// Severity that the book gives it.
    pub severity: Severity,
    /// More extreme than anything of the last 90 days.
    pub peak: bool,
    /// Never less severe than this, whatever is common.
    pub floor: Severity,
    /// What was measured of such alerts here before.
    pub lift: Option<LiftReading>,
}

impl Occurrence<'_> {
    /// Of an alert without a label that is no peak.
    pub(super) const fn of(pattern: Pattern, severity: Severity) -> Self {
        Self { pattern, label: None, severity, peak: false, floor: Severity::Info, lift: None }
    }
}

/// What a book says to detectors: their numbers, and how severe the common may be.
pub type Judging<'a> = (&'a Thresholds, &'a SeverityTable);

/// Why something common keeps its severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum KeptBy {
    /// More extreme than anything of the last 90 days.
    Peak,
    /// Measured to forecast its event.
    MeasuredLift,
}

/// A severity, and how it came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ranked {
    /// The severity people hear of.
    pub severity: Severity,
    /// The one the book gives.
    pub fixed: Severity,
    /// Why it was not lowered, where it is common.
    pub kept_by: Option<KeptBy>,
}

impl Ranked {
    /// Notes in the facts of a record what rarity did; nothing where it did nothing.
    pub(super) fn note(self, data: &mut Vec<(Word, Datum)>) {
        if self.severity != self.fixed || self.kept_by.is_some() {
            data.push((Word::from(FIXED_SEVERITY), Datum::Word(Word::from(self.fixed.name()))));
        }
        let why = match self.kept_by {
            Some(KeptBy::Peak) => "peak",
            Some(KeptBy::MeasuredLift) => "lift",
            None => return,
        };
        data.push((Word::from(KEPT_BY), Datum::Word(Word::from(why))));
    }
}

/// The severity that the book gave a record, whatever rarity made of it.
#[must_use]
pub fn fixed_severity(alert: &Alert) -> Severity {
    alert.word(FIXED_SEVERITY).and_then(Severity::from_name).unwrap_or(alert.severity)
}

/// The greatest value of each of the last 90 UTC days and of today; days without a value have no place.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Extremes {
    /// Oldest first.
    days: Vec<(i64, f64)>,
    /// The greatest of them.
    most: Option<f64>,
    /// When a value last exceeded all of them.
    peak_at: Option<Ts>,
}

impl Extremes {
    /// Takes the value of a moment; true when it exceeds all that came before within 90 days. The first value exceeds none.
    #[inline]
    pub(super) fn take(&mut self, t: Ts, value: f64) -> bool {
        let day = day_of(t);
        match self.days.last_mut() {
            Some((last, most)) if *last == day => {
                if value <= *most {
                    return false;
                }
                *most = value;
            }
            _ => self.begin_day(day, value),
        }
        let peak = self.most.is_some_and(|most| value > most);
        if peak {
            self.peak_at = Some(t);
        }
        self.most = Some(self.most.map_or(value, |most| most.max(value)));
        peak
    }

    #[cold]
    fn begin_day(&mut self, day: i64, value: f64) {
        if self.days.is_empty() {
            // Once: what comes every minute allocates nothing.
            self.days.reserve_exact(DAYS_ROOM);
        }
        self.days.retain(|(of, _)| *of >= day - QUARTER_DAYS);
        self.most = self.days.iter().map(|(_, most)| *most).reduce(f64::max);
        self.days.push((day, value));
    }

    /// Did a value exceed all others from this moment on, and after the last one that was reported?
    pub(super) fn peak_since(&self, from: Ts, told: Option<Ts>) -> bool {
        self.peak_at.is_some_and(|at| at >= from && told.is_none_or(|told| at > told))
    }
}
