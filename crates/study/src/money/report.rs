//! What trades add up to: days, equity, costs, turnover, exposure (research §6).
//!
//! Every entry is worth the same notional, whatever was earned before. Returns are stated on that capital and added up, never
//! compounded; a drawdown is a share of the capital, not of the peak.

use super::blotter::{CostTable, RoundTrip, TradeTerms, UntradedCounts};
use super::resample::{MoneyBand, annual_sharpe_band};
use super::sharpe::{NoSharpe, annual_sharpe, count};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};

/// Cumulative result after a trade.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EquityPoint {
    /// When the trade was over.
    pub at: Ts,
    /// Sum of all net P&L until then, as a fraction of the capital.
    pub net: f64,
}

/// Trades of a stretch of time and what they add up to.
#[derive(Clone, PartialEq, Debug)]
pub struct TradeReport {
    /// Terms that were traded on.
    pub terms: TradeTerms,
    /// Trades that are over, in their order.
    pub trips: Vec<RoundTrip>,
    /// Orders that were not traded.
    pub untraded: UntradedCounts,
    /// Is a position still open at the end, because no order book could take it? It is in no figure.
    pub unclosed: bool,
    /// Beginning of the first UTC day.
    pub first_day: Ts,
    /// Net P&L of the trades that were over on each UTC day, as a fraction of the capital; 0 on days without one.
    pub daily_net: Vec<f64>,
    /// The same before costs.
    pub daily_gross: Vec<f64>,
    /// Costs of all trades, quote.
    pub costs: CostTable,
    /// Share of the time with a position.
    pub exposure: f64,
    /// Quote traded per day, entries and exits, in multiples of the capital.
    pub turnover: f64,
}

impl TradeReport {
    /// Adds up trades of the time from `from` until `to`, longer where an exit came later. Every UTC day that the time touches is a day.
    #[must_use]
    pub fn new(
        terms: &TradeTerms,
        trips: Vec<RoundTrip>,
        untraded: UntradedCounts,
        unclosed: bool,
        (from, to): (Ts, Ts),
    ) -> Self {
        let to = trips.last().map_or(to, |trip| trip.exit_at.max(to)).max(from);
        let first_day = from.floor(DAY);
        let days = usize::try_from((to - first_day).as_days()).unwrap_or_default() + 1;
        let (mut daily_net, mut daily_gross) = (vec![0.0; days], vec![0.0; days]);
        let (mut costs, mut traded, mut held) = (CostTable::default(), 0.0, Span::ZERO);
        for trip in &trips {
            let day = usize::try_from((trip.exit_at - first_day).as_days()).unwrap_or_default();
            daily_net[day] += trip.net() / terms.notional;
            daily_gross[day] += trip.gross() / terms.notional;
            costs = costs.plus(&trip.costs);
            traded += trip.entry.quote + trip.exit.quote;
            held = held + (trip.exit_at - trip.entry_at);
        }
        let length = (to - from).as_secs_f64();
        Self {
            terms: terms.clone(),
            trips,
            untraded,
            unclosed,
            first_day,
            costs,
            exposure: if length > 0.0 { (held.as_secs_f64() / length).min(1.0) } else { 0.0 },
            turnover: traded / terms.notional / count(days),
            daily_net,
            daily_gross,
        }
    }

    /// Annual Sharpe ratio after costs.
    ///
    /// # Errors
    /// Fewer than 30 days, or none that differs.
    pub fn sharpe_net(&self) -> Result<f64, NoSharpe> {
        annual_sharpe(&self.daily_net)
    }

    /// Annual Sharpe ratio before costs.
    ///
    /// # Errors
    /// As [`Self::sharpe_net`].
    pub fn sharpe_gross(&self) -> Result<f64, NoSharpe> {
        annual_sharpe(&self.daily_gross)
    }

    /// Annual Sharpe ratio after costs with its 90 % band.
    ///
    /// # Errors
    /// As [`Self::sharpe_net`].
    pub fn sharpe_net_band(&self, seed: u64) -> Result<MoneyBand, NoSharpe> {
        annual_sharpe_band(&self.daily_net, seed)
    }

    /// Sum of all net P&L, as a fraction of the capital.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.daily_net.iter().sum()
    }

    /// The equity curve, one point per trade.
    #[must_use]
    pub fn equity(&self) -> Vec<EquityPoint> {
        let mut net = 0.0;
        let point = |trip: &RoundTrip| {
            net += trip.net() / self.terms.notional;
            EquityPoint { at: trip.exit_at, net }
        };
        self.trips.iter().map(point).collect()
    }

    /// Largest fall of the equity curve from an earlier high, the beginning included; a fraction of the capital, 0 where it never fell.
    #[must_use]
    pub fn max_drawdown(&self) -> f64 {
        let (mut high, mut worst) = (0.0_f64, 0.0_f64);
        for point in self.equity() {
            high = high.max(point.net);
            worst = worst.max(high - point.net);
        }
        worst
    }

    /// What trading a round trip cost on average, basis points of what was put in, without funding; `None` without trades.
    #[must_use]
    pub fn avg_cost_bps(&self) -> Option<f64> {
        self.mean(|trip| trip.bps(trip.costs.trading()))
    }

    /// What a round trip may cost until nothing is left: the gross edge per trade, basis points; `None` without trades.
    #[must_use]
    pub fn break_even_cost_bps(&self) -> Option<f64> {
        self.mean(|trip| trip.bps(trip.gross()))
    }

    /// Net P&L per trade, basis points of what was put in; `None` without trades.
    #[must_use]
    pub fn net_bps(&self) -> Option<f64> {
        self.mean(|trip| trip.bps(trip.net()))
    }

    fn mean(&self, of: impl Fn(&RoundTrip) -> f64) -> Option<f64> {
        let n = count(self.trips.len());
        (n > 0.0).then(|| self.trips.iter().map(of).sum::<f64>() / n)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fees::TakerFee;
    use super::super::fills::{TakerBook, TakerSize};
    use super::*;
    use barograph_domain::Side;

    /// A trade of one unit at this price that is over on a day and gained this much from mid to mid.
    fn trip(day: i64, gain: f64) -> RoundTrip {
        let book = |mid: f64| TakerBook::new([(mid - 0.5, 10.0)], [(mid + 0.5, 10.0)]).unwrap();
        let take = |mid, side| book(mid).take(side, TakerSize::Quantity(1.0)).unwrap();
        let (entry, exit) = (take(99.5, Side::Long), take(99.5 + gain, Side::Short));
        let exit_at = Ts::from_secs(day * 86_400 + 43_200);
        let costs = CostTable { spread: 1.0, impact: 0.0, fees: 0.5, funding: 0.25 };
        RoundTrip {
            held: Side::Long,
            decided_at: exit_at - Span::hours(6),
            entry_at: exit_at - Span::hours(6),
            exit_at,
            entry,
            exit,
            costs,
        }
    }

    fn report(trips: Vec<RoundTrip>) -> TradeReport {
        let terms = TradeTerms { notional: 100.0, ..TradeTerms::new(TakerFee::new("test", 10.0).unwrap()) };
        let period = (Ts::from_secs(43_200), Ts::from_secs(3 * 86_400 + 43_200));
        TradeReport::new(&terms, trips, UntradedCounts::default(), false, period)
    }

    #[test]
    fn days_equity_and_drawdown_add_up() {
        let got = report(vec![trip(0, 11.75), trip(2, -8.25), trip(2, 2.75)]);
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        assert_eq!((got.daily_net.len(), got.first_day), (4, Ts::from_secs(0)));
        got.daily_net.iter().zip([0.1, 0.0, -0.09, 0.0]).for_each(|(got, want)| close(*got, want));
        got.daily_gross.iter().zip([0.1175, 0.0, -0.055, 0.0]).for_each(|(got, want)| close(*got, want));
        got.equity().iter().zip([0.1, 0.0, 0.01]).for_each(|(got, want)| close(got.net, want));
        close(got.max_drawdown(), 0.1);
        close(got.net(), 0.01);
        close(got.exposure, 18.0 / 72.0);
        close(got.turnover, (6.0 * 100.0 + 11.75 - 8.25 + 2.75 - 3.0) / 100.0 / 4.0);
        close(got.costs.total(), 5.25);
        close(got.avg_cost_bps().unwrap(), 150.0);
        close(got.break_even_cost_bps().unwrap(), 1e4 * 6.25 / 300.0);
        close(got.net_bps().unwrap(), 1e4 * 1.0 / 300.0);
        assert_eq!(got.sharpe_net(), Err(NoSharpe::TooFewDays { days: 4, needed: 30 }));
    }

    #[test]
    fn a_loss_at_the_beginning_is_a_drawdown_and_no_trade_is_no_average() {
        assert!((report(vec![trip(1, -3.25)]).max_drawdown() - 0.05).abs() < 1e-12);
        let none = report(Vec::new());
        assert_eq!((none.avg_cost_bps(), none.break_even_cost_bps(), none.daily_net.len()), (None, None, 4));
    }
}
