//! Events through gap detection and the engine, in the one way every command does it.

use crate::failure::Failure;
use crate::setup::Setup;
use barograph_domain::{Event, Instrument, MinuteRow, Payload, Status, StatusState, StreamDecl, StreamIndex, Ts};
use barograph_engine::{Engine, LevelOut, Outputs};
use barograph_venues::continuity::Continuity;
use core::ops::Range;

/// Takes what a run makes.
pub(crate) trait Sink {
    /// A minute of one market.
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure>;
    /// Something happened to a level in the minute whose row comes next.
    fn level(&mut self, _level: &LevelOut) -> Result<(), Failure> {
        Ok(())
    }
    /// A declared gap.
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure>;
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
    pub(crate) fn event(&mut self, event: &Event, sink: &mut dyn Sink) -> Result<(), Failure> {
        if let Some(gap) = self.continuity.push(event) {
            self.engine.step(&gap, &mut self.out);
            self.drain(sink)?;
            if let Payload::Status(status) = &gap.payload
                && status.state == StatusState::Gap
            {
                sink.gap(gap.stream, status, gap.recv_ts)?;
            }
        }
        self.engine.step(event, &mut self.out);
        self.drain(sink)
    }

    /// Takes many events and hands on what they made at the end, in the same order as one by one.
    pub(crate) fn chunk(&mut self, events: &[Event], sink: &mut dyn Sink) -> Result<(), Failure> {
        let mut gaps: Vec<(usize, Event)> = Vec::new();
        for event in events {
            if let Some(gap) = self.continuity.push(event) {
                self.engine.step(&gap, &mut self.out);
                gaps.push((self.out.rows().len(), gap));
            }
            self.engine.step(event, &mut self.out);
        }
        let mut done = 0;
        for (rows, gap) in gaps {
            self.hand(done..rows, sink)?;
            done = rows;
            if let Payload::Status(status) = &gap.payload
                && status.state == StatusState::Gap
            {
                sink.gap(gap.stream, status, gap.recv_ts)?;
            }
        }
        self.hand(done..self.out.rows().len(), sink)?;
        self.out.clear();
        Ok(())
    }

    /// Rows with what happened to levels in their minutes.
    fn hand(&self, places: Range<usize>, sink: &mut dyn Sink) -> Result<(), Failure> {
        for place in places {
            for level in self.out.levels(place) {
                sink.level(level)?;
            }
            sink.row(&self.out.rows()[place])?;
        }
        Ok(())
    }

    /// Makes every minute that is due before something received at `recv_ts`.
    pub(crate) fn advance(&mut self, recv_ts: Ts, sink: &mut dyn Sink) -> Result<(), Failure> {
        let tick = Event { recv_ts, event_ts: recv_ts, stream: StreamIndex(0), seq: 0, payload: Payload::Tick };
        self.engine.step(&tick, &mut self.out);
        self.drain(sink)
    }

    /// Makes the last minutes, but none that is not over at `now`: more may arrive for it.
    pub(crate) fn finish(&mut self, now: Ts, sink: &mut dyn Sink) -> Result<(), Failure> {
        self.engine.finish(now, &mut self.out);
        self.drain(sink)
    }

    fn drain(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        self.hand(0..self.out.rows().len(), sink)?;
        self.out.clear();
        Ok(())
    }

    /// Engine and gap detection as bytes.
    pub(crate) fn save(&self) -> Result<Vec<u8>, Failure> {
        postcard::to_allocvec(&(self.engine.save(), &self.continuity)).map_err(Failure::broken)
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
