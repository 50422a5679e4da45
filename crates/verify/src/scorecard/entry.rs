//! One case: how it stands, and what its outcome makes of it.

use crate::scores::ranked::rps;
use barograph_domain::Ts;
use barograph_domain::forecast::{Abstention, Forecaster, NotIssuedReason, Stated, WindowOutcome};

/// A reference's loss on a case, where it had seen enough to be one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Scored {
    /// Probability of the event; of classes 0.
    pub(super) p: f64,
    /// Squared error, or ranked probability score.
    pub(super) loss: f64,
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
    /// Losses once resolved, those of the references where they had seen enough.
    pub(super) scored: Option<Scored>,
    pub(super) climatology_loss: Option<f64>,
    pub(super) persistence_loss: Option<f64>,
    /// Corrected minutes would say otherwise.
    pub(super) revised: bool,
}

impl Entry {
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
        climatology_loss: None,
        persistence_loss: None,
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
                entry.scored = Some(Scored { p, loss: loss(p) });
            }
            entry.climatology_loss = waiting.climatology.map(loss);
            entry.persistence_loss = waiting.persistence.map(loss);
        }
        (stated, WindowOutcome::Class(class)) => {
            let class = usize::from(class);
            if let Stated::Classes(all) = stated {
                entry.scored = rps(&all, class).map(|loss| Scored { p: 0.0, loss });
            }
            let references = waiting.references.as_deref();
            entry.climatology_loss = references.and_then(|r| rps(&r[..4], class));
            entry.persistence_loss = references.and_then(|r| rps(&r[4..], class));
        }
        _ => {}
    }
}
