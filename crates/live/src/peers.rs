//! Which markets are of one asset on different venues.

use barograph_domain::{Instrument, Venue};
use std::collections::BTreeMap;

/// Asset and venue of each instrument, in their order. Made anew from the list of instruments, and never saved.
#[derive(Clone, Default, Debug)]
pub(crate) struct Peers {
    assets: BTreeMap<String, usize>,
    of: Vec<(usize, Venue)>,
}

impl Peers {
    /// Enters the instruments that have come since.
    pub(crate) fn grow(&mut self, instruments: &[Instrument]) {
        for instrument in instruments.iter().skip(self.of.len()) {
            let name = &instrument.name;
            // A venue with one quote currency names its contracts by the asset alone.
            let asset = name.base_quote().map_or_else(|| name.symbol.to_ascii_uppercase(), |(base, _)| base);
            let new = self.assets.len();
            self.of.push((*self.assets.entry(asset).or_insert(new), name.venue.clone()));
        }
    }

    /// Are these two of the same asset, and on two venues?
    pub(crate) fn are_apart(&self, one: usize, other: usize) -> bool {
        let both = self.of.get(one).zip(self.of.get(other));
        both.is_some_and(|((asset, venue), (same, elsewhere))| asset == same && venue != elsewhere)
    }
}
