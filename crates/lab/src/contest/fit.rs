//! One fit: a contestant on one event, from what had resolved before a moment.
//!
//! Four fifths of the cases fit the score, the last fifth turns it into a probability; between the two, as before the moment itself,
//! lies the embargo: no window of the former reaches into the latter. Classes are three events, "more severe than k".

use super::boosting::Boosting;
use super::curve::{Curve, Scored, Step};
use super::example::{Example, KnownThen};
use super::gate::Gate;
use super::logistic::Logistic;
use super::sighting::{INPUTS, LOGISTIC_INPUTS, ModelInputs};
use super::tables::{Fifths, Mixture};
use barograph_domain::Span;
use barograph_domain::forecast::{Abstention, CLASSES, ForecastEvent, Forecaster, Stated};
use barograph_verify::contest::{CASES_MIN, EMBARGO, EPISODES_MIN};
use barograph_verify::scores::case::n_eff;
use std::sync::Arc;

/// Asks for a fit.
#[derive(Clone, Debug)]
pub struct FitJob {
    /// The contestant that is fitted.
    pub(super) contestant: Forecaster,
    /// Of what.
    pub(super) event: ForecastEvent,
    /// For which week.
    pub(super) week: i64,
    /// What may be learnt from, by moment of issue and market.
    pub(super) examples: Arc<[Example]>,
}

/// What came of it.
#[derive(Debug)]
pub struct Fit {
    pub(super) contestant: Forecaster,
    pub(super) event: ForecastEvent,
    pub(super) week: i64,
    pub(super) outcome: Result<Fitted, Abstention>,
}

/// Runs a fit: the same job gives the same bits.
#[must_use]
pub fn run(job: &FitJob) -> Fit {
    let FitJob { contestant, event, week, examples } = job;
    Fit { contestant: *contestant, event: *event, week: *week, outcome: Fitted::of(*contestant, *event, examples) }
}

/// What is stated of a moment, and what it rests on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ModelStatement {
    /// What is stated.
    pub stated: Stated,
    /// Calibration cases that were alike.
    pub cases: u32,
    /// Windows of them that do not overlap.
    pub separate: u32,
}

/// A score of one yes or no.
#[derive(Debug)]
enum Score {
    Mixture(Mixture),
    Fifths(Fifths),
    Logistic(Logistic),
    Boosting(Boosting),
}

impl Score {
    fn fit(who: Forecaster, rows: &[&Example], happened: &[bool]) -> Option<Self> {
        let inputs = || rows.iter().map(|r| &r.seen.inputs).collect::<Vec<&ModelInputs>>();
        match who {
            Forecaster::Rules => None,
            Forecaster::Hmm => Some(Self::Mixture(Mixture::fit(rows, happened))),
            Forecaster::Bocpd => Some(Self::Fifths(Fifths::fit(rows, happened))),
            Forecaster::Logistic => Logistic::fit(&inputs(), happened).map(Self::Logistic),
            Forecaster::Boosting => Boosting::fit(&inputs(), happened).map(Self::Boosting),
        }
    }

    fn of(&self, seen: &KnownThen) -> Option<f64> {
        match self {
            Self::Mixture(m) => m.score(seen),
            Self::Fifths(f) => f.score(seen),
            Self::Logistic(l) => Some(l.score(&seen.inputs)),
            Self::Boosting(b) => b.scores(&[&seen.inputs]).first().copied(),
        }
    }

    fn of_all(&self, rows: &[&Example]) -> Vec<Option<f64>> {
        match self {
            Self::Boosting(b) => {
                b.scores(&rows.iter().map(|r| &r.seen.inputs).collect::<Vec<_>>()).into_iter().map(Some).collect()
            }
            Self::Mixture(_) | Self::Fifths(_) | Self::Logistic(_) => rows.iter().map(|r| self.of(&r.seen)).collect(),
        }
    }
}

/// Score and curve of one yes or no.
#[derive(Debug)]
struct Level {
    score: Score,
    curve: Curve,
}

impl Level {
    fn fit(who: Forecaster, event: ForecastEvent, halves: &Halves<'_>, level: u8) -> Result<Self, Abstention> {
        let came = |rows: &[&Example]| rows.iter().map(|r| r.outcome > level).collect::<Vec<bool>>();
        let score = Score::fit(who, &halves.fit, &came(&halves.fit)).ok_or(Abstention::NoLabel)?;
        let scored = score.of_all(&halves.calibrate).into_iter().zip(&halves.calibrate);
        let cases = scored
            .filter_map(|(score, row)| {
                Some(Scored { score: score?, issued: row.issued, happened: row.outcome > level })
            })
            .collect();
        Ok(Self { curve: Curve::fit(cases, horizon(event))?, score })
    }

    fn step(&self, seen: &KnownThen) -> Option<Step> {
        self.score.of(seen).map(|score| self.curve.at(score))
    }
}

/// Training rows that fit the score, and later ones that calibrate it.
struct Halves<'a> {
    fit: Vec<&'a Example>,
    calibrate: Vec<&'a Example>,
}

impl<'a> Halves<'a> {
    /// Rows are in the order of issue. No window of the first part is known later than the embargo before the second.
    fn of(rows: &[&'a Example]) -> Self {
        let (fit, calibrate) = rows.split_at(rows.len() - rows.len() / 5);
        let begins = calibrate.first().map(|r| r.issued);
        let apart = |r: &&Example| begins.is_none_or(|b| r.known <= b - EMBARGO);
        Self { fit: fit.iter().copied().filter(apart).collect(), calibrate: calibrate.to_vec() }
    }
}

/// A contestant on one event, for a week.
#[derive(Debug)]
pub(super) struct Fitted {
    gate: Option<Gate>,
    /// One, or "more severe than" each class but the last.
    levels: Vec<Level>,
}

fn horizon(event: ForecastEvent) -> Span {
    event.horizon().unwrap_or(Span::hours(1))
}

/// ModelInputs that a learnt model looks at; none of the filters.
const fn inputs_of(who: Forecaster) -> usize {
    match who {
        Forecaster::Logistic => LOGISTIC_INPUTS,
        Forecaster::Boosting => INPUTS,
        Forecaster::Rules | Forecaster::Hmm | Forecaster::Bocpd => 0,
    }
}

/// Does the contestant see anything of the moment?
fn sees(who: Forecaster, seen: &KnownThen) -> bool {
    match who {
        Forecaster::Rules => false,
        Forecaster::Hmm => seen.hidden.is_some(),
        Forecaster::Bocpd => seen.recent.is_some(),
        Forecaster::Logistic | Forecaster::Boosting => seen.inputs.has_any(inputs_of(who)),
    }
}

impl Fitted {
    fn of(who: Forecaster, event: ForecastEvent, examples: &[Example]) -> Result<Self, Abstention> {
        let rows: Vec<&Example> = examples.iter().filter(|e| sees(who, &e.seen)).collect();
        if rows.len() < CASES_MIN {
            return Err(Abstention::FewForecasts);
        }
        if n_eff(rows.iter().map(|r| r.issued), horizon(event)) < EPISODES_MIN {
            return Err(Abstention::FewEpisodes);
        }
        let halves = Halves::of(&rows);
        let first = halves.fit.first().map(|r| r.outcome);
        if halves.fit.iter().all(|r| Some(r.outcome) == first) {
            return Err(Abstention::OneOutcome);
        }
        let gate = Gate::of(&rows.iter().map(|r| &r.seen.inputs).collect::<Vec<_>>(), inputs_of(who));
        let levels = match event {
            ForecastEvent::VolClass24h => 0..u8::try_from(CLASSES).unwrap_or(1) - 1,
            _ => 0..1,
        };
        let levels = levels.map(|level| Level::fit(who, event, &halves, level)).collect::<Result<_, _>>()?;
        Ok(Self { gate, levels })
    }

    pub(super) fn statement(
        &self,
        who: Forecaster,
        event: ForecastEvent,
        seen: &KnownThen,
    ) -> Result<ModelStatement, Abstention> {
        if !sees(who, seen) {
            return Err(Abstention::NoLabel);
        }
        if self.gate.as_ref().is_some_and(|g| g.is_outside(&seen.inputs)) {
            return Err(Abstention::Outlier);
        }
        let steps: Vec<Step> = self.levels.iter().filter_map(|l| l.step(seen)).collect();
        let Some(first) = steps.first().filter(|_| steps.len() == self.levels.len()) else {
            return Err(Abstention::NoLabel);
        };
        let stated = match event {
            ForecastEvent::VolClass24h => Stated::Classes(classes(&steps)),
            _ if first.is_wide() => return Err(Abstention::WideInterval),
            _ => Stated::Probability(first.p),
        };
        Ok(ModelStatement { stated, cases: first.cases, separate: first.separate })
    }
}

/// Probabilities of the classes from those of being more severe than each; a later one is never likelier than an earlier.
fn classes(above: &[Step]) -> [f64; CLASSES] {
    let mut out = [0.0; CLASSES];
    let mut left = 1.0_f64;
    for (class, step) in above.iter().enumerate() {
        let p = step.p.min(left);
        out[class] = left - p;
        left = p;
    }
    out[CLASSES - 1] = left;
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    fn at(hour: i64, horizon: i64) -> Example {
        let issued = Ts(0) + Span::hours(hour);
        let known = issued + Span::hours(horizon);
        let inputs = ModelInputs::of(core::array::from_fn(|_| Some(f64::from(i16::try_from(hour % 97).unwrap()))));
        Example {
            issued,
            known,
            market: 0,
            seen: KnownThen { inputs, ..KnownThen::default() },
            outcome: u8::from(hour % 97 > 60),
        }
    }

    #[test]
    fn no_window_of_the_fit_reaches_into_the_calibration() {
        let all: Vec<Example> = (0..1_000).map(|h| at(h, 24)).collect();
        let rows: Vec<&Example> = all.iter().collect();
        let halves = Halves::of(&rows);
        assert_eq!((halves.calibrate.len(), halves.calibrate[0].issued), (200, all[800].issued));
        let last = halves.fit.last().unwrap();
        assert!(last.known + EMBARGO <= halves.calibrate[0].issued);
        assert_eq!(last.issued, all[800 - 26].issued, "24 h and 101 min before it");
    }

    #[test]
    fn a_learnt_model_says_what_followed_and_passes_over_what_it_has_never_seen() {
        let examples: Vec<Example> = (0..2_000).map(|h| at(h, 1)).collect();
        for who in [Forecaster::Logistic, Forecaster::Boosting] {
            let fitted = Fitted::of(who, ForecastEvent::HighVol1h, &examples).unwrap();
            let of_hour = |hour| fitted.statement(who, ForecastEvent::HighVol1h, &at(hour, 1).seen);
            let Stated::Probability(high) = of_hour(90).unwrap().stated else { panic!("no probability") };
            let Stated::Probability(low) = of_hour(10).unwrap().stated else { panic!("no probability") };
            assert!(high > 0.9 && low < 0.1, "{}: {high} {low}", who.id());
            let far = ModelInputs::of([Some(1e6); INPUTS]);
            let said =
                fitted.statement(who, ForecastEvent::HighVol1h, &KnownThen { inputs: far, ..KnownThen::default() });
            assert_eq!(said, Err(Abstention::Outlier), "{}", who.id());
            let said = fitted.statement(who, ForecastEvent::HighVol1h, &KnownThen::default());
            assert_eq!(said, Err(Abstention::NoLabel), "{}", who.id());
        }
    }

    #[test]
    fn too_little_is_refused_with_its_reason() {
        let check = |examples: &[Example], want| {
            let got = Fitted::of(Forecaster::Logistic, ForecastEvent::TrendUp24h, examples).err();
            assert_eq!(got, Some(want));
        };
        check(&(0..99).map(|h| at(h, 24)).collect::<Vec<_>>(), Abstention::FewForecasts);
        check(&(0..690).map(|h| at(h, 24)).collect::<Vec<_>>(), Abstention::FewEpisodes);
        let same: Vec<Example> = (0..900).map(|h| Example { outcome: 1, ..at(h, 24) }).collect();
        check(&same, Abstention::OneOutcome);
    }

    #[test]
    fn classes_add_up_and_none_is_negative() {
        let cases: Vec<Example> =
            (0..3_000).map(|h| Example { outcome: u8::try_from(h % 97 / 25).unwrap(), ..at(h, 24) }).collect();
        let fitted = Fitted::of(Forecaster::Boosting, ForecastEvent::VolClass24h, &cases).unwrap();
        for hour in 0..97 {
            let said = fitted.statement(Forecaster::Boosting, ForecastEvent::VolClass24h, &at(hour, 24).seen).unwrap();
            let Stated::Classes(all) = said.stated else { panic!("no classes") };
            assert!(all.iter().all(|p| *p >= 0.0) && (all.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{all:?}");
            assert!(all[usize::try_from(hour / 25).unwrap().min(3)] > 0.5, "{hour}: {all:?}");
        }
    }
}
