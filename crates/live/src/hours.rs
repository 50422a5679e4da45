//! Between the markets of a live process: published minutes in, one row per whole hour out, after the rows of that hour.
//!
//! Minutes wait until the tick that has made those of all markets, so the order in which markets make theirs leaves no trace.
//! What a row says of its pairs is judged at once: markets that part are alerts of the pair's first market.

use crate::universe::{rule, sample};
use barograph_domain::{Instrument, InstrumentName, MinuteRow, Ts, UniverseRow};
use barograph_engine::AlertOut;
use barograph_engine::detect::Judging;
use barograph_engine::detect::pairs::{PairAlert, PairWatches};
use barograph_engine::universe::{Universe, UniverseSample, Watch};
use serde::{Deserialize, Serialize};

/// The universe of a process and what it is about to take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hours {
    /// None where there are not two markets to compare.
    universe: Option<Universe>,
    /// Position in the watch-list of each instrument.
    places: Vec<Option<usize>>,
    /// Every market of the process, by its number.
    instruments: Vec<InstrumentName>,
    waiting: Vec<UniverseSample>,
    pairs: PairWatches,
}

/// An hour that is over.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Hour {
    /// What is published of it.
    pub(crate) row: UniverseRow,
    /// What it says of pairs that part or come together again.
    pub(crate) alerts: Vec<AlertOut>,
}

/// The same in a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedHours {
    watch: Vec<Watch>,
    universe: Vec<u8>,
    waiting: Vec<UniverseSample>,
    pairs: PairWatches,
}

impl Hours {
    /// From now on these markets are compared. Those that were before keep what they have seen.
    pub(crate) fn watch(&mut self, list: Vec<Watch>, book: &str, instruments: &[Instrument]) {
        let same = self.universe.as_ref().is_some_and(|u| u.watch() == list);
        if !same {
            self.waiting.clear();
            self.universe = match self.universe.take() {
                _ if list.is_empty() => None,
                Some(old) => Some(old.with_watch(list)),
                None => Some(Universe::new(list, rule(book))),
            };
        }
        let of = |i: &Instrument| self.universe.as_ref()?.watch().iter().position(|w| w.instrument == i.name);
        self.places = instruments.iter().map(of).collect();
        self.instruments = instruments.iter().map(|i| i.name.clone()).collect();
    }

    /// A minute was published.
    pub(crate) fn row(&mut self, row: &MinuteRow) {
        if let Some(place) = self.place(row.instrument as usize) {
            self.waiting.push(sample(place, row));
        }
    }

    /// All markets have made their minutes: the hours that are over by it.
    pub(crate) fn close(&mut self, by: Judging<'_>) -> Vec<Hour> {
        let Some(universe) = &mut self.universe else { return Vec::new() };
        if self.waiting.is_empty() {
            return Vec::new();
        }
        self.waiting.sort_by_key(|s| (s.ts, s.market));
        let mut rows: Vec<UniverseRow> = self.waiting.drain(..).filter_map(|s| universe.push(s)).collect();
        rows.extend(universe.close());
        rows.into_iter().map(|row| Hour { alerts: self.judge(&row, by), row }).collect()
    }

    /// Ends every episode of a pair, because nothing follows them any more.
    pub(crate) fn end_episodes(&mut self, ts: Ts) -> Vec<AlertOut> {
        let ended = self.pairs.end(ts);
        self.numbered(ended)
    }

    fn judge(&mut self, row: &UniverseRow, by: Judging<'_>) -> Vec<AlertOut> {
        let judged = self.pairs.step(row, by);
        self.numbered(judged)
    }

    fn numbered(&self, alerts: Vec<PairAlert>) -> Vec<AlertOut> {
        let number = |name: &InstrumentName| u32::try_from(self.instruments.iter().position(|i| i == name)?).ok();
        alerts
            .into_iter()
            .filter_map(|a| Some(AlertOut { instrument: number(&a.instrument)?, known: a.known }))
            .collect()
    }

    /// Prices of whole hours that became known only now.
    pub(crate) fn remember(&mut self, instrument: usize, hours: &[(Ts, f64)]) {
        if let (Some(place), Some(universe)) = (self.place(instrument), &mut self.universe) {
            universe.remember(place, hours);
        }
    }

    fn place(&self, instrument: usize) -> Option<usize> {
        self.places.get(instrument).copied().flatten()
    }

    /// State as it goes to a checkpoint.
    pub(crate) fn save(&self) -> Option<SavedHours> {
        let universe = self.universe.as_ref()?;
        let (watch, waiting) = (universe.watch().to_vec(), self.waiting.clone());
        Some(SavedHours { watch, universe: universe.save(), waiting, pairs: self.pairs.clone() })
    }

    /// Goes on from [`Self::save`].
    pub(crate) fn restore(saved: Option<SavedHours>, book: &str) -> Result<Self, String> {
        let Some(saved) = saved else { return Ok(Self::default()) };
        let universe = Universe::restore(saved.watch, rule(book), &saved.universe).map_err(|e| e.to_string())?;
        Ok(Self { universe: Some(universe), waiting: saved.waiting, pairs: saved.pairs, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::universe::WatchMarkets;
    use barograph_domain::{InstrumentName, MarketKind, Severity, Span};
    use barograph_engine::detect::{SeverityTable, Thresholds};
    use std::collections::BTreeSet;

    fn markets(symbols: &[&str]) -> Vec<Instrument> {
        let of = |s: &&str| Instrument {
            name: InstrumentName::new("binance-usdm", s).unwrap(),
            kind: MarketKind::Perpetual,
            expiry: None,
        };
        symbols.iter().map(of).collect()
    }

    const SYMBOLS: [&str; 3] = ["ETHUSDT", "BTCUSDT", "SOLUSDT"];

    fn row(instrument: u32, n: i64) -> MinuteRow {
        #[expect(clippy::cast_precision_loss, reason = "minutes of some days")]
        let t = n as f64;
        // The third goes the other way.
        let way = if instrument == 2 { -1.0 } else { 1.0 };
        let price = 100.0 + (t / 41.0).sin() * 5.0 * way + (t * (2.0 + f64::from(instrument))).sin();
        MinuteRow { instrument, price: Some(price), ..MinuteRow::bare(Ts(0) + Span::mins(n)) }
    }

    fn fresh(symbols: &[&str]) -> Hours {
        let (mut hours, markets) = (Hours::default(), markets(symbols));
        hours.watch(WatchMarkets::Auto.list(&markets), "default", &markets);
        hours
    }

    /// The minutes of some hours; `order` says which market is first, `stop` after which minute the process ends and goes on.
    fn run(order: [u32; 3], stop: Option<i64>) -> Vec<Hour> {
        let mut hours = fresh(&SYMBOLS);
        let mut made = Vec::new();
        for n in 0..26 * 60 {
            for (k, market) in order.into_iter().enumerate() {
                hours.row(&row(market, n));
                if k == 1 && stop == Some(n) {
                    // In the middle of a minute: what waits is in the checkpoint.
                    let bytes = postcard::to_allocvec(&hours.save()).unwrap();
                    hours = Hours::restore(postcard::from_bytes(&bytes).unwrap(), "default").unwrap();
                    let markets = markets(&SYMBOLS);
                    hours.watch(WatchMarkets::Auto.list(&markets), "default", &markets);
                }
            }
            made.extend(hours.close((&Thresholds::default(), &SeverityTable::FIXED)));
        }
        made
    }

    #[test]
    fn hours_do_not_depend_on_the_order_of_markets_nor_on_a_stop() {
        let want = run([0, 1, 2], None);
        assert_eq!(want.len(), 26);
        let names: Vec<&str> = want[0].row.markets.iter().map(|m| m.asset.as_str()).collect();
        assert_eq!(names, ["BTC", "ETH", "SOL"]);
        assert_eq!(want[25].row.markets[1].price, row(0, 25 * 60).price);
        assert!(want[25].row.pairs[0].corr_20.value.is_some() && want[25].row.pairs[0].lead.ratio.value.is_some());
        let told: Vec<&AlertOut> = want.iter().flat_map(|h| &h.alerts).collect();
        let broken = |a: &AlertOut| (a.instrument, a.known.alert.other.as_ref().map(|o| o.symbol.clone()));
        let parted = told.iter().filter(|a| a.known.alert.severity == Severity::High).map(|a| broken(a));
        let sol = || Some("SOLUSDT".to_owned());
        assert_eq!(parted.collect::<BTreeSet<_>>(), BTreeSet::from([(0, sol()), (1, sol())]), "{told:?}");
        assert!(run([2, 0, 1], None) == want);
        for stop in [0, 59, 60, 61, 1_200, 1_500, 1_559] {
            assert!(run([1, 2, 0], Some(stop)) == want, "stopped in minute {stop}");
        }
    }

    #[test]
    fn a_market_that_joins_leaves_the_others_what_they_know() {
        let mut hours = fresh(&SYMBOLS[..2]);
        let mut last = Vec::new();
        for n in 0..30 * 60 {
            if n == 24 * 60 {
                let markets = markets(&SYMBOLS);
                hours.watch(WatchMarkets::Auto.list(&markets), "default", &markets);
            }
            (0..3).for_each(|market| hours.row(&row(market, n)));
            last = Some(hours.close((&Thresholds::default(), &SeverityTable::FIXED)))
                .filter(|rows| !rows.is_empty())
                .unwrap_or(last);
        }
        let pairs = &last[0].row.pairs;
        assert_eq!((pairs.len(), pairs[0].held_90d.known), (3, 12), "{last:?}");
        assert!(pairs[0].corr_20.value.is_some() && pairs[1].corr_20.value.is_none());
    }

    #[test]
    fn one_market_has_nothing_beside_it() {
        let mut hours = fresh(&SYMBOLS[..1]);
        (0..121).for_each(|n| {
            hours.row(&row(0, n));
            assert_eq!(hours.close((&Thresholds::default(), &SeverityTable::FIXED)), []);
        });
        assert!(hours.save().is_none());
    }

    #[test]
    fn history_that_was_fetched_counts_before_the_first_hour_is_over() {
        let mut hours = fresh(&SYMBOLS);
        let past = |market| (0..40).map(|h| (Ts(0) + Span::hours(h), row(market, h * 60).price.unwrap())).collect();
        for market in 0..3 {
            let known: Vec<(Ts, f64)> = past(market);
            hours.remember(market as usize, &known);
        }
        let first = 40 * 60;
        (0..3).for_each(|market| hours.row(&row(market, first)));
        let rows = hours.close((&Thresholds::default(), &SeverityTable::FIXED));
        assert!(rows[0].row.pairs.iter().all(|p| p.corr_20.value.is_some()), "{rows:?}");
    }
}
