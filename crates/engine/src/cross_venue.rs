//! The best bid and the lowest ask of one asset over several venues (features §2.6, `cross_venue_spread_bps`; R4.67).
//!
//! `1e4·(max bid − min ask)/mid`, where mid is between the two. Above zero the bid of one venue is above the ask of another, before any
//! fee; below zero nothing crosses. Which quotes are fresh, and which mean the same asset, is for the caller to know.

use barograph_domain::Reason;

/// Best prices of one venue, in its quote currency.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct VenueQuote<'a> {
    /// Who quotes.
    pub venue: &'a str,
    /// Best bid.
    pub bid: f64,
    /// Best ask.
    pub ask: f64,
}

/// The two quotes between which the spread is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CrossVenueSpread {
    /// Place of the highest bid among the quotes; of equal ones the first.
    pub bid: usize,
    /// Place of the lowest ask.
    pub ask: usize,
    /// The bid less the ask, in ten-thousandths of what is between them.
    pub spread_bps: f64,
    /// Between the two.
    pub mid: f64,
}

/// The spread over these quotes; a quote whose prices cannot be ones is left out.
///
/// # Errors
/// [`Reason::MissingInput`] with fewer than two venues.
pub fn cross_venue_spread(quotes: &[VenueQuote<'_>]) -> Result<CrossVenueSpread, Reason> {
    let usable = |q: &VenueQuote<'_>| q.bid > 0.0 && q.ask >= q.bid && q.ask.is_finite();
    let known = || quotes.iter().enumerate().filter(|(_, q)| usable(q));
    let first = known().next().ok_or(Reason::MissingInput)?;
    if known().all(|(_, q)| q.venue == first.1.venue) {
        return Err(Reason::MissingInput);
    }
    let (bid, ask) = known().skip(1).fold((first, first), |(bid, ask), one| {
        (if one.1.bid > bid.1.bid { one } else { bid }, if one.1.ask < ask.1.ask { one } else { ask })
    });
    let mid = f64::midpoint(bid.1.bid, ask.1.ask);
    Ok(CrossVenueSpread { bid: bid.0, ask: ask.0, spread_bps: 1e4 * (bid.1.bid - ask.1.ask) / mid, mid })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(venue: &str, bid: f64, ask: f64) -> VenueQuote<'_> {
        VenueQuote { venue, bid, ask }
    }

    #[test]
    fn the_highest_bid_is_held_against_the_lowest_ask() {
        let quotes = [of("a", 100.0, 100.1), of("b", 100.5, 100.6), of("c", 99.9, 100.2)];
        let found = cross_venue_spread(&quotes).unwrap();
        assert_eq!((found.bid, found.ask), (1, 0));
        // 0.4 of 100.3.
        assert!(
            (found.spread_bps - 39.880_358_923_230_31).abs() < 1e-9 && (found.mid - 100.3).abs() < 1e-12,
            "{found:?}"
        );
        let apart = cross_venue_spread(&[of("a", 100.0, 100.1), of("b", 99.9, 100.2)]).unwrap();
        assert_eq!((apart.bid, apart.ask), (0, 0), "both of one venue: nothing crosses");
        assert!(apart.spread_bps < 0.0);
    }

    #[test]
    fn one_venue_is_too_few_and_broken_quotes_do_not_count() {
        for quotes in [
            vec![],
            vec![of("a", 100.0, 100.1)],
            vec![of("a", 100.0, 100.1), of("a", 100.5, 100.6)],
            vec![of("a", 100.0, 100.1), of("b", 0.0, 100.6)],
            vec![of("a", 100.0, 100.1), of("b", 101.0, 100.6)],
            vec![of("a", 100.0, 100.1), of("b", f64::NAN, 100.6)],
            vec![of("a", 100.0, 100.1), of("b", 99.0, f64::INFINITY)],
        ] {
            assert_eq!(cross_venue_spread(&quotes), Err(Reason::MissingInput), "{quotes:?}");
        }
    }
}
