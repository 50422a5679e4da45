//! What has to be true after every run of the simulation, whatever went wrong in it.
//!
//! The server knows what really was and which faults happened. What we have comes from the journal, run again, and from the
//! store. Whatever is not as it was must lie in a hole that was declared; the exceptions are named where they are made.

use crate::core::CoreSink;
use crate::{Error, chain, replay};
use barograph_domain::{
    Bar, Event, Instrument, Metric, Payload, Side, Span, Status, StatusState, StreamDecl, StreamIndex, Ts,
};
use barograph_lake::journal::{EntryKind, JournalReader};
use barograph_query::live::board::Board;
use barograph_sim::{CandleTruth, Injected, InjectedFault, LiquidationTruth, TradeTruth, Venue, WorldTruth};
use barograph_store::{PointQuery, Range, Reader};
use barograph_venues::session::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) const VENUES: [(&str, Venue); 4] = [
    ("binance-usdm", Venue::BinanceUsdm),
    ("binance-spot", Venue::BinanceSpot),
    ("coinbase", Venue::Coinbase),
    ("coinex", Venue::Coinex),
];
const MINUTE: Span = Span::mins(1);
/// Stamps of both ends of a hole are those of single messages of a stream, which come some hundred milliseconds apart.
const SLACK: Span = Span::secs(2);
/// CoinEx's liquidations are asked for each quarter of a minute.
const LISTED_WITHIN: Span = Span::secs(40);
/// Levels a side that are shown.
const LEVELS: usize = 25;

fn venue_of(id: &str) -> Venue {
    VENUES.iter().find(|(name, _)| *name == id).map_or(Venue::BinanceUsdm, |(_, v)| *v)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The best levels of every book are the server's.
pub(super) fn books_equal(truth: &WorldTruth, board: &Board) -> Result<(), String> {
    for (name, market) in board.all() {
        let want = truth.book(venue_of(name.venue.as_str()), &name.symbol).ok_or("no such market")?;
        for (side, ours, theirs) in [("bids", &market.bids, &want.bids), ("asks", &market.asks, &want.asks)] {
            let theirs: Vec<(f64, f64)> = theirs.iter().take(LEVELS).map(|l| (l.price, l.quantity)).collect();
            let same = |(a, b): (&(f64, f64), &(f64, f64))| close(a.0, b.0) && close(a.1, b.1);
            if ours.len() != theirs.len() || !ours.iter().zip(&theirs).all(same) {
                let differs = ours.iter().zip(&theirs).position(|pair| !same(pair)).unwrap_or(ours.len());
                return Err(format!(
                    "{name} {side}: {} and {} levels, from level {differs} on ours {:?}, the server's {:?}",
                    ours.len(),
                    theirs.len(),
                    ours.get(differs),
                    theirs.get(differs)
                ));
            }
        }
    }
    Ok(())
}

/// Everything that went through the core, by running the journal again.
#[derive(Default)]
pub(super) struct Seen {
    streams: Vec<StreamDecl>,
    trades: BTreeMap<(StreamIndex, u64), Vec<Event>>,
    bars: BTreeMap<(StreamIndex, Ts), Vec<Bar>>,
    liquidations: BTreeMap<StreamIndex, Vec<Event>>,
    gaps: Vec<(StreamIndex, Status, Ts)>,
    /// When an order book was fetched, and up to which update it reached.
    snapshots: Vec<(Ts, u64)>,
    pub(super) injected: Vec<Injected>,
}

impl CoreSink for Seen {
    fn fact(&mut self, event: &Event, metric: Metric, _origin: Origin) -> Result<(), Error> {
        match (metric, event.payload) {
            (Metric::Trade, _) => self.trades.entry((event.stream, event.seq)).or_default().push(*event),
            (Metric::Bar, Payload::Bar(bar)) => {
                self.bars.entry((event.stream, event.event_ts)).or_default().push(bar);
            }
            (Metric::Liquidation, _) => self.liquidations.entry(event.stream).or_default().push(*event),
            _ => {}
        }
        Ok(())
    }
    fn status(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Error> {
        self.gaps.push((stream, *status, known_ts));
        Ok(())
    }
    fn grown(&mut self, _i: &[Instrument], streams: &[StreamDecl], _n: &[StreamDecl]) -> Result<(), Error> {
        self.streams = streams.to_vec();
        Ok(())
    }
}

impl Seen {
    pub(super) fn of(data: &Path, injected: Vec<Injected>) -> Result<Self, Error> {
        let setup = replay::setup_of(data)?.ok_or_else(|| Error::failed("no journal"))?;
        let mut seen = Self { injected, ..Self::default() };
        replay::run(data, &setup, None, &mut seen)?;
        seen.snapshots = snapshots(data)?;
        Ok(seen)
    }

    fn of_metric(&self, metric: Metric) -> impl Iterator<Item = (StreamIndex, &StreamDecl, Venue)> {
        (0_u16..).zip(&self.streams).filter(move |(_, d)| d.metric == metric).map(|(at, d)| {
            let venue = venue_of(d.instrument.venue.as_str());
            (StreamIndex(at), d, venue)
        })
    }

    fn venue(&self, stream: StreamIndex) -> Venue {
        venue_of(self.streams[stream.index()].instrument.venue.as_str())
    }

    /// By how much the venue's clock was wrong at most, about then.
    fn skew(&self, venue: Venue, from: Ts, until: Ts) -> Span {
        let of = |one: &Injected| match one.fault {
            InjectedFault::ClockSkew(by, span) if one.venue == venue => {
                let by = Span(by.0.abs());
                let slack = by + SLACK;
                (one.at - slack <= until && from <= one.at + span + slack).then_some(by)
            }
            _ => None,
        };
        self.injected.iter().filter_map(of).max().unwrap_or(Span::ZERO)
    }

    /// The holes of a stream that were declared: where each begins and ends.
    fn holes(&self, stream: StreamIndex) -> Vec<(Ts, Ts)> {
        let (mut holes, mut open): (Vec<(Ts, Ts)>, Option<Ts>) = (Vec::new(), None);
        for (_, status, _) in self.gaps.iter().filter(|(s, ..)| *s == stream) {
            if status.is_open() {
                open = Some(open.map_or(status.from, |o| o.min(status.from)));
            } else if status.state == StatusState::Live
                && let Some(from) = open.take()
            {
                holes.push((from, status.until));
            }
        }
        holes.extend(open.map(|from| (from, Status::OPEN)));
        holes
    }

    /// Does anything of `from..=until` lie inside a hole of this stream that was declared?
    fn in_hole(&self, stream: StreamIndex, from: Ts, until: Ts) -> bool {
        let venue = self.venue(stream);
        let slack = SLACK + self.skew(venue, from, until);
        self.holes(stream).iter().any(|(a, b)| *a <= until + slack && (*b == Status::OPEN || from <= *b + slack))
    }

    /// Every trade of the server came once and as it was, or lies in a declared hole; and nothing came that never was.
    pub(super) fn trades_are_whole(&self, truth: &WorldTruth, began: Ts, ended: Ts) -> Result<(), String> {
        for (stream, decl, venue) in self.of_metric(Metric::Trade) {
            let mut real = BTreeSet::new();
            let trades = truth.trades(venue, &decl.instrument.symbol).unwrap_or_default();
            for trade in &trades {
                let ids = if venue == Venue::Coinbase { trade.ids } else { (trade.aggregate_id, trade.aggregate_id) };
                real.extend(ids.0..=ids.1);
                if trade.at < began || trade.at > ended - SLACK {
                    continue;
                }
                self.trade_is_right(stream, trade, ids)
                    .map_err(|why| format!("trade {} of {} at {}: {why}", ids.0, decl.instrument, trade.at))?;
            }
            let first = real.first().copied().unwrap_or(0);
            let own = self.trades.range((stream, first)..=(stream, u64::MAX));
            if let Some(((_, id), events)) = own.into_iter().find(|((_, id), _)| !real.contains(id)) {
                return Err(format!("trade {id} of {} never was: {events:?}", decl.instrument));
            }
        }
        Ok(())
    }

    fn trade_is_right(&self, stream: StreamIndex, trade: &TradeTruth, ids: (u64, u64)) -> Result<(), String> {
        let mut sum = 0.0;
        for id in ids.0..=ids.1 {
            match self.trades.get(&(stream, id)).map_or(&[][..], |t| t) {
                [one] => {
                    let Payload::Trade { price, qty, aggressor_side } = one.payload else {
                        return Err(format!("is no trade: {one:?}"));
                    };
                    let side = if trade.buyer_is_maker { Side::Short } else { Side::Long };
                    if !close(price, trade.level.price) || aggressor_side.is_some_and(|s| s != side) {
                        return Err(format!("is {one:?}, was {trade:?}"));
                    }
                    sum += qty;
                }
                [] if self.in_hole(stream, trade.at, trade.at) => return Ok(()),
                // These have no numbers that anybody could miss.
                [] if self.lost_alone(Venue::Coinex, "deals", trade.at) && self.venue(stream) == Venue::Coinex => {
                    return Ok(());
                }
                many => return Err(format!("came {} times", many.len())),
            }
        }
        if close(sum, trade.level.quantity) { Ok(()) } else { Err(format!("{sum} was traded, not {trade:?}")) }
    }

    /// Every candle that was over is there with the server's numbers, or lies in a declared hole; those fetched from before
    /// the beginning too.
    pub(super) fn candles_are_right(&self, truth: &WorldTruth, began: Ts, ended: Ts, past: Span) -> Result<(), String> {
        for (stream, decl, venue) in self.of_metric(Metric::Bar) {
            let candles = truth.candles(venue, &decl.instrument.symbol, began - past + MINUTE, ended - Span::secs(40));
            for want in candles.unwrap_or_default() {
                let opened = want.close_ts - MINUTE;
                // Coinbase has no candle of a minute without trades, and none is made here. The others are made of its trades,
                // by their stamps: where those are wrong, trades are counted to the minute before or after.
                let by_stamp = venue == Venue::Coinbase;
                if by_stamp && (want.trades == 0 || self.skew(venue, opened, want.close_ts) > Span::ZERO) {
                    continue;
                }
                let ours = self.bars.get(&(stream, want.close_ts)).map_or(&[][..], |b| b);
                let right = !ours.is_empty() && ours.iter().all(|bar| same_candle(bar, &want));
                if !right && !self.in_hole(stream, opened, want.close_ts) {
                    return Err(format!(
                        "the candle of {} that closed at {}: ours {ours:?}, the server's {want:?}",
                        decl.instrument, want.close_ts
                    ));
                }
            }
        }
        Ok(())
    }

    /// Every liquidation that the venue shows (the largest of each second) came once and as it was, or lies in a declared
    /// hole; and nothing came that never was. These messages have no numbers: one that was lost alone cannot be missed.
    pub(super) fn liquidations_are_right(
        &self,
        truth: &WorldTruth,
        began: Ts,
        ended: Ts,
    ) -> Result<BTreeMap<Venue, usize>, String> {
        let mut of_each = BTreeMap::new();
        for (stream, decl, venue) in self.of_metric(Metric::Liquidation) {
            let all = listed(venue, truth.liquidations(venue, &decl.instrument.symbol).unwrap_or_default());
            let ours = self.liquidations.get(&stream).map_or(&[][..], |l| l);
            let is = |event: &Event, real: &LiquidationTruth| {
                let Payload::Liquidation { liquidated_side, price, qty } = event.payload else { return false };
                let side = if real.long { Side::Long } else { Side::Short };
                let apart = Span((event.event_ts - real.at).0.abs());
                apart <= self.skew(venue, real.at, real.at)
                    && liquidated_side == side
                    && close(price, real.level.price)
                    && close(qty, real.level.quantity)
            };
            // Each of ours belongs to one of theirs; two of theirs may look alike, and where the venue's clock was wrong, be those of others.
            let mut unmatched: Vec<&Event> = ours.iter().collect();
            let mut take = |real: &LiquidationTruth, exact: bool| {
                let found = unmatched.iter().position(|e| is(e, real) && (!exact || e.event_ts == real.at));
                found.map(|at| unmatched.remove(at)).is_some()
            };
            let (exact, others): (Vec<_>, Vec<_>) = all.iter().partition(|real| take(real, true));
            let compared: &mut usize = of_each.entry(venue).or_default();
            *compared += exact.len();
            for real in others {
                if take(real, false) {
                    *compared += 1;
                    continue;
                }
                let in_time =
                    real.at >= began && real.at <= ended - if venue == Venue::Coinex { LISTED_WITHIN } else { SLACK };
                let lost = || self.lost_alone(venue, "forceOrder", real.at);
                if in_time && !self.in_hole(stream, real.at, real.at) && !lost() {
                    return Err(format!("{} never came: {real:?}", decl.instrument));
                }
            }
            if let Some(event) = unmatched.first() {
                return Err(format!("{}: this liquidation never was, or came before: {event:?}", decl.instrument));
            }
        }
        Ok(of_each)
    }

    /// Was a message of a stream without numbers lost on purpose about then?
    fn lost_alone(&self, venue: Venue, stream: &str, at: Ts) -> bool {
        self.injected.iter().any(|one| {
            matches!(one.fault, InjectedFault::Drop | InjectedFault::TruncatedText)
                && one.venue == venue
                && one.stream.as_ref().is_some_and(|s| s.contains(stream))
                && at <= one.at + SLACK
                && one.at <= at + SLACK
        })
    }

    /// Lost messages of numbered streams, broken connections and stopped books all left a declaration near them. A connection
    /// whose end is announced is replaced before it: nothing is lost.
    pub(super) fn holes_are_declared(&self, began: Ts) -> Result<(), String> {
        for one in self.injected.iter().filter(|i| i.at >= began) {
            let numbered = match one.venue {
                // One number for everything.
                Venue::Coinbase => true,
                // Half a packed message can be anything: its connection is replaced. Lost ones show in books alone.
                Venue::Coinex => {
                    one.fault == InjectedFault::TruncatedText
                        || one.stream.as_ref().is_some_and(|s| s.contains("depth"))
                }
                Venue::BinanceUsdm | Venue::BinanceSpot => one
                    .stream
                    .as_ref()
                    .is_some_and(|s| (s.contains("depth") && !s.contains("@depth5")) || s.contains("aggTrade")),
            };
            let expected = match one.fault {
                InjectedFault::Drop | InjectedFault::TruncatedText | InjectedFault::SequenceJump(_) => numbered,
                InjectedFault::HalfOpen
                | InjectedFault::Cut
                | InjectedFault::TruncatedFrame
                | InjectedFault::WrongCheck => true,
                // On CoinEx the next change shows it, unless a full book, which comes each minute, is before it.
                InjectedFault::StaleBook(_) => one.venue != Venue::Coinex,
                _ => false,
            };
            let near = |(stream, status, known): &(StreamIndex, Status, Ts)| {
                let own = self.venue(*stream) == one.venue;
                own && status.is_open() && *known >= one.at - Span::secs(1) && *known <= one.at + Span::secs(90)
            };
            // A hole that was open already covers what happens inside it.
            let covered = || {
                (0..self.streams.len()).any(|s| {
                    let stream = StreamIndex(u16::try_from(s).unwrap_or(u16::MAX));
                    self.venue(stream) == one.venue && self.in_hole(stream, one.at, one.at)
                })
            };
            // A book that is fetched anew just then and reaches over the lost update has no hole.
            let renewed = || {
                let lost = number(&one.detail, "\"u\":");
                let soon = one.at..=one.at + SLACK;
                lost.is_some_and(|u| self.snapshots.iter().any(|(at, upto)| soon.contains(at) && *upto >= u))
            };
            if expected && !self.gaps.iter().any(near) && !covered() && !renewed() {
                return Err(format!("no hole was declared for {one:?}"));
            }
        }
        Ok(())
    }

    /// While the process was away every stream that was due says so.
    pub(super) fn absence_is_declared(&self, away: &[(Ts, Ts)]) -> Result<(), String> {
        for (from, until) in away {
            for (stream, decl, _) in self.of_metric(Metric::MarkPrice).chain(self.of_metric(Metric::Trade)) {
                if *until - *from > decl.cadence + SLACK && !self.in_hole(stream, *from, *until) {
                    return Err(format!(
                        "{} {} says nothing of {from} to {until}",
                        decl.instrument,
                        decl.metric.name()
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The liquidations that a venue shows, with the price it shows: the sample of its socket, or on CoinEx the list of all with the
/// liquidation prices of their positions. Two that are alike in everything are one there.
fn listed(venue: Venue, all: Vec<LiquidationTruth>) -> Vec<LiquidationTruth> {
    if venue != Venue::Coinex {
        return all.into_iter().filter(|l| l.shown).collect();
    }
    let mut listed: Vec<LiquidationTruth> = Vec::new();
    for mut one in all {
        one.level.price = one.trigger;
        if !listed.iter().any(|l| (l.at, l.long, l.level) == (one.at, one.long, one.level)) {
            listed.push(one);
        }
    }
    listed
}

/// The whole number that stands after a word.
fn number(text: &str, word: &str) -> Option<u64> {
    let (_, rest) = text.split_once(word)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Order books that were fetched, from the journal of answers.
fn snapshots(data: &Path) -> Result<Vec<(Ts, u64)>, Error> {
    let mut found = Vec::new();
    let broken = |e: barograph_lake::journal::Error| Error::failed(chain(&e));
    let mut journal = JournalReader::open(&replay::journal_folder(data), None).map_err(broken)?;
    while let Some(entry) = journal.next().map_err(broken)? {
        if let EntryKind::Frame { bytes, .. } = entry.kind
            && bytes.starts_with(b"{\"lastUpdateId\"")
        {
            found.extend(number(&String::from_utf8_lossy(bytes), "\"lastUpdateId\":").map(|upto| (entry.at, upto)));
        }
    }
    Ok(found)
}

fn same_candle(ours: &Bar, want: &CandleTruth) -> bool {
    let [open, high, low, last] = want.prices;
    close(ours.open, open)
        && close(ours.high, high)
        && close(ours.low, low)
        && close(ours.close, last)
        && ours.volume.is_none_or(|v| close(v, want.volume))
        // Sent with five decimals.
        && ours.quote_volume.is_none_or(|q| (q - want.quote_volume).abs() < 1e-4)
}

/// Nothing is in the store twice, and what the journal says of bars and liquidations is what the store holds.
pub(super) fn store_is_single(reader: &dyn Reader, seen: &Seen) -> Result<(), String> {
    for metric in
        [Metric::Bar, Metric::Liquidation, Metric::FundingRateSettled, Metric::MarkPrice, Metric::OpenInterest]
    {
        for (stream, decl, _) in seen.of_metric(metric) {
            let query = PointQuery {
                instrument: decl.instrument.clone(),
                metric,
                source: None,
                cadence: None,
                range: Range { start: Ts(0), end: Ts::MAX },
                limit: 100_000,
                as_of: None,
            };
            let points = reader.points(&query).map_err(|e| e.to_string())?.items;
            let mut keys = BTreeSet::new();
            for point in &points {
                // Two different orders may be liquidated in one millisecond.
                let what = if metric == Metric::Liquidation { format!("{:?}", point.payload) } else { String::new() };
                if !keys.insert((point.event_ts, point.seq, what)) {
                    return Err(format!("{} {} is stored twice: {point:?}", decl.instrument, metric.name()));
                }
            }
            let (journal, store) = match metric {
                Metric::Bar => {
                    let bars = seen.bars.range((stream, Ts::MIN)..=(stream, Ts::MAX));
                    (bars.map(|((_, ts), _)| *ts).collect(), points.iter().map(|p| p.event_ts).collect())
                }
                Metric::Liquidation => {
                    let own = seen.liquidations.get(&stream).map_or(&[][..], |l| l);
                    (own.iter().map(|e| e.event_ts).collect(), points.iter().map(|p| p.event_ts).collect())
                }
                _ => (Vec::new(), Vec::new()),
            };
            let (mut journal, mut store): (Vec<Ts>, Vec<Ts>) = (journal, store);
            journal.sort_unstable();
            store.sort_unstable();
            if journal != store {
                let missing = journal.iter().find(|t| !store.contains(t));
                let extra = store.iter().find(|t| !journal.contains(t));
                return Err(format!(
                    "{} {}: {} in the journal, {} in the store; missing {missing:?}, extra {extra:?}",
                    decl.instrument,
                    metric.name(),
                    journal.len(),
                    store.len()
                ));
            }
        }
    }
    Ok(())
}
