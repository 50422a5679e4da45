//! FUNDING_WINDOW_PRESSURE: in the last minute before funding far more is bought or sold than in that minute before, and the premium
//! that it moved comes back once funding is over (surveillance §5).

use super::accounting::RestingSide;
use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict};
use super::funding_minute::{FUNDINGS_MIN, FoundPressure, FundingMinute, WINDOW};
use super::view::FlowView;
use barograph_domain::{Severity, Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const PAST: Span = Span::days(30);
/// What severity looks back over.
const NINE: usize = 9;
/// A finding is shown for so long.
const SHOWN: Span = Span::mins(5);

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct WindowPressure {
    next: Option<Ts>,
    open: Option<FundingMinute>,
    premium: Option<f64>,
    /// Signed volumes of earlier minutes, and whether pressure was found; oldest first.
    past: VecDeque<(Ts, f64, bool)>,
    found: Option<FoundPressure>,
}

impl WindowPressure {
    pub(super) fn next_funding(&mut self, at: Ts) {
        self.next = Some(at);
    }

    pub(super) fn premium(&mut self, premium: f64) {
        self.premium = Some(premium);
    }

    pub(super) fn lose(&mut self) {
        self.open = None;
    }

    pub(super) fn trade(&mut self, at: Ts, side: RestingSide, qty: f64) {
        if let Some(open) = self.open.as_mut().filter(|open| at < open.funding) {
            open.signed += if side == RestingSide::Ask { qty } else { -qty };
        }
    }

    /// A second closed.
    pub(super) fn second(&mut self, v: &FlowView<'_>) {
        let now = v.now;
        self.found = self.found.filter(|f| now - f.at < SHOWN);
        // A window that began unseen is none: it is entered at its first second or not at all.
        let begins = self.next.filter(|next| (*next - now) <= WINDOW && (*next - now) > WINDOW - Span::secs(2));
        if let (Some(funding), None, Some(before), true) = (begins, self.open, self.premium, v.has_trades) {
            self.open = Some(FundingMinute::new(funding, before));
        }
        let Some(mut open) = self.open.filter(|open| now >= open.funding) else { return };
        self.past.retain(|(at, ..)| now - *at < PAST);
        // Minutes of pressure are no measure of what is usual.
        open.ended(self.premium, self.past.iter().filter(|(.., found)| !found).map(|(_, signed, _)| *signed));
        self.open = Some(open);
        let found = open.pressure(now, v.t);
        self.found = found.or(self.found);
        if found.is_some() || open.is_over(now) {
            self.past.push_back((open.funding, open.signed, found.is_some()));
            self.open = None;
        }
    }

    /// Of the last nine fundings, those with pressure.
    fn of_nine(&self) -> f64 {
        self.past.iter().rev().take(NINE).filter(|(.., found)| *found).count() as f64
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, _factor: f64) -> FlowVerdict {
        let often = self.of_nine() >= v.t.window_of_nine;
        let of = |found: &FoundPressure| FlowFinding {
            holds: true,
            strengths: [
                Some(EvidenceStrength::of("window_volume_z", found.z, v.t.window_z, "σ")),
                Some(EvidenceStrength::of("window_premium_reverted", found.reverted, v.t.window_reverted, "ratio")),
                None,
                None,
            ],
            severity: if often { Severity::Medium } else { Severity::Low },
        };
        match (&self.found, self.next) {
            (None, None) => FlowVerdict::NotOffered,
            (found, _) => v.of_trades(|| found.as_ref().map_or(FlowFinding::CALM, of), self.past.len() >= FUNDINGS_MIN),
        }
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        let Some(found) = &self.found else { return };
        facts.word("pressure", if found.bought { "buying" } else { "selling" });
        facts.number("volume_z", found.z);
        facts.number("premium_reverted", found.reverted);
        facts.number("of_last_nine", self.of_nine());
    }
}
