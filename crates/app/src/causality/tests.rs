//! The check catches what it is for: a feature that looks ahead, and an importer that hands out rows too early. Honest runs
//! of the same market pass. The market is seeded, minute by minute, half a day long.

use super::{CausalSink, CausalityVerdict, Experiment, check};
use crate::failure::Failure;
use crate::run::{Run, RunSink};
use barograph_domain::{
    Bar, Cell, Event, Instrument, InstrumentName, Kind, MarketKind, Metric, MinuteRow, OpenAlert, OpenAlerts, Pattern,
    Payload, Severity, Span, Stamp, Status, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::rules::RuleBook;
use barograph_engine::{Feature, LevelOut};
use barograph_live::digest::RunDigest;
use barograph_live::random::Random;
use barograph_live::setup::Setup;
use barograph_query::render::Lens;

const MINUTES: i64 = 840;
const POINTS: u32 = 24;
const START: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);

/// How the run is dishonest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    /// A reading is the distance to the last price of all the input.
    LooksAhead,
    /// The same, but the reading is a flag that changes only now and then.
    LooksAheadSeldom,
    /// Bars are handed out an hour before they were known.
    TooEarly,
    /// The same where nothing else is read, so that no honest stream shows what was missing.
    TooEarlyAlone,
    /// No reading knows the end, but the price shown does.
    PriceOfTheEnd,
    /// No reading knows the end, but what is said to be open does.
    OpenOfTheEnd,
    /// A level is stronger where the price ends beyond it.
    LevelKnowsTheEnd,
}

struct Market {
    setup: Setup,
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
    /// With the moment each was really known, in that order.
    events: Vec<(Ts, Event)>,
    fault: Fault,
}

fn streams(name: &InstrumentName) -> Vec<StreamDecl> {
    let declare = |metric, cadence, delay, stamp| StreamDecl {
        instrument: name.clone(),
        metric,
        kind: Kind::Measured,
        cadence,
        source: "binance-usdm".to_owned(),
        delay,
        stamp,
        filled: false,
    };
    let mut streams = vec![
        declare(Metric::Bar, Span::mins(1), Span::secs(2), Stamp::Open),
        declare(Metric::OpenInterest, Span::mins(5), Span::secs(60), Stamp::Instant),
    ];
    streams.sort();
    streams
}

impl Market {
    fn new(fault: Fault) -> Self {
        let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let streams = streams(&name);
        let index =
            |metric| StreamIndex(u16::try_from(streams.iter().position(|s| s.metric == metric).unwrap()).unwrap());
        let text = RuleBook::shipped_text("default").unwrap();
        let setup = Setup::of(RuleBook::parse("default.toml", text).unwrap(), text.to_owned(), String::new());
        let mut random = Random::new(5);
        let mut price = 60_000.0;
        let mut events = Vec::new();
        for minute in 1..=MINUTES {
            let close_ts = START + Span::mins(minute);
            let open = price;
            price *= if random.below(2) == 0 { 1.001 } else { 0.999 };
            let bar = Bar {
                open,
                high: open.max(price),
                low: open.min(price),
                close: price,
                volume: Some(1.0),
                quote_volume: None,
            };
            let known = close_ts + Span::secs(2);
            let recv_ts =
                if matches!(fault, Fault::TooEarly | Fault::TooEarlyAlone) { known - Span::hours(1) } else { known };
            let event = |recv_ts, stream, payload| Event { recv_ts, event_ts: close_ts, stream, seq: 0, payload };
            events.push((known, event(recv_ts, index(Metric::Bar), Payload::Bar(bar))));
            if minute % 5 == 0 && fault != Fault::TooEarlyAlone {
                let known = close_ts + Span::secs(60);
                let value = 80_000.0 + f64::from(u8::try_from(random.below(200)).unwrap());
                events.push((known, event(known, index(Metric::OpenInterest), Payload::Value(value))));
            }
        }
        let instruments = vec![Instrument::from_name(name, MarketKind::Perpetual)];
        Self { setup, instruments, streams, events, fault }
    }

    fn verdict(&self) -> CausalityVerdict {
        let lenses: Vec<Lens> = self.instruments.iter().map(|i| self.setup.lens(i, &self.streams)).collect();
        let span = (START, START + Span::mins(MINUTES));
        let mut steps = 0;
        let verdict = check(self, &lenses, span, POINTS, 1, &mut |done| steps = done).ok().unwrap();
        assert_eq!(steps, POINTS, "every cut was made");
        verdict
    }
}

impl Experiment for Market {
    fn run(&self, cut: Option<Ts>, sink: &mut dyn CausalSink) -> Result<(), Failure> {
        let known = self.events.iter().filter(|(known, _)| cut.is_none_or(|cut| *known <= cut));
        let mut events: Vec<Event> = known.map(|(_, event)| *event).collect();
        events.sort_by(Event::order);
        let is_bar = |e: &&Event| matches!(e.payload, Payload::Bar(_));
        let last = events.iter().filter(is_bar).filter_map(|e| e.payload.headline()).next_back().unwrap_or(0.0);
        let mut run = Run::new(&self.setup, &self.instruments, &self.streams);
        let mut tap = Tap { sink, last, fault: self.fault };
        for event in &events {
            run.event(event, &mut tap)?;
            tap.sink.levels(&run)?;
        }
        run.finish(crate::clock::now(), &mut tap)?;
        tap.sink.levels(&run)?;
        cut.map_or(Ok(()), |cut| run.advance(cut, &mut tap))
    }
}

/// Passes rows on, with the planted fault.
struct Tap<'a> {
    sink: &'a mut dyn CausalSink,
    last: f64,
    fault: Fault,
}

impl RunSink for Tap<'_> {
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        let mut level = *level;
        if self.fault == Fault::LevelKnowsTheEnd && level.change.record.price < self.last {
            level.change.record.touches += 1;
        }
        self.sink.level(&level)
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        let mut row = row.clone();
        let price = row.price.unwrap_or(0.0);
        let ready = |value| Cell::ready_at(value, row.ts, Kind::Measured);
        match self.fault {
            Fault::LooksAhead => row.cells[Feature::OiZscore7d.index()] = ready(self.last - price),
            Fault::LooksAheadSeldom => {
                let near = f64::from(u8::from(price > self.last));
                row.cells[Feature::FundingExtremeFlag.index()] = ready(near);
            }
            Fault::PriceOfTheEnd => row.price = Some(self.last),
            Fault::OpenOfTheEnd => row.open.count = u16::from(price > self.last),
            Fault::None | Fault::TooEarly | Fault::TooEarlyAlone | Fault::LevelKnowsTheEnd => {}
        }
        self.sink.row(&row)
    }
    fn gap(&mut self, _stream: StreamIndex, _status: &Status, _known_ts: Ts) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn an_honest_run_is_never_rewritten() {
    let verdict = Market::new(Fault::None).verdict();
    assert_eq!((verdict.rewritten, verdict.differences.as_slice()), (0, &[][..]));
    // Half of the minutes on average, at every cut, and every reading of them.
    assert!(verdict.compared > u64::from(POINTS) * 200 * 40, "{}", verdict.compared);
}

/// What each fault is called by: the reading that shows it.
const PLANTED: &[(Fault, &str)] = &[
    (Fault::LooksAhead, "oi_zscore_7d was "),
    (Fault::LooksAheadSeldom, "funding_extreme_flag was "),
    (Fault::TooEarly, "realized_vol_1h was "),
    (Fault::TooEarlyAlone, "realized_vol_1h was "),
    (Fault::LevelKnowsTheEnd, "changes of levels differ"),
    (Fault::OpenOfTheEnd, "open alerts were "),
    (Fault::PriceOfTheEnd, "held shares, cuts, price or input ages differ"),
];

#[test]
fn planted_faults_are_caught_and_named() {
    for (fault, words) in PLANTED {
        let verdict = Market::new(*fault).verdict();
        assert!(verdict.rewritten > 0, "{fault:?} passed");
        let named = verdict.differences.iter().find(|d| d.contains(words));
        let named = named.unwrap_or_else(|| panic!("{fault:?}: {:?}", &verdict.differences[..4]));
        assert!(named.starts_with("binance-usdm:BTCUSDT 2026-02-05T"), "{named}");
        assert!(named.contains(", cut at 2026-02-05T"), "{named}");
        assert!(verdict.rewritten <= verdict.compared, "{} of {}", verdict.rewritten, verdict.compared);
        let minute = |d: &String| d.split(' ').nth(1).unwrap().to_owned();
        assert!(verdict.differences.is_sorted_by_key(minute), "the earliest first");
    }
}

#[test]
fn all_that_is_said_is_compared() {
    let market = Market::new(Fault::None);
    let lenses: Vec<Lens> = market.instruments.iter().map(|i| market.setup.lens(i, &market.streams)).collect();
    let mut last = Last(None);
    assert!(market.run(None, &mut last).is_ok());
    let plain = last.0.unwrap();
    let mut open = plain.clone();
    let worst = OpenAlert { pattern: Pattern::ALL[0], severity: Severity::Critical, rule: None };
    open.open = OpenAlerts { count: 1, worst: Some(worst), ..OpenAlerts::default() };
    let said = |row: &MinuteRow| lenses[0].snapshot(row, None);
    assert_ne!(said(&plain).headline, said(&open).headline, "nothing else differs, but the headline does");
    assert_eq!(said(&plain).explanation.reasoning, said(&open).explanation.reasoning);
    assert_ne!(super::text_hash(&lenses, &plain).ok(), super::text_hash(&lenses, &open).ok());
    let digest = |row: &MinuteRow| {
        let mut digest = RunDigest::new("v");
        digest.row(row);
        digest.finish()
    };
    assert_ne!(digest(&plain), digest(&open));
}

/// Keeps the last minute.
struct Last(Option<MinuteRow>);

impl CausalSink for Last {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        self.0 = Some(row.clone());
        Ok(())
    }
    fn levels(&mut self, _run: &Run) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_fault_is_found_again_with_the_same_seed() {
    let market = Market::new(Fault::TooEarly);
    assert_eq!(market.verdict(), market.verdict());
}
