//! Events through gap detection and the engine, in the one way every command does it.

use crate::failure::Failure;
use barograph_domain::{Event, Instrument, MinuteRow, Payload, Status, StreamDecl, StreamIndex, Ts};
use barograph_engine::market::MarketState;
use barograph_engine::{AT_ONCE, AlertOut, Engine, LevelOut, Outputs};
use barograph_live::setup::Setup;
use barograph_live::take_due;
use barograph_venues::continuity::Continuity;
use core::ops::Range;

/// Takes what a run makes.
pub(crate) trait RunSink {
    /// A minute of one market.
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure>;
    /// Something happened to a level in the minute whose row comes next.
    fn level(&mut self, _level: &LevelOut) -> Result<(), Failure> {
        Ok(())
    }
    /// A record of an alert. What an event made comes with the event, what a minute made before its row.
    fn alert(&mut self, _alert: &AlertOut) -> Result<(), Failure> {
        Ok(())
    }
    /// The same, of the minute whose row comes next: the row says why.
    fn alert_of(&mut self, alert: &AlertOut, _row: &MinuteRow) -> Result<(), Failure> {
        self.alert(alert)
    }
    /// The minutes of all markets are stored; what lies between markets and the ledger come next.
    fn stored(&mut self) {}
    /// A declared gap, or the end of one that was open.
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure>;
}

/// How many rows and records of alerts.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    rows: usize,
    alerts: usize,
}

impl Place {
    /// All that there are.
    fn end(out: &Outputs) -> Self {
        Self { rows: out.rows().len(), alerts: out.alerts().len() }
    }
}

/// Rows with what happened to levels in their minutes, and records of alerts where they belong between them: in the same order
/// whether many events were stepped at once or one by one.
fn hand(out: &Outputs, places: Range<Place>, sink: &mut dyn RunSink) -> Result<(), Failure> {
    let Range { start, end } = places;
    let mut alerts: Vec<&AlertOut> = out.alerts().get(start.alerts..end.alerts).unwrap_or_default().iter().collect();
    for place in start.rows..end.rows {
        let row = &out.rows()[place];
        for alert in take_due(&mut alerts, row) {
            if alert.known.alert.ts == row.ts { sink.alert_of(alert, row)? } else { sink.alert(alert)? }
        }
        for level in out.levels(place) {
            sink.level(level)?;
        }
        sink.row(row)?;
    }
    alerts.into_iter().try_for_each(|alert| sink.alert(alert))
}

/// Hands on a change of continuity.
fn hand_gap(gap: &Event, sink: &mut dyn RunSink) -> Result<(), Failure> {
    match &gap.payload {
        Payload::Status(status) => sink.gap(gap.stream, status, gap.recv_ts),
        _ => Ok(()),
    }
}

/// Written at once; a list of numbers of one byte reads the same, and is written byte by byte.
struct AsBytes<'a>(&'a [u8]);

impl serde::Serialize for AsBytes<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.0)
    }
}

/// An engine with its gap detection.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) engine: Engine,
    continuity: Continuity,
    out: Outputs,
}

impl Run {
    pub(crate) fn new(setup: &Setup, instruments: &[Instrument], streams: &[StreamDecl]) -> Self {
        Self {
            engine: Engine::new(setup.engine(), instruments, streams),
            continuity: Continuity::new(streams),
            out: Outputs::default(),
        }
    }

    /// Takes one event, in the total order.
    pub(crate) fn event(&mut self, event: &Event, sink: &mut dyn RunSink) -> Result<(), Failure> {
        self.ended(event.recv_ts, sink)?;
        if let Some(gap) = self.continuity.push(event) {
            self.declare(&gap, sink)?;
        }
        self.step(event, sink)
    }

    /// Takes many events and hands on what they made at the end, in the same order as one by one. Before a long hole, and
    /// after it, what there is is handed on.
    pub(crate) fn chunk(&mut self, events: &[Event], sink: &mut dyn RunSink) -> Result<(), Failure> {
        let mut gaps: Vec<(Place, Event)> = Vec::new();
        for event in events {
            if self.is_far(event) {
                self.hand_out(&mut gaps, sink)?;
                self.event(event, sink)?;
                continue;
            }
            while let Some(gap) = self.continuity.due(event.recv_ts) {
                self.engine.step(&gap, &mut self.out);
                gaps.push((Place::end(&self.out), gap));
            }
            if let Some(gap) = self.continuity.push(event) {
                self.engine.step(&gap, &mut self.out);
                gaps.push((Place::end(&self.out), gap));
            }
            self.engine.step(event, &mut self.out);
        }
        self.hand_out(&mut gaps, sink)
    }

    fn hand_out(&mut self, gaps: &mut Vec<(Place, Event)>, sink: &mut dyn RunSink) -> Result<(), Failure> {
        let mut done = Place::default();
        for (until, gap) in gaps.drain(..) {
            hand(&self.out, done..until, sink)?;
            done = until;
            hand_gap(&gap, sink)?;
        }
        hand(&self.out, done..Place::end(&self.out), sink)?;
        self.out.clear();
        Ok(())
    }

    /// Would an event make more minutes than are held at once?
    fn is_far(&self, event: &Event) -> bool {
        let market = self.engine.market_of(event.stream).and_then(|at| self.engine.market(at));
        market.and_then(MarketState::next_tick).is_some_and(|t| t + AT_ONCE < event.recv_ts)
    }

    /// Makes every minute that is due before something received at `recv_ts`.
    pub(crate) fn advance(&mut self, recv_ts: Ts, sink: &mut dyn RunSink) -> Result<(), Failure> {
        self.ended(recv_ts, sink)?;
        for at in 0..self.engine.markets().len() {
            self.approach(at, recv_ts, sink)?;
        }
        let tick = Event { recv_ts, event_ts: recv_ts, stream: StreamIndex(0), seq: 0, payload: Payload::Tick };
        self.engine.step(&tick, &mut self.out);
        self.drain(sink)
    }

    /// Makes most of the minutes of a hole, a few hours at a time.
    fn approach(&mut self, market: usize, recv_ts: Ts, sink: &mut dyn RunSink) -> Result<(), Failure> {
        while self.engine.approach(market, recv_ts, &mut self.out) {
            self.drain(sink)?;
        }
        Ok(())
    }

    fn step(&mut self, event: &Event, sink: &mut dyn RunSink) -> Result<(), Failure> {
        if let Some(market) = self.engine.market_of(event.stream) {
            self.approach(market, event.recv_ts, sink)?;
        }
        self.engine.step(event, &mut self.out);
        self.drain(sink)
    }

    /// Declares archives that have ended by then.
    fn ended(&mut self, recv_ts: Ts, sink: &mut dyn RunSink) -> Result<(), Failure> {
        while let Some(gap) = self.continuity.due(recv_ts) {
            self.declare(&gap, sink)?;
        }
        Ok(())
    }

    fn declare(&mut self, gap: &Event, sink: &mut dyn RunSink) -> Result<(), Failure> {
        self.step(gap, sink)?;
        hand_gap(gap, sink)
    }

    /// Makes the last minutes, but none that is not over at `now`: more may arrive for it.
    pub(crate) fn finish(&mut self, now: Ts, sink: &mut dyn RunSink) -> Result<(), Failure> {
        self.engine.finish(now, &mut self.out);
        self.drain(sink)
    }

    fn drain(&mut self, sink: &mut dyn RunSink) -> Result<(), Failure> {
        // Most events make nothing.
        if self.out.rows().is_empty() && self.out.alerts().is_empty() {
            self.out.clear();
            return Ok(());
        }
        hand(&self.out, Place::default()..Place::end(&self.out), sink)?;
        self.out.clear();
        Ok(())
    }

    /// Engine and gap detection as bytes.
    pub(crate) fn save(&self) -> Result<Vec<u8>, Failure> {
        postcard::to_allocvec(&(AsBytes(&self.engine.save()), &self.continuity)).map_err(Failure::broken)
    }

    /// Goes on from [`Self::save`]; `None` when the bytes are not usable, so that the caller replays from the beginning.
    pub(crate) fn restore(
        setup: &Setup,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        bytes: &[u8],
    ) -> Option<Self> {
        let (engine, continuity): (Vec<u8>, Continuity) = postcard::from_bytes(bytes).ok()?;
        let engine = Engine::restore(setup.engine(), instruments, streams, &engine).ok()?;
        Some(Self { engine, continuity, out: Outputs::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Bar, InstrumentName, Kind, MarketKind, Metric, Span, Stamp};
    use barograph_engine::rules::RuleBook;

    /// Rows as they are handed on.
    #[derive(Default)]
    struct Taken {
        rows: Vec<MinuteRow>,
    }

    impl RunSink for Taken {
        fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
            self.rows.push(row.clone());
            Ok(())
        }
        fn gap(&mut self, _stream: StreamIndex, _status: &Status, _known_ts: Ts) -> Result<(), Failure> {
            Ok(())
        }
    }

    fn market() -> (Setup, Vec<Instrument>, Vec<StreamDecl>) {
        let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let stream = StreamDecl {
            instrument: name.clone(),
            metric: Metric::Bar,
            kind: Kind::Measured,
            cadence: Span::mins(1),
            source: "binance-usdm".to_owned(),
            delay: Span::secs(2),
            stamp: Stamp::Open,
            filled: false,
        };
        let text = RuleBook::shipped_text("default").unwrap();
        let setup = Setup::of(RuleBook::parse("default.toml", text).unwrap(), text.to_owned(), String::new());
        (setup, vec![Instrument::from_name(name, MarketKind::Perpetual)], vec![stream])
    }

    /// Bars of an hour, of none for so many days, and of another hour.
    fn holed(days: i64) -> Vec<Event> {
        let start = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let minutes = (1..=60).chain(days * 1_440 + 1..=days * 1_440 + 60);
        let bar = Bar { open: 1.0, high: 2.0, low: 1.0, close: 1.5, volume: None, quote_volume: None };
        let event = |m| {
            let event_ts = start + Span::mins(m);
            let recv_ts = event_ts + Span::secs(2);
            Event { recv_ts, event_ts, stream: StreamIndex(0), seq: 0, payload: Payload::Bar(bar) }
        };
        minutes.map(event).collect()
    }

    #[test]
    fn h5_a_hole_is_made_a_few_hours_at_a_time() {
        let (setup, instruments, streams) = market();
        let events = holed(3);
        let (mut one_by_one, mut at_once) = (Taken::default(), Taken::default());
        let mut run = Run::new(&setup, &instruments, &streams);
        events.iter().try_for_each(|e| run.event(e, &mut one_by_one)).ok().unwrap();
        let mut run = Run::new(&setup, &instruments, &streams);
        run.chunk(&events, &mut at_once).ok().unwrap();
        assert!(one_by_one.rows == at_once.rows, "chunks make the same rows");

        let mut engine = Engine::new(setup.engine(), &instruments, &streams);
        let (mut out, mut rows) = (Outputs::default(), Vec::new());
        let after = events[60];
        events[..60].iter().for_each(|e| engine.step(e, &mut out));
        let mut direct = out.rows().to_vec();
        rows.extend_from_slice(out.rows());
        out.clear();
        let mut whole = Engine::restore(setup.engine(), &instruments, &streams, &engine.save()).ok().unwrap();
        while engine.approach(0, after.recv_ts, &mut out) {
            let most = usize::try_from(AT_ONCE.0 / Span::mins(1).0).unwrap() + 1;
            assert!(out.rows().len() <= most, "{} rows at once", out.rows().len());
            rows.extend_from_slice(out.rows());
            out.clear();
        }
        engine.step(&after, &mut out);
        rows.extend_from_slice(out.rows());
        out.clear();
        whole.step(&after, &mut out);
        direct.extend_from_slice(out.rows());
        assert!(rows.len() >= 3 * 1_440, "{} rows", rows.len());
        assert!(rows == direct, "in parts as at once");
    }
}
