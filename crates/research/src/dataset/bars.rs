//! Bars out of the recorded trades of a lake (features §8).

use crate::ResearchError;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{
    GoldBar, HourGap, HourManifest, LakeBatch, LakeHour, LakeQuery, LakeReader, Layer, RUNS_FOLLOW, follows_now, hours,
};
use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Trades come in the order of receipt, and the venue's clock may step back by this much: a bar is whole when a trade this much behind its
/// end was seen.
const LATE: Span = Span::secs(1);
const SOURCE: &str = "trades";
const HOUR: Span = Span::hours(1);

/// Has a lake trades of a market?
///
/// # Errors
/// When a folder cannot be read.
pub fn has_trades(lake: &Path, market: &InstrumentName) -> Result<bool, ResearchError> {
    Ok(!hours(lake, &query(market))?.is_empty())
}

/// Hours of a market's trades in a lake, with the digests of their rows where they say them.
///
/// # Errors
/// When a folder cannot be read, or what an hour says of itself.
pub fn trades_of(lake: &Path, market: &InstrumentName) -> Result<Vec<(Ts, Option<String>)>, ResearchError> {
    let said = |hour: &LakeHour| -> Result<Option<String>, ResearchError> {
        let said = hour.manifest()?.map_or_else(|| hour.so_far(), |manifest| Ok(Some(manifest)))?;
        Ok(said.map(|said| said.content_sha256))
    };
    hours(lake, &query(market))?.iter().map(|hour| Ok((hour.hour, said(hour)?))).collect()
}

/// Every whole bar of a length, in order. A bar in which nothing was traded is not there; one of which a part
/// is not known says so.
///
/// # Errors
/// When the lake cannot be read, or `take` fails.
pub fn bars_of_trades(
    lake: &Path,
    market: &InstrumentName,
    every: Span,
    take: &mut dyn FnMut(GoldBar) -> Result<(), ResearchError>,
) -> Result<(), ResearchError> {
    let hours = hours(lake, &query(market))?;
    let columns = ["ts", "known_ts", "price", "size", "is_buy", "gap"];
    let (holes, follows) = seams(lake, market)?;
    let mut bars =
        TradedBars { holes, follows, every, from: Ts::MIN, before: None, newest: Ts::MIN, open: BTreeMap::new() };
    for batch in LakeReader::new(hours, Some(&columns)) {
        bars.batch(&batch?, take)?;
    }
    Ok(())
}

/// Hours at whose beginning nothing is known, because nobody listened; and trades that say so of themselves because their run was there
/// before the one that they follow at once. Of the latter an hour that came first says nothing else.
fn seams(lake: &Path, market: &InstrumentName) -> Result<(BTreeSet<Ts>, BTreeSet<Ts>), ResearchError> {
    let mut heard: BTreeMap<Ts, (Ts, Ts)> = BTreeMap::new();
    let mut declared: Vec<(Ts, HourGap)> = Vec::new();
    for hour in hours(lake, &LakeQuery { table: None, ..query(market) })? {
        let said = hour.manifest()?.map_or_else(|| hour.so_far(), |manifest| Ok(Some(manifest)))?;
        if let Some(gap) = said.as_ref().filter(|_| hour.table == "trades").and_then(HourManifest::gap_before) {
            declared.push((hour.hour, gap.clone()));
        }
        let said = said.and_then(|said| said.first_ts.zip(said.last_ts));
        // Of an hour that is being written it is not known yet.
        let (first, last) = said.unwrap_or((hour.hour, hour.hour + HOUR));
        let known = heard.entry(hour.hour).or_insert((first, last));
        *known = (known.0.min(first), known.1.max(last));
    }
    let pairs = heard.values().zip(heard.iter().skip(1));
    let holes: BTreeSet<Ts> =
        pairs.filter(|((_, last), (_, (first, _)))| *first - *last > RUNS_FOLLOW).map(|(_, (hour, _))| *hour).collect();
    let follows = |(hour, gap): (Ts, HourGap)| {
        let ((_, (_, newest)), (first, _)) = heard.range(..hour).next_back().zip(heard.get(&hour))?;
        let trade = gap.until;
        let until = trade.min(*first);
        // A run that had nothing before it states no length; it begins with the first row of any table.
        let from = if gap.from == gap.until { until } else { gap.from };
        follows_now(&HourGap { from, until, ..gap }, *newest).then_some(trade)
    };
    let follows = declared.into_iter().filter_map(follows).collect();
    Ok((holes, follows))
}

fn query(market: &InstrumentName) -> LakeQuery {
    LakeQuery {
        layer: Some(Layer::Bronze),
        table: Some("trades".to_owned()),
        exchange: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        ..LakeQuery::default()
    }
}

/// Bars that are not whole yet.
struct TradedBars {
    /// Hours at whose beginning nothing is known.
    holes: BTreeSet<Ts>,
    /// Trades that follow what is before them, though they say that a gap is.
    follows: BTreeSet<Ts>,
    every: Span,
    /// Where the next bar may begin.
    from: Ts,
    /// The trade before.
    before: Option<Ts>,
    newest: Ts,
    open: BTreeMap<Ts, GoldBar>,
}

struct OneTrade {
    ts: Ts,
    known_ts: Ts,
    price: f64,
    size: f64,
    is_buy: bool,
    /// Nothing is known between the trade before and this one.
    gap: bool,
}

impl TradedBars {
    fn batch(
        &mut self,
        batch: &LakeBatch,
        take: &mut dyn FnMut(GoldBar) -> Result<(), ResearchError>,
    ) -> Result<(), ResearchError> {
        let missing = |name: &str| ResearchError::Failed(format!("trades have no column '{name}'"));
        let ts = batch.moments("ts").ok_or_else(|| missing("ts"))?;
        let known = batch.moments("known_ts").ok_or_else(|| missing("known_ts"))?;
        let prices = batch.numbers("price").ok_or_else(|| missing("price"))?;
        let sizes = batch.numbers("size").ok_or_else(|| missing("size"))?;
        for row in 0..batch.rows() {
            let trade = OneTrade {
                ts: Ts(ts[row]),
                known_ts: Ts(known[row]),
                price: prices.get(row).ok_or_else(|| missing("price"))?,
                size: sizes.get(row).ok_or_else(|| missing("size"))?,
                is_buy: batch.flag("is_buy", row).ok_or_else(|| missing("is_buy"))?,
                gap: batch.flag("gap", row).ok_or_else(|| missing("gap"))?,
            };
            self.trade(&trade);
            self.newest = self.newest.max(trade.ts);
            while let Some(whole) = self.open.first_entry().filter(|bar| *bar.key() + self.every + LATE <= self.newest)
            {
                let bar = whole.remove();
                // A trade that comes even later finds no bar any more.
                self.from = bar.ts + self.every;
                take(bar)?;
            }
        }
        Ok(())
    }

    fn is_gap(&self, trade: &OneTrade) -> bool {
        trade.gap && !self.follows.contains(&trade.ts)
    }

    fn is_hole(&self, before: Ts, ts: Ts) -> bool {
        let (from, to) = (before.floor(HOUR), ts.floor(HOUR));
        from < to && self.holes.range((Bound::Excluded(from), Bound::Included(to))).next().is_some()
    }

    fn trade(&mut self, trade: &OneTrade) {
        let start = trade.ts.floor(self.every);
        // What lies between the last known trade and this one is missing, or nobody listened before.
        let unknown_from = match self.before.replace(trade.ts) {
            None => Some(start).filter(|start| *start < trade.ts),
            Some(before) => Some(before).filter(|before| self.is_gap(trade) || self.is_hole(*before, trade.ts)),
        };
        if let Some(from) = unknown_from {
            self.open.range_mut(from.floor(self.every)..).for_each(|(_, bar)| bar.gap = Some(true));
        }
        if start < self.from {
            return;
        }
        let quote = trade.price * trade.size;
        let bar = self.open.entry(start).or_insert_with(|| GoldBar {
            ts: start,
            known_ts: start + self.every + super::CLOSE_AFTER,
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume: Some(0.0),
            quote_volume: Some(0.0),
            trades: Some(0),
            buy_volume: Some(0.0),
            vwap: None,
            source: SOURCE,
            gap: Some(unknown_from.is_some()),
            labels: [None; 4],
        });
        bar.known_ts = bar.known_ts.max(trade.known_ts);
        (bar.high, bar.low, bar.close) = (bar.high.max(trade.price), bar.low.min(trade.price), trade.price);
        let add = |sum: &mut Option<f64>, more: f64| *sum = sum.map(|sum| sum + more);
        add(&mut bar.volume, trade.size);
        add(&mut bar.quote_volume, quote);
        if trade.is_buy {
            add(&mut bar.buy_volume, trade.size);
        }
        bar.trades = bar.trades.map(|n| n + 1);
        bar.vwap =
            bar.quote_volume.zip(bar.volume).filter(|(_, volume)| *volume > 0.0).map(|(quote, volume)| quote / volume);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::GapReason;
    use barograph_lake::layers::{LakeConfig, LakeMarket, TradeWriter, WideTrade};

    const BEGIN: Ts = Ts::from_civil(2026, 3, 1, 9, 59, 30);

    /// (seconds after the beginning, price, size, buyer took, a gap before it)
    fn lake(trades: &[(i64, f64, f64, bool, bool)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), trades);
        dir
    }

    fn write(dir: &Path, trades: &[(i64, f64, f64, bool, bool)]) {
        let (mut writer, _) =
            TradeWriter::open(LakeConfig::import(dir), LakeMarket::new("okx", "BTC-USDT-SWAP")).unwrap();
        for (n, (at, price, size, is_buy, gap)) in trades.iter().copied().enumerate() {
            let ts = BEGIN + Span::secs(at);
            let gap = gap.then_some(GapReason::MissingRows);
            let sequence = u64::try_from(n).unwrap();
            writer
                .push(&WideTrade { ts, known_ts: ts + Span::millis(50), sequence, price, size, is_buy, gap })
                .unwrap();
        }
        writer.into_partition().close().unwrap();
    }

    fn bars(dir: &Path) -> Vec<GoldBar> {
        let market = InstrumentName::new("okx", "BTC-USDT-SWAP").unwrap();
        let mut found = Vec::new();
        bars_of_trades(dir, &market, Span::mins(1), &mut |bar| {
            found.push(bar);
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn a_bar_is_made_of_its_trades_when_it_is_whole() {
        let trades = [
            (5, 10.0, 1.0, true, false),
            (29, 12.0, 3.0, false, false),
            (31, 11.0, 1.0, true, false),
            (89, 9.0, 1.0, false, false),
            // Nothing in the bar of 10:01.
            (150, 20.0, 2.0, true, true),
            (209, 21.0, 2.0, true, false),
            (213, 22.0, 1.0, true, false),
        ];
        let dir = lake(&trades);
        let all = bars(dir.path());
        let at = |n: i64| Ts::from_civil(2026, 3, 1, 9, 59 + n, 0);
        assert_eq!(all.iter().map(|b| b.ts).collect::<Vec<_>>(), [at(0), at(1), at(3)], "the last is not whole");
        let first = &all[0];
        assert_eq!((first.open, first.high, first.low, first.close), (10.0, 12.0, 10.0, 12.0));
        assert_eq!((first.volume, first.quote_volume, first.buy_volume), (Some(4.0), Some(46.0), Some(1.0)));
        assert_eq!((first.trades, first.vwap, first.known_ts), (Some(2), Some(11.5), at(1) + Span::millis(200)));
        assert_eq!(all.iter().map(|b| b.gap).collect::<Vec<_>>(), [Some(true), Some(true), Some(true)]);
        assert!(has_trades(dir.path(), &InstrumentName::new("okx", "BTC-USDT-SWAP").unwrap()).unwrap());
    }

    #[test]
    fn a_time_in_which_nobody_listened_is_a_gap_whichever_side_of_it_came_first() {
        let every_second =
            |from: i64, until: i64| (from..until).map(|n| (n, 10.0, 1.0, true, false)).collect::<Vec<_>>();
        let (early, mut late) = (every_second(0, 60), every_second(10_800, 10_980));
        let back = lake(&late);
        write(back.path(), &early);
        late[0].4 = true;
        let once = lake(&early);
        write(once.path(), &late);
        let made = bars(once.path());
        assert_eq!(made.iter().map(|b| b.gap).collect::<Vec<_>>(), [true, true, true, false, false].map(Some));
        assert_eq!(bars(back.path()), made);
    }

    #[test]
    fn a_bar_that_was_heard_from_end_to_end_has_no_gap() {
        let trades: Vec<_> = (0..200).map(|n| (n, 10.0, 1.0, n % 2 == 0, false)).collect();
        let dir = lake(&trades);
        let gaps: Vec<_> = bars(dir.path()).iter().map(|b| (b.trades, b.gap)).collect();
        assert_eq!(gaps, [(Some(30), Some(true)), (Some(60), Some(false)), (Some(60), Some(false))]);
    }
}
