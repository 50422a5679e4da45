//! Outcomes that stand whatever the minutes say now: a correction that came more than a day later does not resolve them anew
//! (verification §3). Whoever folds corrected minutes names them before their tick, and hears what the minutes would have made of them.

use super::market::Counted;
use barograph_domain::InstrumentName;
use barograph_domain::Ts;
use barograph_domain::forecast::{OutcomeKey, OutcomeRevision, Resolution, WindowOutcome};
use std::collections::BTreeMap;

/// An outcome that stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StandingOutcome {
    /// The outcome.
    pub outcome: WindowOutcome,
    /// What decided.
    pub evidence: [Option<f32>; 2],
    /// Since when the correction is known that would have made another of it.
    pub known_ts: Ts,
}

/// Those that are named, and what was heard of them.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Standings {
    named: BTreeMap<OutcomeKey, StandingOutcome>,
    heard: Vec<OutcomeRevision>,
}

impl Standings {
    pub(super) fn name(&mut self, key: OutcomeKey, standing: StandingOutcome) {
        self.named.insert(key, standing);
    }

    pub(super) fn take_heard(&mut self) -> Vec<OutcomeRevision> {
        self.named.clear();
        core::mem::take(&mut self.heard)
    }

    /// Puts what stands in place of what was just judged at a tick, also where it is counted.
    pub(super) fn hold(
        &mut self,
        ts: Ts,
        names: &[InstrumentName],
        resolutions: &mut [Resolution],
        counted: &mut [(usize, Counted)],
    ) {
        if self.named.is_empty() {
            return;
        }
        let mut held = BTreeMap::new();
        for (place, one) in resolutions.iter_mut().enumerate() {
            let Some(market) = names.get(usize::from(one.market)) else { continue };
            let key = OutcomeKey {
                issued_ts: one.issued_ts,
                event: one.event,
                market: market.clone(),
                subject: one.subject.clone(),
            };
            let Some(StandingOutcome { outcome, evidence, known_ts }) = self.named.remove(&key) else { continue };
            self.heard.push(OutcomeRevision { key, known_ts, resolved_ts: ts, stands: outcome, now: one.outcome });
            if outcome != one.outcome {
                (one.outcome, one.evidence) = (outcome, evidence);
                held.insert(place, outcome);
            }
        }
        for (_, one) in counted {
            one.outcome = held.get(&one.resolution).copied().unwrap_or(one.outcome);
        }
    }
}
