//! Fills of accounts become the tape that everybody sees: one trade where both of its accounts are known, one where only one is.
//!
//! A fill is one account's half of a trade. Two are the halves of one where time, price and size are the same to the bit, sides are
//! opposite, and one of them took. Halves are joined once, in the order of the file. A half alone is a trade as well: its other account
//! is not in the set. What this cannot know: with several equal halves in one second, which belongs to which; such trades are counted.

use barograph_domain::{Side, Ts};
use std::collections::BTreeMap;

/// An account, by a salted hash: equal marks are one account, nothing else can be read from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountMark(pub u64);

/// One account's half of a trade.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AccountFill {
    /// When, by the venue's clock.
    pub at: Ts,
    /// Whose.
    pub account: AccountMark,
    /// Which side the account took of it: `Long` bought.
    pub side: Side,
    /// Price in ticks of the market.
    pub ticks: i64,
    /// Base quantity, above 0.
    pub qty: f64,
    /// The account took; otherwise its order rested.
    pub took: bool,
}

/// A trade, with as many of its accounts as are known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AccountTrade {
    /// When.
    pub at: Ts,
    /// Price in ticks.
    pub ticks: i64,
    /// Base quantity.
    pub qty: f64,
    /// Side that took.
    pub aggressor_side: Side,
    /// Who bought.
    pub buyer: Option<AccountMark>,
    /// Who sold.
    pub seller: Option<AccountMark>,
}

/// The tape of one market.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FillTape {
    /// Trades in the order of time.
    pub trades: Vec<AccountTrade>,
    /// Trades of which both accounts are known.
    pub joined: usize,
    /// Joined trades that could have been joined otherwise: an equal half of another account was there in the same second.
    pub ambiguous: usize,
}

/// What two halves of a trade share.
type HalfKey = (Ts, i64, u64);

/// Makes the tape of one market of its fills, which are in the order of time.
#[must_use]
pub fn join(fills: &[AccountFill]) -> FillTape {
    let mut groups: BTreeMap<HalfKey, Vec<usize>> = BTreeMap::new();
    for (at, fill) in fills.iter().enumerate() {
        groups.entry((fill.at, fill.ticks, fill.qty.to_bits())).or_default().push(at);
    }
    let mut other: Vec<Option<usize>> = vec![None; fills.len()];
    let mut tape = FillTape::default();
    for group in groups.values() {
        for (nth, at) in group.iter().enumerate() {
            let fits = |to: &&usize| {
                let (a, b) = (&fills[*at], &fills[**to]);
                other[**to].is_none() && a.side != b.side && a.took != b.took
            };
            let Some(to) = group[nth + 1..].iter().find(fits).copied().filter(|_| other[*at].is_none()) else {
                continue;
            };
            (other[*at], other[to]) = (Some(to), Some(*at));
            tape.joined += 1;
            let rival = |half: usize| {
                let own = &fills[half];
                group.iter().any(|r| {
                    let r = &fills[*r];
                    r.side == own.side && r.took == own.took && r.account != own.account
                })
            };
            tape.ambiguous += usize::from(rival(*at) || rival(to));
        }
    }
    let second_half = |at: usize| other[at].is_some_and(|first| first < at);
    let whole = |at: usize| trade(&fills[at], other[at].map(|to| &fills[to]));
    tape.trades = (0..fills.len()).filter(|at| !second_half(*at)).map(whole).collect();
    tape
}

fn trade(one: &AccountFill, other: Option<&AccountFill>) -> AccountTrade {
    let (own, its) = (Some(one.account), other.map(|o| o.account));
    let (buyer, seller) = if one.side == Side::Long { (own, its) } else { (its, own) };
    let aggressor_side = match (one.took, one.side) {
        (true, side) => side,
        (false, Side::Long) => Side::Short,
        (false, Side::Short) => Side::Long,
    };
    AccountTrade { at: one.at, ticks: one.ticks, qty: one.qty, aggressor_side, buyer, seller }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn fill(second: i64, account: u64, side: Side, qty: f64, took: bool) -> AccountFill {
        AccountFill { at: Ts::from_secs(second), account: AccountMark(account), side, ticks: 100, qty, took }
    }

    #[test]
    fn halves_are_joined_where_all_fits_and_once() {
        use Side::{Long, Short};
        let (a, b) = (Some(AccountMark(1)), Some(AccountMark(2)));
        // The halves; then buyer, seller and aggressor of each trade, and how many of them were ambiguous.
        type ExpectedTape<'a> = &'a [(Option<AccountMark>, Option<AccountMark>, Side)];
        let cases: [(&[AccountFill], ExpectedTape<'_>, usize); 7] = [
            (&[fill(1, 1, Long, 2.0, true), fill(1, 2, Short, 2.0, false)], &[(a, b, Long)], 0),
            (&[fill(1, 1, Long, 2.0, false), fill(1, 2, Short, 2.0, true)], &[(a, b, Short)], 0),
            (&[fill(1, 1, Long, 2.0, true), fill(1, 1, Short, 2.0, false)], &[(a, a, Long)], 0),
            (&[fill(1, 1, Long, 2.0, true), fill(1, 2, Short, 2.0, true)], &[(a, None, Long), (None, b, Short)], 0),
            (&[fill(1, 1, Long, 2.0, true), fill(2, 2, Short, 2.0, false)], &[(a, None, Long), (None, b, Long)], 0),
            (&[fill(1, 1, Long, 2.0, true), fill(1, 2, Short, 2.1, false)], &[(a, None, Long), (None, b, Long)], 0),
            (
                &[fill(1, 1, Long, 2.0, true), fill(1, 2, Short, 2.0, false), fill(1, 3, Short, 2.0, false)],
                &[(a, b, Long), (None, Some(AccountMark(3)), Long)],
                1,
            ),
        ];
        for (fills, want, ambiguous) in cases {
            let tape = join(fills);
            let got: Vec<_> = tape.trades.iter().map(|t| (t.buyer, t.seller, t.aggressor_side)).collect();
            assert_eq!((got.as_slice(), tape.ambiguous), (want, ambiguous), "{fills:?}");
        }
    }
}
