//! Books of CoinEx: the best levels of each side as they were last sent, and what has changed since.
//!
//! One window of a market and a depth is shared by all who hear it: a new subscriber begins with what was last sent, so that
//! the changes that follow fit. A level that leaves the window is sent as a deleted one, since nobody hears of it any longer
//! (unverified: the sheet does not say it).

use crate::Venue;
use crate::num::index;
use crate::server::hub::ClientHub;
use crate::server::streams::Stream;
use crate::wire::coinex as wire;
use crate::world::market::TradedMarket;
use crate::world::window::DepthWindow;
use barograph_domain::{Span, Ts};

/// Depths that can be subscribed.
pub(crate) const DEPTHS: [u8; 4] = [5, 10, 20, 50];
/// A full book comes again this often.
const FULL_EVERY: Span = Span::mins(1);

/// What was last sent of one market at one depth.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentDepth {
    window: DepthWindow,
    /// When the next full book is due.
    full_at: Option<Ts>,
}

/// What was last sent of one market, by depth.
pub(crate) type SentDepths = [SentDepth; DEPTHS.len()];

impl ClientHub {
    /// The book that a new subscription begins with.
    pub(crate) fn begin_depth(&mut self, number: usize, market: &TradedMarket, depth: u8) -> DepthWindow {
        let is_known = [false, true].iter().any(|whole| self.is_wanted(number, Stream::Window(depth, *whole)));
        let now = self.now;
        let Some(at) = DEPTHS.iter().position(|d| *d == depth) else { return DepthWindow::default() };
        let sent = &mut self.depths[number][at];
        if !is_known {
            *sent = SentDepth { window: DepthWindow::of(&market.book, depth), full_at: Some(now + FULL_EVERY) };
        }
        sent.window.clone()
    }

    /// Sends what has changed, each fifth of a second. Where the book is held back the changes are lost.
    pub(crate) fn publish_windows(&mut self, number: usize, market: &TradedMarket, now_ms: i64) {
        if market.spec.venue != Venue::Coinex {
            return;
        }
        for (at, depth) in DEPTHS.into_iter().enumerate() {
            let streams = [false, true].map(|whole| Stream::Window(depth, whole));
            if !streams.iter().any(|stream| self.is_wanted(number, *stream)) {
                continue;
            }
            let (now, is_stale) = (self.now, self.is_stale(number));
            let sent = &mut self.depths[number][at];
            let window = DepthWindow::of(&market.book, depth);
            let changed = window.since(&sent.window);
            sent.window.clone_from(&window);
            if is_stale || changed.is_empty() {
                continue;
            }
            let full_due = sent.full_at.is_none_or(|due| now >= due);
            if full_due {
                sent.full_at = Some(now + FULL_EVERY);
            }
            for stream in streams {
                let is_full = full_due || stream == Stream::Window(depth, true);
                let part = if is_full { &window } else { &changed };
                self.one(number, market, stream, |t, _| {
                    wire::pushed(t, "depth", |t| wire::depth(t, market, &window, part, is_full, now_ms));
                });
            }
        }
    }
}

/// The depth of a request, if the venue has it.
pub(crate) fn depth_of(number: i64) -> Option<u8> {
    DEPTHS.into_iter().find(|d| usize::from(*d) == index(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_depths_are_none() {
        assert_eq!((depth_of(50), depth_of(7), depth_of(-1)), (Some(50), None, None));
    }
}
