//! Which hours hold a round trip between linked accounts (surveillance §10).
//!
//! A *round trip*: an account with itself, two accounts, or a cycle of three or four in which each sold to the next, whose trades with
//! each other within the hour leave at most a twentieth of their volume in other hands, and whose volume matters: 1 % of the hour's, or
//! twenty trades. What it does not know: whether the accounts belong to one owner. Somebody who opens and closes against the same
//! account within the hour makes one too.

use super::tape::{AccountMark, AccountTrade};
use std::collections::{BTreeMap, BTreeSet};

/// What makes a round trip.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LinkRule {
    /// Largest part of the volume between the accounts that stays in other hands.
    pub net_max: f64,
    /// Least volume between them, in parts of the hour's.
    pub volume_min: f64,
    /// As many trades between them do as well.
    pub trades_min: u32,
    /// Steps of the search for cycles of three and four in one hour.
    pub steps_max: u32,
}

impl Default for LinkRule {
    /// Surveillance §10. The steps are a second's work: an hour of which more would have to be looked at is not labelled.
    fn default() -> Self {
        Self { net_max: 0.05, volume_min: 0.01, trades_min: 20, steps_max: 5_000_000 }
    }
}

/// Accounts whose trades with each other come back to where they began.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkedTrip {
    /// One to four, in ascending order.
    pub accounts: Vec<AccountMark>,
    /// Base volume between them.
    pub gross: f64,
    /// Part of it that stayed in other hands.
    pub net_share: f64,
    /// Trades between them.
    pub trades: u32,
}

/// What is known of an hour.
#[derive(Clone, PartialEq, Debug)]
pub enum HourLabel {
    /// It holds these round trips.
    Linked(Vec<LinkedTrip>),
    /// It holds none among the accounts that are known.
    Clear,
    /// The search was given up with nothing found: too many accounts trade with each other.
    Undecided,
}

/// What one account sold to another: base volume and trades.
#[derive(Clone, Copy, Default)]
struct Sold {
    qty: f64,
    trades: u32,
}

/// Volumes between the accounts of an hour, by seller and buyer.
struct Between {
    sold: BTreeMap<(AccountMark, AccountMark), Sold>,
    /// Buyers of each seller, other than itself, ascending.
    to: BTreeMap<AccountMark, Vec<AccountMark>>,
    volume: f64,
}

/// Labels one hour of a market from its trades.
#[must_use]
pub fn label(hour: &[AccountTrade], rule: &LinkRule) -> HourLabel {
    let between = Between::of(hour);
    let mut found = Vec::new();
    for (seller, buyer) in between.sold.keys() {
        let accounts: &[AccountMark] = if seller == buyer { &[*seller] } else { &[*seller, *buyer] };
        let back = between.sold.contains_key(&(*buyer, *seller));
        if seller <= buyer && back {
            found.extend(between.round_trip(accounts, rule));
        }
    }
    let whole = between.cycles(rule, &mut found);
    match (found.is_empty(), whole) {
        (false, _) => HourLabel::Linked(found),
        (true, true) => HourLabel::Clear,
        (true, false) => HourLabel::Undecided,
    }
}

impl Between {
    fn of(hour: &[AccountTrade]) -> Self {
        let mut sold: BTreeMap<_, Sold> = BTreeMap::new();
        let mut to: BTreeMap<_, BTreeSet<AccountMark>> = BTreeMap::new();
        for trade in hour {
            let Some((seller, buyer)) = trade.seller.zip(trade.buyer) else { continue };
            let of = sold.entry((seller, buyer)).or_default();
            (of.qty, of.trades) = (of.qty + trade.qty, of.trades.saturating_add(1));
            if seller != buyer {
                to.entry(seller).or_default().insert(buyer);
            }
        }
        let to = to.into_iter().map(|(seller, buyers)| (seller, buyers.into_iter().collect())).collect();
        Self { sold, to, volume: hour.iter().map(|t| t.qty).sum() }
    }

    /// The round trip that these accounts make, in ascending order; one account makes it with itself.
    fn round_trip(&self, accounts: &[AccountMark], rule: &LinkRule) -> Option<LinkedTrip> {
        let (mut gross, mut trades) = (0.0, 0_u32);
        let mut net: Vec<f64> = vec![0.0; accounts.len()];
        for (i, seller) in accounts.iter().enumerate() {
            for (j, buyer) in accounts.iter().enumerate().filter(|(j, _)| accounts.len() == 1 || *j != i) {
                let Some(sold) = self.sold.get(&(*seller, *buyer)) else { continue };
                gross += sold.qty;
                trades = trades.saturating_add(sold.trades);
                net[i] -= sold.qty;
                net[j] += sold.qty;
            }
        }
        // What one account has more, another has less.
        let net_share = 0.5 * net.iter().map(|n| n.abs()).sum::<f64>() / gross;
        let counts = gross >= rule.volume_min * self.volume || trades >= rule.trades_min;
        // Sums of decimals: what is a billionth of a share is rounding.
        (gross > 0.0 && net_share <= rule.net_max + 1e-9 && counts).then(|| LinkedTrip {
            accounts: accounts.to_vec(),
            gross,
            net_share,
            trades,
        })
    }

    /// Adds what cycles of three and four make, each set of accounts once. `false`: the search was given up.
    fn cycles(&self, rule: &LinkRule, found: &mut Vec<LinkedTrip>) -> bool {
        let mut seen: BTreeSet<Vec<AccountMark>> = BTreeSet::new();
        let mut steps = rule.steps_max;
        for first in self.to.keys() {
            let mut path = vec![*first];
            if !self.search(&mut path, &mut steps, &mut seen) {
                found.extend(seen.iter().filter_map(|accounts| self.round_trip(accounts, rule)));
                return false;
            }
        }
        found.extend(seen.iter().filter_map(|accounts| self.round_trip(accounts, rule)));
        true
    }

    /// Goes on from the last account of a path to each it sold to. The first is the smallest of its cycle, so that none is gone twice.
    fn search(&self, path: &mut Vec<AccountMark>, steps: &mut u32, seen: &mut BTreeSet<Vec<AccountMark>>) -> bool {
        let (Some(first), Some(last)) = (path.first().copied(), path.last()) else { return true };
        for next in self.to.get(last).into_iter().flatten() {
            let Some(left) = steps.checked_sub(1) else { return false };
            *steps = left;
            if *next == first && path.len() >= 3 {
                let mut accounts = path.clone();
                accounts.sort_unstable();
                seen.insert(accounts);
            } else if *next > first && path.len() < 4 && !path.contains(next) {
                path.push(*next);
                let whole = self.search(path, steps, seen);
                path.pop();
                if !whole {
                    return false;
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Side, Ts};

    /// Seller, buyer and size.
    type SoldTo = (u64, u64, f64);
    /// What it is, its trades, volume between accounts that are not known, and the sets that are found.
    type LinkCase<'a> = (&'a str, &'a [SoldTo], f64, &'a [&'a [u64]]);

    fn hour(deals: &[SoldTo], unknown: f64) -> Vec<AccountTrade> {
        let mark = |account: u64| Some(AccountMark(account));
        let deal = |(seller, buyer, qty): &SoldTo| (mark(*seller), mark(*buyer), *qty);
        let all = deals.iter().map(deal).chain([(None, mark(99), unknown)]);
        all.filter(|(.., qty)| *qty > 0.0)
            .map(|(seller, buyer, qty)| AccountTrade {
                at: Ts::from_secs(1),
                ticks: 1,
                qty,
                aggressor_side: Side::Long,
                buyer,
                seller,
            })
            .collect()
    }

    fn sets(deals: &[SoldTo], unknown: f64) -> Vec<Vec<u64>> {
        match label(&hour(deals, unknown), &LinkRule::default()) {
            HourLabel::Linked(found) => found.iter().map(|f| f.accounts.iter().map(|a| a.0).collect()).collect(),
            HourLabel::Clear => Vec::new(),
            HourLabel::Undecided => panic!("a few accounts are searched"),
        }
    }

    #[test]
    fn round_trips_are_what_comes_back() {
        let many = |n: usize| [(1, 2, 0.5), (2, 1, 0.5)].repeat(n / 2);
        let cases: [LinkCase<'_>; 12] = [
            ("a linked pair", &[(1, 2, 5.0), (2, 1, 5.0)], 0.0, &[&[1, 2]]),
            ("to a twentieth", &[(1, 2, 10.5), (2, 1, 9.5)], 0.0, &[&[1, 2]]),
            ("and not beyond it", &[(1, 2, 10.6), (2, 1, 9.4)], 0.0, &[]),
            ("an account with itself", &[(4, 4, 1.0), (1, 2, 9.0)], 0.0, &[&[4]]),
            ("a cycle of three", &[(1, 2, 3.0), (2, 3, 3.0), (3, 1, 3.0)], 0.0, &[&[1, 2, 3]]),
            ("a cycle of four", &[(1, 2, 3.0), (2, 3, 3.0), (3, 4, 3.0), (4, 1, 3.0)], 0.0, &[&[1, 2, 3, 4]]),
            (
                "a cycle of five is too long",
                &[(1, 2, 3.0), (2, 3, 3.0), (3, 4, 3.0), (4, 5, 3.0), (5, 1, 3.0)],
                0.0,
                &[],
            ),
            ("a cycle that loses on the way", &[(1, 2, 3.0), (2, 3, 3.0), (3, 1, 1.0)], 0.0, &[]),
            ("one-sided", &[(1, 2, 3.0), (1, 2, 2.0), (1, 3, 1.0)], 0.0, &[]),
            (
                "a market maker with everyone",
                &[(9, 1, 5.0), (9, 2, 3.0), (3, 9, 4.0), (4, 9, 4.0), (9, 5, 2.0), (6, 9, 2.0)],
                0.0,
                &[],
            ),
            ("less than a hundredth of the hour", &[(1, 2, 0.4), (2, 1, 0.4)], 100.0, &[]),
            ("less than a hundredth, in twenty trades", &many(20), 1e6, &[&[1, 2]]),
        ];
        for (what, deals, unknown, want) in cases {
            assert_eq!(sets(deals, unknown), want, "{what}");
        }
        assert_eq!(sets(&many(18), 1e6), Vec::<Vec<u64>>::new(), "eighteen trades are not twenty");
    }

    #[test]
    fn a_search_that_is_given_up_says_so() {
        let crowd: Vec<SoldTo> = (1..20).flat_map(|a| (a + 1..20).map(move |b| (a, b, 1.0))).collect();
        let short = LinkRule { steps_max: 50, ..LinkRule::default() };
        assert_eq!(label(&hour(&crowd, 0.0), &short), HourLabel::Undecided);
        assert_eq!(label(&hour(&crowd, 0.0), &LinkRule::default()), HourLabel::Clear);
        let with_pair: Vec<SoldTo> = crowd.iter().copied().chain([(30, 31, 9.0), (31, 30, 9.0)]).collect();
        let HourLabel::Linked(found) = label(&hour(&with_pair, 0.0), &short) else { panic!("the pair was found") };
        assert_eq!((found[0].trades, found[0].gross, found[0].net_share), (2, 18.0, 0.0));
    }
}
