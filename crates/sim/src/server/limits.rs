//! Request budgets: weight per clock minute, pools per five minutes, and the ban of those who do not listen.

use crate::Venue;
use barograph_domain::{Span, Ts};

/// What a request is charged against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cost {
    /// Weight of the minute.
    Weight(u32),
    /// Funding routes of USD-M: 500 requests in five minutes.
    Funding,
    /// `/futures/data/*`: 1000 requests in five minutes.
    Data,
    /// Requests in a second: 10 on Coinbase, 400 on CoinEx.
    PerSecond,
}

/// The answer to a request for budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BudgetAnswer {
    /// Weight used in this minute so far, where it is reported.
    Allowed(Option<u32>),
    /// Too many; wait this long.
    TooMany(Span),
    /// Banned for ignoring it; wait this long.
    Banned(Span),
}

/// A counter that starts again at every full period.
#[derive(Clone, Copy, Debug)]
struct Budget {
    period: Span,
    limit: u32,
    since: Ts,
    used: u32,
}

impl Budget {
    const fn new(period: Span, limit: u32) -> Self {
        Self { period, limit, since: Ts(0), used: 0 }
    }

    /// Charges; the wait when it was too much.
    fn charge(&mut self, cost: u32, now: Ts) -> Result<u32, Span> {
        let since = now.floor(self.period);
        if since != self.since {
            (self.since, self.used) = (since, 0);
        }
        self.used = self.used.saturating_add(cost);
        if self.used > self.limit { Err(since + self.period - now) } else { Ok(self.used) }
    }
}

/// Requests per second on Coinbase and on CoinEx.
pub(crate) const PER_SECOND: (u32, u32) = (10, 400);
/// Refusals in a row after which a venue bans.
const PATIENCE: u32 = 10;
const BAN: Span = Span::mins(2);

/// The budgets of one client on all venues.
#[derive(Debug)]
pub(crate) struct ClientBudgets {
    enforced: bool,
    usdm: Budget,
    funding: Budget,
    data: Budget,
    spot: Budget,
    coinbase: Budget,
    coinex: Budget,
    /// Connection attempts: 300 in five minutes on Binance, 8 in a second on Coinbase. CoinEx names no limit.
    sockets: [Budget; Venue::COUNT],
    refused: [u32; Venue::COUNT],
    banned: [Ts; Venue::COUNT],
}

impl ClientBudgets {
    pub(crate) const fn new(enforced: bool) -> Self {
        let five = Span::mins(5);
        Self {
            enforced,
            usdm: Budget::new(Span::mins(1), 2_400),
            funding: Budget::new(five, 500),
            data: Budget::new(five, 1_000),
            spot: Budget::new(Span::mins(1), 6_000),
            coinbase: Budget::new(Span::secs(1), PER_SECOND.0),
            coinex: Budget::new(Span::secs(1), PER_SECOND.1),
            sockets: [
                Budget::new(five, 300),
                Budget::new(five, 300),
                Budget::new(Span::secs(1), 8),
                Budget::new(five, u32::MAX),
            ],
            refused: [0; Venue::COUNT],
            banned: [Ts(0); Venue::COUNT],
        }
    }

    pub(crate) fn charge(&mut self, venue: Venue, cost: Cost, now: Ts) -> BudgetAnswer {
        let number = venue as usize;
        if self.enforced && self.banned[number] > now {
            return BudgetAnswer::Banned(self.banned[number] - now);
        }
        let charged = match cost {
            Cost::Weight(weight) if venue == Venue::BinanceSpot => self.spot.charge(weight, now).map(Some),
            Cost::Weight(weight) => self.usdm.charge(weight, now).map(Some),
            Cost::Funding => self.funding.charge(1, now).map(|_used| None),
            Cost::Data => self.data.charge(1, now).map(|_used| None),
            Cost::PerSecond if venue == Venue::Coinex => self.coinex.charge(1, now).map(Some),
            Cost::PerSecond => self.coinbase.charge(1, now).map(Some),
        };
        match charged {
            Err(wait) if self.enforced => {
                self.refused[number] += 1;
                if self.refused[number] > PATIENCE && matches!(venue, Venue::BinanceUsdm | Venue::BinanceSpot) {
                    self.banned[number] = now + BAN;
                    self.refused[number] = 0;
                }
                BudgetAnswer::TooMany(wait)
            }
            Err(_) => BudgetAnswer::Allowed(None),
            Ok(used) => {
                self.refused[number] = 0;
                BudgetAnswer::Allowed(used)
            }
        }
    }

    /// Whether one more connection attempt is within the venue's limit.
    pub(crate) fn socket(&mut self, venue: Venue, now: Ts) -> Result<(), Span> {
        let charged = self.sockets[venue as usize].charge(1, now).map(|_used| ());
        if self.enforced { charged } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_weight_then_refusals_then_a_ban() {
        let mut limits = ClientBudgets::new(true);
        let now = Ts::from_secs(60_030);
        let charge = |l: &mut ClientBudgets, now| l.charge(Venue::BinanceUsdm, Cost::Weight(600), now);
        for n in 1..=4 {
            assert_eq!(charge(&mut limits, now), BudgetAnswer::Allowed(Some(n * 600)));
        }
        for _ in 0..=PATIENCE {
            assert_eq!(charge(&mut limits, now), BudgetAnswer::TooMany(Span::secs(30)));
        }
        assert_eq!(charge(&mut limits, now), BudgetAnswer::Banned(BAN));
        assert_eq!(charge(&mut limits, now + BAN), BudgetAnswer::Allowed(Some(600)));
        assert_eq!(limits.charge(Venue::BinanceSpot, Cost::Weight(1), now), BudgetAnswer::Allowed(Some(1)));
    }

    #[test]
    fn nothing_is_refused_where_limits_are_off() {
        let mut limits = ClientBudgets::new(false);
        for _ in 0..100 {
            let verdict = limits.charge(Venue::BinanceUsdm, Cost::Weight(600), Ts::from_secs(60));
            assert!(matches!(verdict, BudgetAnswer::Allowed(_)));
        }
    }
}
