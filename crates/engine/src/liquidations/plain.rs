//! The same readings over a plain list of liquidations (R4.7), for whoever has a list and no stream.

use super::zones::{Bins, Zone};
use super::{CascadeLimits, LiquidationSlots, Liquidations, MINUTE};
use crate::features::ReadinessSettings;
use barograph_domain::{Kind, Side, Span, StreamIndex, Ts};

/// One liquidation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Closed {
    /// Time of the liquidation, by the venue.
    pub ts: Ts,
    /// Side of the position that was closed.
    pub liquidated_side: Side,
    /// Price in quote units.
    pub price: f64,
    /// Base quantity.
    pub qty: f64,
}

/// A list in order of time: what the streaming part would have been given.
fn ordered(events: &[Closed]) -> Vec<Closed> {
    let mut events: Vec<Closed> =
        events.iter().copied().filter(|e| e.price > 0.0 && e.qty > 0.0 && (e.price * e.qty).is_finite()).collect();
    events.sort_by_key(|e| e.ts);
    events
}

/// Feeds a list to the streaming part minute by minute and calls `each` after every event (with its count of 60 s) and
/// after every minute (without). The list is taken to be complete from `since` on.
pub(crate) fn replay(
    events: &[Closed],
    since: Ts,
    until: Ts,
    limits: CascadeLimits,
    mut each: impl FnMut(&Liquidations, Option<super::Burst>, Ts),
) -> Liquidations {
    let settings =
        ReadinessSettings { span_min: 0.0, coverage_min: 0.0, allow_proxy: true, ..ReadinessSettings::default() };
    let mut stream = Liquidations::new(StreamIndex(0), Kind::Measured, Span::ZERO, MINUTE, limits);
    stream.begin(since);
    let mut minute = since.floor(MINUTE);
    let mut tick =
        |stream: &mut Liquidations, upto: Ts, each: &mut dyn FnMut(&Liquidations, Option<super::Burst>, Ts)| {
            while minute <= upto {
                if stream.settle(minute, &settings) {
                    each(stream, None, minute);
                }
                minute = minute + MINUTE;
            }
        };
    for e in ordered(events).iter().filter(|e| e.ts >= since && e.ts < until) {
        // A minute is over when something later is known.
        tick(&mut stream, (e.ts - Span(1)).floor(MINUTE), &mut each);
        let burst = stream.push(e.ts, e.liquidated_side, e.price, e.qty);
        each(&stream, Some(burst), e.ts);
    }
    tick(&mut stream, until, &mut each);
    stream
}

/// All readings at `at` from a list that is complete for the day before (R4.7).
#[must_use]
pub fn compute_liquidation_metrics(events: &[Closed], at: Ts, limits: CascadeLimits) -> LiquidationSlots {
    let since = events.iter().map(|e| e.ts).min().map_or(at, |first| first.min(at)).min(at - Span::days(1));
    *replay(events, since.floor(MINUTE), at.floor(MINUTE), limits, |_, _, _| {}).slots()
}

/// Zones at `at` from a list (R4.6, R4.7); empty below twenty events of the last seven days.
#[must_use]
pub fn identify_liquidation_support_zones(events: &[Closed], at: Ts) -> Vec<Zone> {
    let mut bins = Bins::default();
    for e in ordered(events).iter().filter(|e| e.ts < at) {
        bins.push(e.ts, e.liquidated_side, e.price, e.price * e.qty);
    }
    bins.settle(at);
    let mut out = Vec::new();
    bins.zones(at, &mut out);
    out
}
