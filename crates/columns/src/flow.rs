//! What the trades of a second add to the columns of trade flow (features §7), ready to be summed over windows.
//!
//! Counts, signs and gaps between trades are whole numbers: their sums are exact in any order.

use crate::merge::{Merge, merge_fields};
use crate::row::ratio;
use barograph_domain::cell::Reason;
use barograph_domain::math;

/// Basis points.
const BPS: f64 = 1e4;
/// Trades that a statistic of neighbours needs.
const TRADES_MIN: u32 = 30;
/// Trades that a largest size needs.
const LARGEST_MIN: u32 = 10;

/// A trade with what was known when it happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TakenTrade {
    /// Price it was made at, in quote.
    pub price: f64,
    /// How much was traded, in base.
    pub qty: f64,
    /// The buyer took liquidity.
    pub is_buy: bool,
    /// Mid in force before it; `None` where the book was not to be used.
    pub mid: Option<f64>,
    /// Nanoseconds since the trade received before it, negative where that happened later; `None` of the first after a gap.
    pub since_ns: Option<i64>,
    /// The trade before it was a buy.
    pub before_is_buy: Option<bool>,
}

impl TakenTrade {
    fn sign(&self) -> f64 {
        if self.is_buy { 1.0 } else { -1.0 }
    }
}

/// The greatest of sizes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Largest(f64);

impl Merge for Largest {
    const EMPTY: Self = Self(0.0);

    fn merge(self, right: Self) -> Self {
        Self(self.0.max(right.0))
    }
}

/// How much was traded in a window.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct FlowSums {
    /// Trades, and those of buyers.
    pub trades: u32,
    /// Trades of buyers.
    pub buys: u32,
    /// All that was traded, in base.
    pub volume: f64,
    /// Base of buyers less that of sellers.
    pub signed: f64,
    /// All that was traded, in quote.
    pub notional: f64,
}

merge_fields!(FlowSums { trades, buys, volume, signed, notional });

impl FlowSums {
    /// (buy − sell) / (buy + sell) in base.
    ///
    /// # Errors
    /// Where nothing was traded.
    pub fn imbalance(&self) -> Result<f64, Reason> {
        ratio(self.signed, self.volume)
    }

    /// The same in numbers of trades.
    ///
    /// # Errors
    /// As [`Self::imbalance`].
    pub fn count_imbalance(&self) -> Result<f64, Reason> {
        let (buys, all) = (f64::from(self.buys), f64::from(self.trades));
        ratio(2.0 * buys - all, all)
    }

    /// Mean price by volume.
    ///
    /// # Errors
    /// As [`Self::imbalance`].
    pub fn vwap(&self) -> Result<f64, Reason> {
        ratio(self.notional, self.volume)
    }

    /// Mean size of a trade, in base.
    ///
    /// # Errors
    /// As [`Self::imbalance`].
    pub fn mean_size(&self) -> Result<f64, Reason> {
        ratio(self.volume, f64::from(self.trades))
    }
}

/// Trades of a window.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Flow {
    /// How much was traded.
    pub sums: FlowSums,
    /// Quote of buyers less that of sellers.
    pub signed_notional: f64,
    /// Base of the largest.
    largest: Largest,
    /// Base of trades with a mid before them, and their effective spread times it, in basis points.
    pub(crate) effective: [f64; 2],
    /// Pairs of neighbours, each in the second of the later: how many, nanoseconds between them, their squares.
    gaps: (u32, (i64, u128)),
    /// Pairs of neighbours: how many, and sums of the sign, of the sign before, and of their product.
    signs: [i32; 4],
}

merge_fields!(Flow { sums, signed_notional, largest, effective, gaps, signs });

impl Flow {
    /// Adds a trade.
    pub fn take(&mut self, one: &TakenTrade) {
        let (sign, quote) = (one.sign(), one.price * one.qty);
        self.sums.trades += 1;
        self.sums.buys += u32::from(one.is_buy);
        self.sums.volume += one.qty;
        self.sums.signed += sign * one.qty;
        self.sums.notional += quote;
        self.signed_notional += sign * quote;
        self.largest = self.largest.merge(Largest(one.qty));
        if let Some(mid) = one.mid {
            self.effective[0] += one.qty;
            self.effective[1] += one.qty * 2.0 * sign * BPS * math::ln(one.price / mid);
        }
        if let Some(ns) = one.since_ns {
            let (n, (sum, squares)) = self.gaps;
            let length = u128::from(ns.unsigned_abs());
            self.gaps = (n + 1, (sum + ns, squares + length * length));
        }
        if let Some(before) = one.before_is_buy {
            let of = |is_buy: bool| if is_buy { 1 } else { -1 };
            let (now, before) = (of(one.is_buy), of(before));
            self.signs = [self.signs[0] + 1, self.signs[1] + now, self.signs[2] + before, self.signs[3] + now * before];
        }
    }

    /// The largest trade over the mean.
    ///
    /// # Errors
    /// Fewer than ten trades.
    pub fn largest_ratio(&self) -> Result<f64, Reason> {
        if self.sums.trades < LARGEST_MIN {
            Err(Reason::Warming)
        } else {
            ratio(self.largest.0, self.sums.mean_size()?)
        }
    }

    /// Mean of twice the signed distance of price from the mid before, by volume, in basis points.
    ///
    /// # Errors
    /// No trade had a mid before it.
    pub fn effective_spread(&self) -> Result<f64, Reason> {
        effective_spread(self.effective)
    }

    /// Spread of the gaps between trades over their mean: 1 where they come by chance alone.
    ///
    /// # Errors
    /// Fewer than thirty trades, or all at one moment.
    pub fn gap_variation(&self) -> Result<f64, Reason> {
        let (n, (sum, squares)) = self.gaps;
        if self.sums.trades < TRADES_MIN || n == 0 {
            return Err(Reason::Warming);
        }
        // n Σx² − (Σx)² is exact, and never negative.
        let length = u128::from(sum.unsigned_abs());
        let spread = u128::from(n) * squares - length * length;
        ratio((spread as f64).sqrt(), sum as f64)
    }

    /// Correlation of a trade's sign with that of the one before.
    ///
    /// # Errors
    /// Fewer than thirty trades, or all of one sign.
    pub fn sign_autocorrelation(&self) -> Result<f64, Reason> {
        let [n, now, before, both] = self.signs.map(i64::from);
        if self.sums.trades < TRADES_MIN || n == 0 {
            return Err(Reason::Warming);
        }
        let (xx, yy) = (n * n - now * now, n * n - before * before);
        if xx == 0 || yy == 0 {
            return Err(Reason::ZeroVariance);
        }
        Ok((n * both - now * before) as f64 / ((xx as f64) * (yy as f64)).sqrt())
    }
}

/// Effective spread of base with a mid before it, and of spreads times base.
pub(crate) fn effective_spread([base, spreads]: [f64; 2]) -> Result<f64, Reason> {
    ratio(spreads, base)
}

/// Trades that lie five seconds back, with the mid since.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Matured {
    /// How many trades have a mid before them and their mark.
    pub trades: u32,
    /// Base of all that have their mark.
    volume: f64,
    /// Base times twice the signed distance of price from the later mid.
    realized: f64,
    /// Base times the signed move of the mid.
    moved: f64,
    /// Base times half the spread before it.
    half_spread: f64,
}

merge_fields!(Matured { trades, volume, realized, moved, half_spread });

impl Matured {
    /// Adds a trade whose later mid is known; `spread_bps` stood before it, where the book could be used.
    pub fn take(&mut self, one: &TakenTrade, spread_bps: Option<f64>, later: f64) {
        let sign = one.sign();
        self.volume += one.qty;
        self.realized += one.qty * 2.0 * sign * BPS * math::ln(one.price / later);
        let Some((mid, spread_bps)) = one.mid.zip(spread_bps) else { return };
        self.trades += 1;
        self.moved += one.qty * sign * BPS * math::ln(later / mid);
        self.half_spread += one.qty * (spread_bps / 2.0);
    }

    /// What makers kept of the effective spread after five seconds, in basis points.
    ///
    /// # Errors
    /// No trade.
    pub fn realized_spread(&self) -> Result<f64, Reason> {
        ratio(self.realized, self.volume)
    }

    /// How far the mid moved with the taker, in half-spreads: over 1 makers lose more than the half-spread.
    ///
    /// # Errors
    /// Fewer than thirty trades.
    pub fn toxicity(&self) -> Result<f64, Reason> {
        if self.trades < TRADES_MIN { Err(Reason::Warming) } else { ratio(self.moved, self.half_spread) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    #[test]
    fn figures_of_trades_are_those_of_numpy_and_scipy() {
        let table = GoldenTable::whole("trade_flow");
        let (mut flow, mut matured) = (Flow::default(), Matured::default());
        let mut before: Option<(f64, bool)> = None;
        for line in table.rows() {
            let (at, is_buy, mid) = (line.need("t_s"), line.need("sign") > 0.0, line.need("mid_before"));
            #[expect(clippy::cast_possible_truncation, reason = "nanoseconds of five minutes")]
            let since_ns = before.map(|(then, _)| ((at - then) * 1e9).round() as i64);
            let (price, qty) = (line.need("price"), line.need("size"));
            let before_is_buy = before.map(|(_, is_buy)| is_buy);
            let one = TakenTrade { price, qty, is_buy, mid: Some(mid), since_ns, before_is_buy };
            flow.take(&one);
            matured.take(&one, Some(line.need("spread_bps")), line.need("mid_plus_5s"));
            before = Some((at, is_buy));
        }
        let last = table.last();
        for (name, got) in [
            ("effective_spread_bps", flow.effective_spread()),
            ("realized_spread_bps", matured.realized_spread()),
            ("toxicity", matured.toxicity()),
            ("imbalance", flow.sums.imbalance()),
            ("count_imbalance", flow.sums.count_imbalance()),
            ("vwap", flow.sums.vwap()),
            ("mean_size", flow.sums.mean_size()),
            ("max_size_ratio", flow.largest_ratio()),
            ("sign_autocorr", flow.sign_autocorrelation()),
            ("interarrival_cv", flow.gap_variation()),
        ] {
            let (want, got) = (last.need(name), got.unwrap());
            assert!((got - want).abs() <= 1e-9 * want.abs(), "{name}: {got}, not {want}");
        }
    }

    #[test]
    fn of_nothing_and_of_one_sign_no_figure_is_made() {
        let mut flow = Flow::default();
        assert_eq!(
            (flow.sums.imbalance(), flow.sums.vwap()),
            (Err(Reason::ZeroDenominator), Err(Reason::ZeroDenominator))
        );
        let one =
            TakenTrade { price: 1.0, qty: 2.0, is_buy: true, mid: None, since_ns: Some(0), before_is_buy: Some(true) };
        (0..9).for_each(|_| flow.take(&one));
        assert_eq!((flow.largest_ratio(), flow.gap_variation()), (Err(Reason::Warming), Err(Reason::Warming)));
        (0..91).for_each(|_| flow.take(&one));
        assert_eq!(flow.sums.imbalance(), Ok(1.0));
        assert_eq!(flow.sign_autocorrelation(), Err(Reason::ZeroVariance));
        assert_eq!(flow.gap_variation(), Err(Reason::ZeroDenominator), "all at one moment");
        assert_eq!(flow.effective_spread(), Err(Reason::ZeroDenominator));
        assert_eq!(Matured::default().toxicity(), Err(Reason::Warming));
    }
}
