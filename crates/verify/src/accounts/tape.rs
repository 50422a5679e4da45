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
    /// Whose fill it is.
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
    /// When, by the clock of the venue.
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
        let queue = |side: Side, took: bool| -> Vec<usize> {
            let is_of = |at: &usize| fills[*at].side == side && fills[*at].took == took;
            group.iter().copied().filter(is_of).collect()
        };
        let is_mixed = |queue: &[usize]| queue.iter().any(|at| fills[*at].account != fills[queue[0]].account);
        // Halves of one side and role are alike, so the nth of them belongs to the nth of their opposites: each is looked at once,
        // however many are equal.
        for buyer_took in [true, false] {
            let (buyers, sellers) = (queue(Side::Long, buyer_took), queue(Side::Short, !buyer_took));
            for (one, its) in buyers.iter().zip(&sellers) {
                (other[*one], other[*its]) = (Some(*its), Some(*one));
            }
            let joined = buyers.len().min(sellers.len());
            tape.joined += joined;
            if is_mixed(&buyers) || is_mixed(&sellers) {
                tape.ambiguous += joined;
            }
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

    /// Each half looking through all the others would be 10^10 steps here, which no run of the tests waits for.
    #[test]
    fn many_equal_halves_are_joined_in_the_order_of_the_file() {
        let n = 100_000;
        let takers = (0..n).map(|k| fill(1, k, Side::Long, 2.0, true));
        let makers = (0..n).map(|k| fill(1, n + k, Side::Short, 2.0, false));
        let fills: Vec<AccountFill> = takers.chain(makers).collect();
        let tape = join(&fills);
        assert_eq!((tape.trades.len(), tape.joined, tape.ambiguous), (100_000, 100_000, 100_000));
        let is_nth = |(k, trade): (u64, &AccountTrade)| {
            trade.buyer == Some(AccountMark(k)) && trade.seller == Some(AccountMark(n + k))
        };
        assert!((0..n).zip(&tape.trades).all(is_nth));
    }
}
