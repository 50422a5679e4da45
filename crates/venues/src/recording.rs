//! Raw recordings as hftbacktest's collector writes them: `<receive nanoseconds> <message>`, one frame per line, of
//! Binance futures and spot.
//!
//! Quirks that decide code here:
//! - The receive stamp orders everything and never steps back; a line that does is wrong. Collectors of 2023 wrote
//!   microseconds, later ones nanoseconds: the first line says which by its size, and the file keeps to it.
//! - Recorders' clocks run behind the venue's, in the known files by 1.3 to 1.5 s: a closed candle can arrive "before" its
//!   close. Up to [`CLOCK_SLACK`] the candle is used at its close; beyond that it is refused.
//! - A recording with both `trade` and `aggTrade` of a symbol says every trade twice: the kind that comes first is used to
//!   its end. Preferring one of them would let a later frame undo earlier ones.
//! - Depth frames and the REST snapshot in between are counted, not used yet.

use crate::binance::map::{self, Fact, Market};
use crate::funding::Awaited;
use crate::number;
use crate::reject::{Reject, RejectReason, RowOutcome, Unused};
use crate::table::EventSink;
use barograph_domain::{Event, Metric, Payload, Span, StreamIndex, Ts};
use std::borrow::Cow;

/// How far a recorder's clock may be behind the venue's.
pub const CLOCK_SLACK: Span = Span::secs(5);

/// What a recording counts its receive stamps in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StampUnit {
    /// 10⁻³ s.
    Millis,
    /// 10⁻⁶ s, as collectors did in 2023.
    Micros,
    /// 10⁻⁹ s.
    Nanos,
}

impl StampUnit {
    const ALL: [Self; 3] = [Self::Millis, Self::Micros, Self::Nanos];

    const fn nanos(self) -> i64 {
        match self {
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    /// The instant a number means; `None` where it is none of our time.
    fn instant(self, number: i64) -> Option<Ts> {
        number.checked_mul(self.nanos()).map(Ts).filter(|t| number::PLAUSIBLE.contains(t))
    }

    /// Receive stamp and message of a line; `None` where it has none.
    #[must_use]
    pub fn split(self, line: &[u8]) -> Option<(Ts, &[u8])> {
        let (number, body) = stamp(line)?;
        self.instant(number).map(|t| (t, body))
    }

    /// Of a stamp; what is plausible in one unit is centuries off in the others.
    #[must_use]
    pub fn of(line: &[u8]) -> Option<Self> {
        let (number, _) = stamp(line)?;
        Self::ALL.into_iter().find(|unit| unit.instant(number).is_some())
    }
}

/// One stream of a recording.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Channel {
    /// The venue's symbol.
    pub symbol: String,
    /// What it carries.
    pub metric: Metric,
    /// Timeframe of candles.
    pub cadence: Span,
}

/// Reads the lines of one recording.
#[derive(Clone, Debug)]
pub struct RecordingMapper {
    market: Market,
    /// Of the first line with a stamp.
    unit: Option<StampUnit>,
    now: Ts,
    last: Ts,
    /// Sorted; found while planning.
    channels: Vec<(Channel, Option<StreamIndex>)>,
    /// Symbols with trades, and whether their first was an aggregated one: the other kind says the same again.
    kinds: Vec<(String, bool)>,
    /// Symbols with running funding, and what their settlements show.
    awaited: Vec<(String, Awaited)>,
}

impl RecordingMapper {
    /// For a market. Lines received after `now` are refused.
    #[must_use]
    pub fn new(market: Market, now: Ts) -> Self {
        Self { market, unit: None, now, last: Ts::MIN, channels: Vec::new(), kinds: Vec::new(), awaited: Vec::new() }
    }
    /// The market.
    #[must_use]
    pub fn market(&self) -> Market {
        self.market
    }
    /// What its receive stamps are counted in; known once a line has been planned.
    #[must_use]
    pub fn unit(&self) -> Option<StampUnit> {
        self.unit
    }
    /// Channels seen so far by [`Self::plan`], sorted.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().map(|(channel, _)| channel)
    }
    /// Says where events go, in the order of [`Self::channels`]; `None` leaves a channel out.
    pub fn bind(&mut self, streams: &[Option<StreamIndex>]) {
        for ((_, to), stream) in self.channels.iter_mut().zip(streams) {
            *to = *stream;
        }
        self.last = Ts::MIN;
        self.awaited.clear();
    }

    /// First pass: receive time of a line, its channels noted.
    ///
    /// # Errors
    /// The line is wrong.
    pub fn plan(&mut self, line: &[u8]) -> Result<Ts, Reject> {
        self.unit = self.unit.or_else(|| StampUnit::of(line));
        let (recv_ts, body) = split(line, self.unit)?;
        if recv_ts > self.now {
            return Err(Reject::row(RejectReason::Future));
        }
        let mut facts = Vec::new();
        map::facts(body, self.market, &mut facts)?;
        for fact in &facts {
            if fact.metric == Metric::Trade && self.aggregated(&fact.symbol).is_none() {
                self.kinds.push((fact.symbol.clone().into_owned(), fact.aggregated));
            }
            if let Err(at) = self.find(fact) {
                let channel =
                    Channel { symbol: fact.symbol.clone().into_owned(), metric: fact.metric, cadence: fact.cadence };
                self.channels.insert(at, (channel, None));
            }
        }
        Ok(recv_ts)
    }

    /// When a line was received.
    ///
    /// # Errors
    /// It has no receive stamp.
    pub fn known_ts(&self, line: &[u8]) -> Result<Ts, Reject> {
        split(line, self.unit).map(|(recv_ts, _)| recv_ts)
    }

    /// Second pass: the events of a line.
    ///
    /// # Errors
    /// Why the line is wrong. Nothing was pushed then.
    pub fn map(&mut self, line: &[u8], sink: &mut EventSink) -> RowOutcome {
        let (recv_ts, body) = split(line, self.unit)?;
        if recv_ts > self.now {
            return Err(Reject::row(RejectReason::Future));
        }
        if recv_ts < self.last {
            return Err(Reject::row(RejectReason::OutOfOrder));
        }
        self.last = recv_ts;
        let mut facts = Vec::new();
        if let Some(unused) = map::facts(body, self.market, &mut facts)? {
            return Ok(Some(unused));
        }
        let before = sink.len();
        let mut unused = Unused::Filtered;
        for fact in &mut facts {
            self.complete(fact);
            let too_early =
                matches!(fact.payload, Payload::Bar(_)) && fact.event_ts.is_some_and(|t| t > recv_ts + CLOCK_SLACK);
            if too_early {
                sink.truncate(before);
                return Err(Reject::row(RejectReason::KnownBeforeClose));
            }
            if fact.metric == Metric::Trade
                && self.aggregated(&fact.symbol).is_some_and(|first| first != fact.aggregated)
            {
                unused = Unused::SecondTrades;
                continue;
            }
            let Ok(at) = self.find(fact) else { continue };
            if let Some(stream) = self.channels[at].1 {
                sink.push(event(fact, recv_ts, stream));
            }
        }
        Ok((sink.len() == before).then_some(unused))
    }

    /// Says how long the settlement interval of a running rate is, once the recording has shown it.
    fn complete(&mut self, fact: &mut Fact<'_>) {
        let Payload::Funding { interval_h, next_ts: Some(next), .. } = &mut fact.payload else { return };
        let at = self.awaited.iter().position(|(symbol, _)| *symbol == fact.symbol).unwrap_or_else(|| {
            self.awaited.push((fact.symbol.clone().into_owned(), Awaited::default()));
            self.awaited.len() - 1
        });
        *interval_h = self.awaited[at].1.interval_h(*next);
    }

    /// Whether the trades of a symbol are the aggregated ones; `None` before its first.
    fn aggregated(&self, symbol: &str) -> Option<bool> {
        self.kinds.iter().find(|(s, _)| s == symbol).map(|(_, aggregated)| *aggregated)
    }

    fn find(&self, fact: &Fact<'_>) -> Result<usize, usize> {
        let key = (&*fact.symbol, fact.metric, fact.cadence);
        self.channels.binary_search_by(|(c, _)| (c.symbol.as_str(), c.metric, c.cadence).cmp(&key))
    }
}

fn event(fact: &Fact<'_>, recv_ts: Ts, stream: StreamIndex) -> Event {
    let event_ts = fact.event_ts.unwrap_or(recv_ts);
    // A bar is never known before its close, whatever the recorder's clock says.
    let recv_ts = if matches!(fact.payload, Payload::Bar(_)) { recv_ts.max(event_ts) } else { recv_ts };
    Event { recv_ts, event_ts, stream, seq: fact.seq, payload: fact.payload }
}

/// The number before a message, and the message.
fn stamp(line: &[u8]) -> Option<(i64, &[u8])> {
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let (stamp, rest) = line.split_at(digits);
    let number = number::unsigned(stamp).and_then(|n| i64::try_from(n).ok())?;
    Some((number, rest.strip_prefix(b" ")?))
}

/// Receive stamp and message. A file has one unit; a line in another is wrong.
fn split(line: &[u8], unit: Option<StampUnit>) -> Result<(Ts, &[u8]), Reject> {
    let wrong = Reject::row(RejectReason::NotATime);
    let (number, body) = stamp(line).ok_or(wrong)?;
    let unit = unit.or_else(|| StampUnit::of(line)).ok_or(wrong)?;
    unit.instant(number).map(|t| (t, body)).ok_or(wrong)
}

/// Which market a recording is of, from its first lines.
#[must_use]
pub fn guess_market<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Market> {
    lines.into_iter().find_map(|line| split(line, None).ok().and_then(|(_, body)| map::guess_market(body)))
}

/// The message of a line as an error shows it, at most 60 characters.
#[must_use]
pub fn shown(line: &[u8]) -> String {
    let text: Cow<'_, str> = String::from_utf8_lossy(line);
    let clean = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    if text.chars().count() <= 60 { clean.collect() } else { clean.take(59).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ts = Ts::from_civil(2026, 11, 20, 0, 0, 0);

    fn trade(recv: i64, kind: &str, id: u64) -> String {
        let name = if kind == "trade" { "t" } else { "a" };
        format!(
            r#"{recv} {{"stream":"btcusdt@{kind}","data":{{"e":"{kind}","E":1723161257440,"T":1723161257440,"s":"BTCUSDT","{name}":{id},"p":"61800.1","q":"0.5","m":true}}}}"#
        )
    }

    /// What planning can see is wrong about a line: its stamp and its JSON, not its order.
    fn true_frame(line: &str) -> bool {
        let stamp = line.split(' ').next().and_then(|s| s.parse::<i64>().ok());
        stamp.is_some_and(|s| number::PLAUSIBLE.contains(&Ts(s)) && Ts(s) <= NOW)
    }

    fn run(lines: &[String]) -> Vec<(RowOutcome, usize)> {
        let mut mapper = RecordingMapper::new(Market::UsdM, NOW);
        for line in lines {
            // Planning notes channels and lets wrong lines pass: they count in the second pass.
            assert_eq!(mapper.plan(line.as_bytes()).is_ok(), true_frame(line), "{line}");
        }
        let streams: Vec<_> =
            (0..mapper.channels().count()).map(|i| Some(StreamIndex(u16::try_from(i).unwrap()))).collect();
        mapper.bind(&streams);
        let mut sink = EventSink::new();
        let map = |line: &String| {
            sink.clear();
            let outcome = mapper.map(line.as_bytes(), &mut sink);
            (outcome, sink.len())
        };
        lines.iter().map(map).collect()
    }

    #[test]
    fn a_message_is_shown_whole_up_to_sixty_characters() {
        let line = |n: usize| "é".repeat(n);
        assert_eq!(shown(line(60).as_bytes()), line(60));
        assert_eq!(shown(line(61).as_bytes()), format!("{}…", line(59)));
        assert_eq!(shown(b"a\x07b"), "a\u{fffd}b");
    }

    #[test]
    fn receive_stamps_never_step_back() {
        let base = 1_723_161_256_000_000_000;
        let lines = [trade(base + 5, "trade", 1), trade(base + 4, "trade", 2), trade(base + 5, "trade", 3)];
        let want = [(Ok(None), 1), (Err(Reject::row(RejectReason::OutOfOrder)), 0), (Ok(None), 1)];
        assert_eq!(run(&lines), want);
    }

    #[test]
    fn a_trade_said_twice_counts_once() {
        let base = 1_723_161_256_000_000_000;
        let (used, again) = ((Ok(None), 1), (Ok(Some(Unused::SecondTrades)), 0));
        let frame = |n: i64, kind| trade(base + n, kind, n.unsigned_abs());
        let other = frame(3, "trade").replace("BTCUSDT", "ETHUSDT");
        for (first, second) in [("aggTrade", "trade"), ("trade", "aggTrade")] {
            let lines = [frame(1, first), frame(2, second), other.clone(), frame(4, second), frame(5, first)];
            let want = [used, again, used, again, used];
            for n in 1..=lines.len() {
                assert_eq!(run(&lines[..n]), want[..n], "{first} first: a beginning gives the beginning");
            }
        }
    }

    #[test]
    fn a_candle_is_used_at_its_close_or_not_at_all() {
        let candle = |recv: i64| {
            format!(
                r#"{recv} {{"e":"kline","E":1791383700013,"s":"BTCUSDT","k":{{"t":1791383640000,"T":1791383699999,"o":"1","c":"1","h":"1","l":"1","v":"1","x":true,"q":"1"}}}}"#
            )
        };
        let close = 1_791_383_700_000_000_000;
        let got = run(&[candle(close - 6_000_000_000), candle(close - 1_500_000_000)]);
        assert_eq!(got, [(Err(Reject::row(RejectReason::KnownBeforeClose)), 0), (Ok(None), 1)]);
        let fact = Fact {
            symbol: "X".into(),
            metric: Metric::Bar,
            cadence: Span::mins(1),
            event_ts: Some(Ts(close)),
            seq: 0,
            payload: Payload::Bar(barograph_domain::Bar {
                open: 1.0,
                high: 1.0,
                low: 1.0,
                close: 1.0,
                volume: None,
                quote_volume: None,
            }),
            aggregated: false,
        };
        assert_eq!(event(&fact, Ts(close - 1), StreamIndex(0)).recv_ts, Ts(close));
    }

    #[test]
    fn running_funding_has_the_interval_that_the_recording_shows() {
        let mark = |minute: i64, symbol: &str, next_h: i64| {
            let (recv, next) = (1_791_331_200_000 + minute * 60_000, 1_791_331_200_000 + next_h * 3_600_000);
            format!(
                r#"{recv}000000 {{"e":"markPriceUpdate","E":{recv},"s":"{symbol}","p":"1","i":"1","r":"0.0001","T":{next},"st":1}}"#
            )
        };
        // 2026-10-07 00:00 UTC. One contract settles every four hours, the other every eight.
        let lines = [mark(0, "AUSDT", 4), mark(1, "BUSDT", 8), mark(300, "AUSDT", 8), mark(600, "BUSDT", 16)];
        let mut mapper = RecordingMapper::new(Market::UsdM, NOW);
        assert!(lines.iter().all(|line| mapper.plan(line.as_bytes()).is_ok()));
        let streams: Vec<_> =
            (0..mapper.channels().count()).map(|i| Some(StreamIndex(u16::try_from(i).unwrap()))).collect();
        mapper.bind(&streams);
        let mut intervals = Vec::new();
        for line in &lines {
            let mut sink = EventSink::new();
            mapper.map(line.as_bytes(), &mut sink).unwrap();
            intervals.extend(sink.iter().filter_map(|e| match e.payload {
                Payload::Funding { interval_h, .. } => Some(interval_h),
                _ => None,
            }));
        }
        assert_eq!(intervals, [Some(4.0), None, Some(4.0), Some(8.0)]);
    }

    #[test]
    fn the_first_stamp_says_what_all_are_counted_in() {
        let line = |stamp: &str| trade(1, "trade", 1).replacen('1', stamp, 1);
        for (stamp, unit) in [
            ("1676419207212", StampUnit::Millis),
            ("1676419207212527", StampUnit::Micros),
            ("1676419207212527123", StampUnit::Nanos),
        ] {
            let mut mapper = RecordingMapper::new(Market::UsdM, NOW);
            let at = mapper.plan(line(stamp).as_bytes()).unwrap();
            assert_eq!((at.floor(Span::millis(1)), mapper.unit()), (Ts(1_676_419_207_212_000_000), Some(unit)));
            let other = if unit == StampUnit::Nanos { "1676419207212527" } else { "1676419207212527123" };
            assert_eq!(
                mapper.plan(line(other).as_bytes()),
                Err(Reject::row(RejectReason::NotATime)),
                "{stamp}, then {other}"
            );
        }
    }

    #[test]
    fn lines_without_a_stamp_or_from_the_future_are_refused() {
        let want = |reason| vec![(Err(Reject::row(reason)), 0)];
        assert_eq!(run(&["{\"e\":\"trade\"}".to_owned()]), want(RejectReason::NotATime));
        assert_eq!(run(&["17 {}".to_owned()]), want(RejectReason::NotATime));
        assert_eq!(run(&[trade(4_000_000_000_000_000_000, "trade", 1)]), want(RejectReason::Future));
    }
}
