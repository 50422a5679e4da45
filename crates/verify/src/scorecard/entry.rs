//! One case: how it stands, and what its outcome makes of it.

use crate::scores::ranked::rps;
use barograph_domain::Ts;
use barograph_domain::forecast::{Abstention, Forecaster, NotIssuedReason, Stated, WindowOutcome};
use core::num::NonZeroU64;

/// A number of which an absent one takes no more bytes: a million cases are gone through a dozen times, and that waits for memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Dense(NonZeroU64);

impl Dense {
    /// `None` of no number.
    pub(super) fn of(x: f64) -> Option<Self> {
        // Zero has no bit that is set, and no number has all of them.
        NonZeroU64::new(!x.to_bits()).map(Self)
    }

    pub(super) fn get(self) -> f64 {
        f64::from_bits(!self.0.get())
    }
}

/// What was stated of a case and what that lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Scored {
    p: Dense,
    loss: Dense,
}

impl Scored {
    pub(super) fn of(p: f64, loss: f64) -> Option<Self> {
        Some(Self { p: Dense::of(p)?, loss: Dense::of(loss)? })
    }

    /// Probability of the event; of classes 0.
    pub(super) fn p(self) -> f64 {
        self.p.get()
    }

    /// Squared error, or ranked probability score.
    pub(super) fn loss(self) -> f64 {
        self.loss.get()
    }
}

/// How a case stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Step {
    NotIssued(NotIssuedReason),
    Waiting,
    Void,
    Unresolvable,
    Resolved(WindowOutcome),
}

/// One case.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) issued: Ts,
    pub(super) market: u16,
    pub(super) step: Step,
    /// Why nothing was stated; `None`: something was.
    pub(super) abstained: Option<Abstention>,
    pub(super) label: u8,
    pub(super) raw_label: u8,
    pub(super) state: Option<u8>,
    /// Once resolved.
    pub(super) scored: Option<Scored>,
    /// Losses of the references on the case, where they had seen enough.
    pub(super) of_climatology: Option<Dense>,
    pub(super) of_persistence: Option<Dense>,
    /// Corrected minutes would say otherwise.
    pub(super) revised: bool,
}

impl Entry {
    pub(super) fn climatology_loss(&self) -> Option<f64> {
        self.of_climatology.map(Dense::get)
    }

    pub(super) fn persistence_loss(&self) -> Option<f64> {
        self.of_persistence.map(Dense::get)
    }

    pub(super) fn happened(&self) -> Option<bool> {
        match self.step {
            Step::Resolved(WindowOutcome::Happened) => Some(true),
            Step::Resolved(WindowOutcome::Missed) => Some(false),
            _ => None,
        }
    }
}

/// An entry that waits for its outcome.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) issued: Ts,
    pub(super) forecaster: Forecaster,
    /// Where the entry is.
    pub(super) at: usize,
    pub(super) stated: Stated,
    /// Climatology and persistence of the moment of issue, where known.
    pub(super) climatology: Option<f64>,
    pub(super) persistence: Option<f64>,
    /// The same for classes: four of climatology, four of persistence.
    pub(super) references: Option<Box<[f64; 8]>>,
}

/// Waiting, nothing said.
pub(super) fn bare(issued: Ts, market: u16) -> Entry {
    Entry {
        issued,
        market,
        step: Step::Waiting,
        abstained: None,
        label: 0,
        raw_label: 0,
        state: None,
        scored: None,
        of_climatology: None,
        of_persistence: None,
        revised: false,
    }
}

/// What the outcome makes of a case: how it stands, and the losses of what was stated and of the references.
pub(super) fn resolve(entry: &mut Entry, outcome: WindowOutcome, waiting: &Waiting) {
    entry.step = match outcome {
        WindowOutcome::Gap => Step::Unresolvable,
        WindowOutcome::Void => Step::Void,
        known => Step::Resolved(known),
    };
    match (waiting.stated, outcome) {
        (stated, WindowOutcome::Happened | WindowOutcome::Missed) => {
            let o = f64::from(u8::from(outcome == WindowOutcome::Happened));
            let loss = |p: f64| (p - o) * (p - o);
            if let Stated::Probability(p) = stated {
                entry.scored = Scored::of(p, loss(p));
            }
            entry.of_climatology = waiting.climatology.map(loss).and_then(Dense::of);
            entry.of_persistence = waiting.persistence.map(loss).and_then(Dense::of);
        }
        (stated, WindowOutcome::Class(class)) => {
            let class = usize::from(class);
            if let Stated::Classes(all) = stated {
                entry.scored = rps(&all, class).and_then(|loss| Scored::of(0.0, loss));
            }
            let references = waiting.references.as_deref();
            entry.of_climatology = references.and_then(|r| rps(&r[..4], class)).and_then(Dense::of);
            entry.of_persistence = references.and_then(|r| rps(&r[4..], class)).and_then(Dense::of);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_small_and_its_numbers_are_whole() {
        assert!(size_of::<Entry>() <= 56, "{} bytes", size_of::<Entry>());
        for x in [0.0, 1.0, 0.1 + 0.2, f64::MIN_POSITIVE, f64::INFINITY] {
            assert_eq!(Dense::of(x).map(Dense::get), Some(x));
        }
    }
}
