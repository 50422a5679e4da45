//! Liquidations, positions, and what stands out in funding (features §2.1, §2.4, §2.5).

use super::Assembly;
use super::fill::fill;
use crate::catalogue::Feature;
use crate::composite;
use crate::engine::Config;
use crate::features::funding_signals::{AnomalyReasons, is_reversal};
use crate::features::positions;
use crate::features::reading::Slot;
use crate::feeds::{Feeds, RatioFeed};
use crate::liquidations::LiquidationSlots;
use barograph_domain::{Reason, State, Ts};

impl Assembly {
    pub(super) fn liquidations(&mut self, feeds: &Feeds) {
        let liquidations = feeds.liquidations.as_ref().map_or(&LiquidationSlots::MISSING, |l| l.slots());
        fill!(self, liquidations = liquidations);
    }

    /// An archive that has not begun is not there: nothing earlier may show that it will begin. A live stream is asked for.
    pub(super) fn positions(&mut self, feeds: &Feeds) {
        let heard = |feed: &&RatioFeed| feed.series.is_filled() || feed.newest().is_some();
        let ratio = match feeds.long_short.as_deref().filter(heard) {
            Some(feed) => feed.newest().map_or(Slot::MISSING, |(ratio, origin)| match positions::long_share(ratio) {
                Some(_) => origin.instant(ratio),
                None => origin.undefined(Reason::OutOfDomain),
            }),
            None => Slot::undefined(Reason::NotOffered),
        };
        let (concentration, hhi) = match feeds.top_traders.as_deref().filter(heard).map(|feed| feed.newest()) {
            // Declared, and not heard yet.
            Some(None) => (Slot::MISSING, Slot::MISSING),
            newest => {
                let top_traders = newest.flatten();
                let slots = positions::slots(None, top_traders.as_ref().map(|(ratio, origin)| (*ratio, origin)));
                (slots.concentration, slots.hhi)
            }
        };
        fill!(self, positions { ratio, concentration, hhi });
    }

    /// Reversals, and anomalies with their reasons. A score needs its z; what else is not ready gives no reason.
    pub(super) fn funding_signals(&mut self, t: Ts, config: &Config) {
        use Feature as F;
        let limits = &config.book.detectors.funding;
        let [rate, z, change, volatility] =
            [F::FundingRate8h, F::FundingZscore24h, F::FundingChange8h, F::FundingVol24h].map(|f| self.slots.of(f));
        let reversal =
            composite::combine(t, &[&rate, &change], |v| Ok(f64::from(u8::from(is_reversal(v[0], v[1], limits)))));
        let (moved, moves) = (change.ready(t), volatility.ready(t));
        let marked = |mut slot: Slot| {
            slot.cell.partial |= moved.is_none() || moves.is_none();
            // It is asked again when one of its parts has grown too old.
            if slot.cell.state == State::Ready {
                for (part, _) in [(change, moved), (volatility, moves)].iter().filter(|(_, ready)| ready.is_some()) {
                    slot.expires = slot.expires.min(part.expires);
                }
            }
            slot
        };
        let whole = marked(composite::of_one(&z, |v| v));
        let (mut code, mut score) = (0.0, 0.0);
        if whole.cell.state == State::Ready {
            let z = whole.cell.value;
            let reasons = AnomalyReasons::of(Some(z), moved, moves, limits);
            (code, score) = (f64::from(reasons.code()), reasons.score(z));
        }
        fill!(self, signals { reversal, reasons: whole.with_value(code), score: whole.with_value(score) });
    }
}
