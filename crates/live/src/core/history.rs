//! Which markets still wait for history, and which are whole.

use super::VenueState;
use crate::catchup::{CatchingUp, is_settled};
use barograph_engine::Engine;
use barograph_venues::session::MarketIndex;
use std::collections::BTreeSet;

/// Instruments of which history is still to be fetched that the engine makes something of.
pub(super) fn fetching(venues: &[VenueState], engine: &Engine) -> BTreeSet<usize> {
    let wanted = |venue: &VenueState, market: u32| {
        let market = MarketIndex(market);
        let read = |metric| venue.place(market, metric).is_some_and(|stream| engine.reads(stream));
        venue.session.fetching(market, &read)
    };
    let mut found = BTreeSet::new();
    for venue in venues {
        let own = (0_u32..).zip(&venue.instruments).filter(|(market, _)| wanted(venue, *market));
        found.extend(own.map(|(_, instrument)| *instrument as usize));
    }
    found
}

pub(super) fn catching_up(venues: &[VenueState], engine: &Engine) -> CatchingUp {
    CatchingUp { fetching: fetching(venues, engine), all_live: all_live(venues) }
}

/// Instruments of which every stream that venues keep a history of is live.
fn all_live(venues: &[VenueState]) -> BTreeSet<usize> {
    let instruments = |live: bool| {
        venues.iter().flat_map(move |venue| {
            let all = venue.session.continuity().all().iter();
            let some = all.filter(move |stream| is_settled(stream) == live);
            some.filter_map(move |stream| venue.instruments.get(stream.market.index())).map(|i| *i as usize)
        })
    };
    let unsettled: BTreeSet<usize> = instruments(false).collect();
    instruments(true).filter(|i| !unsettled.contains(i)).collect()
}
