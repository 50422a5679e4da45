//! The same second on several venues: every market notes what is compared of its rows, and a row is compared when those of the others that
//! were due are there.

use super::rows::CLOSE_AFTER;
use barograph_columns::venues::compared;
use barograph_columns::{ResearchRow, SECOND, VenueSecond};
use barograph_domain::cell::Reason;
use barograph_domain::leg::is_comparable;
use barograph_domain::{Instrument, InstrumentName, Span, Ts};
use std::collections::BTreeMap;

/// A row waits no longer than this for the others, by its own receive clock.
const WAIT_MAX: Span = Span::secs(10);
/// Seconds that are remembered of a market that is played together with the others: behind a silence all that it made due are noted before
/// the first of them is compared, and a silence makes no more than ten minutes of them.
const KEPT: Span = Span::mins(11);

/// One market of it.
#[derive(Debug)]
struct BoardMember {
    market: Instrument,
    seconds: BTreeMap<Ts, VenueSecond>,
    /// All that was received up to here is in.
    passed: Ts,
    /// It was played before: all of it is there.
    is_whole: bool,
}

/// Are two markets compared? They are [comparable](is_comparable), and of two venues.
pub(super) fn are_compared(a: &Instrument, b: &Instrument) -> bool {
    a.name.venue != b.name.venue && is_comparable(a, b)
}

/// Markets that are compared with each other.
#[derive(Debug, Default)]
pub(super) struct VenueBoard {
    members: Vec<BoardMember>,
    reference: Option<InstrumentName>,
}

impl VenueBoard {
    /// `reference`: whose returns are given, where somebody has chosen.
    pub(super) const fn new(reference: Option<InstrumentName>) -> Self {
        Self { members: Vec::new(), reference }
    }

    /// One more market; its number.
    pub(super) fn join(&mut self, market: Instrument) -> usize {
        self.members.push(BoardMember { market, seconds: BTreeMap::new(), passed: Ts::MIN, is_whole: false });
        self.members.len() - 1
    }

    /// A market that is played to its end before the others: none of its seconds is let go.
    pub(super) fn join_whole(&mut self, market: Instrument) -> usize {
        let member = self.join(market);
        self.members[member].is_whole = true;
        member
    }

    /// Was a market met?
    pub(super) fn has(&self, market: &InstrumentName) -> bool {
        self.members.iter().any(|one| one.market.name == *market)
    }

    /// The row of a second is made.
    pub(super) fn note(&mut self, member: usize, t: Ts, row: &ResearchRow) {
        let one = &mut self.members[member];
        one.seconds.insert(t, VenueSecond::of(row));
        while !one.is_whole && one.seconds.first_key_value().is_some_and(|(first, _)| t - *first > KEPT) {
            one.seconds.pop_first();
        }
    }

    /// All that a market received up to a moment is in.
    pub(super) fn pass(&mut self, member: usize, recv: Ts) {
        let one = &mut self.members[member];
        one.passed = one.passed.max(recv);
    }

    fn others(&self, member: usize) -> impl Iterator<Item = &BoardMember> {
        let own = &self.members[member].market;
        let another = move |(at, one): &(usize, &BoardMember)| *at != member && are_compared(own, &one.market);
        self.members.iter().enumerate().filter(another).map(|(_, one)| one)
    }

    /// Has every market that is compared with this one made its row of a second?
    pub(super) fn is_ready(&self, member: usize, t: Ts) -> bool {
        let is_there = |one: &BoardMember| one.is_whole || one.passed > t + CLOSE_AFTER;
        self.members[member].passed >= t + WAIT_MAX || self.others(member).all(is_there)
    }

    /// Columns 191 to 193 of a market's row.
    pub(super) fn compared(&self, member: usize, t: Ts) -> [Result<f64, Reason>; 3] {
        let none = VenueSecond { mid: Err(Reason::MissingInput), notional: Err(Reason::MissingInput) };
        let at = |one: &BoardMember, t: Ts| one.seconds.get(&t).copied().unwrap_or(none);
        let others: Vec<VenueSecond> = self.others(member).map(|one| at(one, t)).collect();
        let reference = self.reference_of(member).map(|one| [at(one, t - SECOND).mid, at(one, t).mid]);
        compared(at(&self.members[member], t), &others, reference)
    }

    /// Whose returns the rows of a market have: the chosen one's, else Binance's, else the first by name. Of Binance's markets the one in
    /// its own quote comes first, then the one in USDT.
    fn reference_of(&self, member: usize) -> Option<&BoardMember> {
        if let Some(name) = &self.reference {
            return self.members.iter().find(|one| one.market.name == *name);
        }
        self.others(member).next()?;
        let quote = |one: &BoardMember| one.market.name.base_quote().map(|(_, quote)| quote);
        let own = quote(&self.members[member]);
        let rank = |one: &&BoardMember| {
            let by = quote(one);
            let place = match one.market.name.venue.exchange() {
                "binance" if by == own => 0,
                "binance" if by.as_deref() == Some("USDT") => 1,
                "binance" => 2,
                _ => 3,
            };
            (place, one.market.name.clone())
        };
        self.others(member).chain([&self.members[member]]).min_by_key(rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::MarketKind;

    #[test]
    fn a_market_is_compared_with_other_venues_and_the_reference_is_nearest_to_it() {
        let perpetual = |name: &str| Instrument {
            name: InstrumentName::parse(name).unwrap(),
            kind: MarketKind::Perpetual,
            expiry: None,
        };
        let mut board = VenueBoard::default();
        for name in ["binance-usdm:BTCUSDC", "binance-usdm:BTCUSDT", "bybit:BTCUSDC", "bybit:BTCUSDT", "bitget:BTCUSD"]
        {
            board.join(perpetual(name));
        }
        let shown = |one: &BoardMember| one.market.name.to_string();
        for (member, others, reference) in [
            (0, "bybit:BTCUSDC bybit:BTCUSDT bitget:BTCUSD", "binance-usdm:BTCUSDC"),
            (1, "bybit:BTCUSDC bybit:BTCUSDT bitget:BTCUSD", "binance-usdm:BTCUSDT"),
            (2, "binance-usdm:BTCUSDC binance-usdm:BTCUSDT bitget:BTCUSD", "binance-usdm:BTCUSDC"),
            (3, "binance-usdm:BTCUSDC binance-usdm:BTCUSDT bitget:BTCUSD", "binance-usdm:BTCUSDT"),
            (4, "binance-usdm:BTCUSDC binance-usdm:BTCUSDT bybit:BTCUSDC bybit:BTCUSDT", "binance-usdm:BTCUSDT"),
        ] {
            assert_eq!(board.others(member).map(shown).collect::<Vec<_>>().join(" "), others, "member {member}");
            assert_eq!(board.reference_of(member).map(shown).as_deref(), Some(reference), "member {member}");
        }
    }
}
