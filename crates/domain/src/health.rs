//! How healthy a market looks from outside: one number from 0 to 100 out of its alerts and of how much of its data arrived
//! (surveillance §6; R3.28, A20).
//!
//! `health = clamp(100 − P_alert − P_dq, 0, 100)`. `P_alert = 70·(1 − Π (1 − w·(score/100)·2^(−age/1 h)))` over alerts that are open
//! (age 0) and those that closed less than six hours ago; `P_dq = 30·(1 − mean valid share of the last 60 minutes)` over the streams
//! that the rules read; the score of an alert is the greatest of its records. Every part is listed with what it takes. Where less than half of the patterns could be judged nothing is called
//! good: that no alert is open says little then.

use crate::alert::Severity;
use crate::math::exp2;
use crate::{Pattern, Span, Trigger, Ts};
use serde::Serialize;

/// Most that alerts take.
const ALERTS_TAKE: f64 = 70.0;
/// Most that missing data take.
const DATA_TAKE: f64 = 30.0;
/// A closed alert weighs half as much after so long.
const HALF_LIFE: Span = Span::hours(1);
/// Alerts that closed longer ago do not weigh.
pub const ALERTS_OF: Span = Span::hours(6);
/// Data are judged over so long.
pub const DATA_OF: Span = Span::mins(60);

/// How a pattern stands in one minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PatternState {
    /// An alert of it is open.
    Open,
    /// The minute is beyond what it begins at.
    Beyond,
    /// The minute is not.
    Quiet,
    /// A reading is missing, too old or has too little history.
    NoData,
    /// The venue does not publish what it needs.
    NotOffered,
    /// Of books and trades, whose statistics are kept with alerts only: none is open.
    AlertsOnly,
}

impl PatternState {
    /// Could it be judged?
    #[must_use]
    pub const fn is_judged(self) -> bool {
        matches!(self, Self::Open | Self::Beyond | Self::Quiet)
    }
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Beyond => "BEYOND",
            Self::Quiet => "QUIET",
            Self::NoData => "NO_DATA",
            Self::NotOffered => "NOT_OFFERED",
            Self::AlertsOnly => "ALERTS_ONLY",
        }
    }
}

/// A word for a score.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HealthBand {
    /// 80 or more.
    Good,
    /// From 50 to below 80.
    Watch,
    /// Below 50.
    Poor,
}

impl HealthBand {
    /// Of a score.
    #[must_use]
    pub fn of(score: f64) -> Self {
        if score >= 80.0 {
            Self::Good
        } else if score >= 50.0 {
            Self::Watch
        } else {
            Self::Poor
        }
    }

    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "GOOD",
            Self::Watch => "WATCH",
            Self::Poor => "POOR",
        }
    }
}

/// An alert and what it takes.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertBurden {
    /// What was found.
    pub pattern: Pattern,
    /// Which of several ways.
    pub trigger: Option<Trigger>,
    /// How severe it is, or was.
    pub severity: Severity,
    /// The greatest anomaly score of its records, 0 to 100: the last one is of a calm minute.
    pub anomaly_score: f64,
    /// Seconds since it closed; null while it is open.
    pub closed_age_s: Option<i64>,
    /// `w·(score/100)·2^(−age/1 h)`.
    pub weight: f64,
    /// Points that it would take alone. Together they take less than the sum: alerts of one event repeat each other.
    pub points: f64,
}

impl AlertBurden {
    /// Of an alert that closed so long ago; `None` while it is open.
    #[must_use]
    pub fn new(
        (pattern, trigger): (Pattern, Option<Trigger>),
        severity: Severity,
        score: f64,
        closed: Option<Span>,
    ) -> Self {
        let age = closed.unwrap_or(Span::ZERO);
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of hours")]
        let half_lives = age.0 as f64 / HALF_LIFE.0 as f64;
        let weight = of_severity(severity) * (score / 100.0).clamp(0.0, 1.0) * exp2(-half_lives);
        Self {
            pattern,
            trigger,
            severity,
            anomaly_score: score,
            closed_age_s: closed.map(Span::as_secs),
            weight,
            points: ALERTS_TAKE * weight,
        }
    }
}

/// What an alert of full score takes of what is left.
const fn of_severity(severity: Severity) -> f64 {
    match severity {
        Severity::Info => 0.0,
        Severity::Low => 0.10,
        Severity::Medium => 0.25,
        Severity::High => 0.50,
        Severity::Critical => 0.80,
    }
}

/// Whether a pattern of readings could be judged in the newest minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PatternJudged {
    /// Pattern that was looked for.
    pub pattern: Pattern,
    /// Which of several ways.
    pub trigger: Option<Trigger>,
    /// Its readings were there and fresh.
    pub judged: bool,
}

/// How much of a stream that the rules read arrived.
#[derive(Clone, PartialEq, Debug)]
pub struct ValidShare {
    /// Metric name.
    pub metric: &'static str,
    /// Source word.
    pub source: String,
    /// Share of the last 60 minutes in which it was continuous and not too old.
    pub share: f64,
}

/// A stream that the rules read, and what is missing of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamBurden {
    /// Metric name.
    pub metric: &'static str,
    /// Source word.
    pub source: String,
    /// Share of the last 60 minutes in which it was continuous and not too old.
    pub valid_share: f64,
    /// Points that the rest takes.
    pub points: f64,
}

/// The health of one market at one moment.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HealthScore {
    /// 0 to 100; null where no stream was valid in the last 60 minutes.
    pub score: Option<f64>,
    /// Why there is none: `no_data`.
    pub reason: Option<&'static str>,
    /// GOOD from 80, WATCH from 50, POOR below; null without a score, and where it would be GOOD by less than half of the patterns.
    pub band: Option<HealthBand>,
    /// The newest minute that it is made of.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub as_of: Ts,
    /// Patterns that could be judged in that minute, or whose alert is open and has its data.
    pub patterns_judged: usize,
    /// All patterns of readings, those too that nothing is measured for here: whatever happens, these are silent. Those of books and
    /// trades are not among them.
    pub patterns_judgeable: usize,
    /// Points that alerts take together, of 70.
    pub alert_points: f64,
    /// Points that missing data take, of 30.
    pub data_points: f64,
    /// Alerts that weigh, the heaviest first.
    pub alerts: Vec<AlertBurden>,
    /// Streams that the rules read, in the order of the rule book.
    pub streams: Vec<StreamBurden>,
}

impl HealthScore {
    /// Of a newest minute, the alerts that weigh, the streams that the rules read, the patterns of readings, and what is open and has
    /// its data, whether it weighs or not.
    #[must_use]
    pub fn of(
        as_of: Ts,
        mut alerts: Vec<AlertBurden>,
        streams: Vec<ValidShare>,
        patterns: &[PatternJudged],
        open: &[(Pattern, Option<Trigger>)],
    ) -> Self {
        let is_open = |p: &PatternJudged| open.contains(&(p.pattern, p.trigger));
        let patterns_judged = patterns.iter().filter(|p| p.judged || is_open(p)).count();
        let is_few = 2 * patterns_judged < patterns.len();
        alerts.retain(|a| a.weight > 0.0);
        // Of equals the order is that of the patterns, wherever they were read from.
        let place = |a: &AlertBurden| (a.pattern, a.trigger, a.closed_age_s);
        alerts.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| place(a).cmp(&place(b))));
        let alert_points = ALERTS_TAKE * (1.0 - alerts.iter().map(|a| 1.0 - a.weight).product::<f64>());
        #[expect(clippy::cast_precision_loss, reason = "a handful of streams")]
        let each = DATA_TAKE / streams.len().max(1) as f64;
        let burden = |s: ValidShare| StreamBurden {
            metric: s.metric,
            source: s.source,
            valid_share: s.share,
            points: each * (1.0 - s.share),
        };
        let streams: Vec<StreamBurden> = streams.into_iter().map(burden).collect();
        let seen = streams.iter().any(|s| s.valid_share > 0.0);
        let data_points = if streams.is_empty() { DATA_TAKE } else { streams.iter().map(|s| s.points).sum() };
        let score = seen.then(|| (100.0 - alert_points - data_points).clamp(0.0, 100.0));
        Self {
            score,
            reason: score.is_none().then_some("no_data"),
            band: score.map(HealthBand::of).filter(|band| *band != HealthBand::Good || !is_few),
            as_of,
            patterns_judged,
            patterns_judgeable: patterns.len(),
            alert_points,
            data_points,
            alerts,
            streams,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    const FUNDING: (Pattern, Option<Trigger>) = (Pattern::FundingManipulation, None);
    const BASIS: (Pattern, Option<Trigger>) = (Pattern::BasisManipulation, None);

    /// Alerts, valid shares, score, band.
    type HealthCase = (&'static str, Vec<AlertBurden>, &'static [f64], Option<f64>, Option<HealthBand>);

    /// Alerts, patterns, whether one of them is open, band, patterns judged.
    type FewCase<'a> = (Vec<AlertBurden>, &'a [PatternJudged], bool, Option<HealthBand>, usize);

    fn streams(shares: &[f64]) -> Vec<ValidShare> {
        shares.iter().map(|s| ValidShare { metric: "bar", source: "binance-usdm".to_owned(), share: *s }).collect()
    }

    /// With a pattern that could be judged.
    fn scored(alerts: Vec<AlertBurden>, streams: Vec<ValidShare>) -> HealthScore {
        let judged = PatternJudged { pattern: FUNDING.0, trigger: FUNDING.1, judged: true };
        HealthScore::of(Ts(0), alerts, streams, &[judged], &[])
    }

    /// The worked example of surveillance §6, and what surrounds it.
    #[test]
    fn r3_28_the_score_is_that_of_the_worked_example() {
        let high = |closed| AlertBurden::new(FUNDING, Severity::High, 90.0, closed);
        let medium = AlertBurden::new(BASIS, Severity::Medium, 65.0, None);
        let rows: &[HealthCase] = &[
            ("nothing open, all data", vec![], &[1.0, 1.0], Some(100.0), Some(HealthBand::Good)),
            ("worked example", vec![medium, high(None)], &[0.98, 0.98], Some(61.643_75), Some(HealthBand::Watch)),
            ("an hour after it closed", vec![high(Some(Span::hours(1)))], &[1.0], Some(84.25), Some(HealthBand::Good)),
            (
                "INFO weighs nothing",
                vec![AlertBurden::new(BASIS, Severity::Info, 99.0, None)],
                &[1.0],
                Some(100.0),
                None,
            ),
            ("half of one of two streams", vec![], &[1.0, 0.5], Some(92.5), Some(HealthBand::Good)),
            ("nothing arrives", vec![high(None)], &[0.0, 0.0], None, None),
            ("nothing is read", vec![], &[], None, None),
        ];
        for (name, alerts, shares, score, band) in rows {
            let health = scored(alerts.clone(), streams(shares));
            assert_eq!(health.score.map(|s| (s * 1e6).round() / 1e6), *score, "{name}");
            assert_eq!(health.reason, score.is_none().then_some("no_data"), "{name}");
            if band.is_some() {
                assert_eq!(health.band, *band, "{name}");
            }
        }
        let health = scored(vec![medium, high(None)], streams(&[0.98, 0.98]));
        assert_eq!(health.alerts[0].pattern, FUNDING.0, "the heaviest stands first");
        assert!((health.alert_points - 37.756_25).abs() < 1e-9 && (health.data_points - 0.6).abs() < 1e-9);
    }

    /// In a crash that hardly a pattern can be judged by, no open alert is no good sign. What is open counts whatever else is known.
    #[test]
    fn nothing_is_called_good_by_a_few_patterns() {
        let pattern = |(pattern, trigger), judged| PatternJudged { pattern, trigger, judged };
        let few = [pattern(FUNDING, true), pattern(BASIS, false), pattern((Pattern::PremiumDeviation, None), false)];
        let enough = [few[0], pattern(BASIS, true), few[2]];
        let open = |severity, score| vec![AlertBurden::new(BASIS, severity, score, None)];
        let low = || open(Severity::Low, 50.0);
        let rows: &[FewCase<'_>] = &[
            (vec![], &few, false, None, 1),
            (vec![], &enough, false, Some(HealthBand::Good), 2),
            (low(), &few, true, Some(HealthBand::Good), 2),
            // It says the same as a stronger one, so it does not weigh; it could be judged all the same.
            (vec![], &few, true, Some(HealthBand::Good), 2),
            // Its data are away.
            (low(), &few, false, None, 1),
            (open(Severity::Critical, 100.0), &few[1..], true, Some(HealthBand::Poor), 1),
        ];
        for (alerts, patterns, is_open, band, judged) in rows {
            let open: &[_] = if *is_open { &[BASIS] } else { &[] };
            let health = HealthScore::of(Ts(0), alerts.clone(), streams(&[1.0]), patterns, open);
            assert!(health.score.is_some());
            assert_eq!((health.band, health.patterns_judged), (*band, *judged), "{alerts:?}");
        }
    }

    /// Another alert or less data never make a market healthier; the score stays within its bounds.
    #[test]
    fn what_is_worse_never_scores_higher() {
        let mut random = SplitMix::new(28);
        for _ in 0..2_000 {
            let mut of = |n: u64| random.below(n);
            let (many, wide) = (of(12), of(7) + 1);
            let mut percent = || f64::from(u8::try_from(of(101)).unwrap());
            let mut shares: Vec<f64> = (0..wide).map(|_| percent() / 100.0).collect();
            let scores: Vec<f64> = (0..many).map(|_| percent()).collect();
            let burden = |score: f64| {
                let severity = Severity::ALL[usize::try_from(of(5)).unwrap()];
                AlertBurden::new(FUNDING, severity, score, Some(Span::mins(i64::try_from(of(360)).unwrap())))
            };
            let alerts: Vec<AlertBurden> = scores.into_iter().map(burden).collect();
            let Some(score) = scored(alerts.clone(), streams(&shares)).score else { continue };
            assert!((0.0..=100.0).contains(&score));
            let fewer = scored(alerts.iter().skip(1).copied().collect(), streams(&shares)).score;
            assert!(fewer >= Some(score), "{fewer:?} without an alert, {score} with it");
            shares[0] /= 2.0;
            let less = scored(alerts, streams(&shares)).score;
            assert!(less.is_none_or(|least| least <= score + 1e-9), "{less:?} with less data, {score} with more");
        }
    }
}
