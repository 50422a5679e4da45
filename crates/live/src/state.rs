//! The machine as a value: everything a checkpoint holds, taken from a core and made into one again.
//!
//! Nothing has to be finished first: markets that wait for history are in it as they are, and so are the requests that nobody
//! will answer any more, which [`Core::resume`] reports as failed so that they are asked again.

use crate::Error;
use crate::catchup::CatchUps;
use crate::config::LiveConfig;
use crate::core::facts::Heard;
use crate::core::{Core, CoreSink, VenueState};
use crate::flows::Flows;
use crate::forecasts::Forecasts;
use crate::hours::{Hours, SavedHours};
use crate::samples::Samples;
use crate::setup::Setup;
use barograph_domain::{Event, Instrument, Payload, StreamDecl, StreamIndex, Ts};
use barograph_engine::Engine;
use barograph_venues::session::{ConnId, RequestId};
use barograph_verify::ledger::SavedLedger;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// State of everything at one moment. What is large is borrowed while it is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved<'a> {
    /// Everything received until this stamp is in it.
    pub(crate) at: Ts,
    pub(crate) logic_version: String,
    /// [`LiveConfig`] as JSON: the fields of a session configuration may grow.
    pub(crate) config: String,
    instruments: Vec<SavedInstrument>,
    streams: Cow<'a, [StreamDecl]>,
    newest: Vec<Option<Ts>>,
    away: Vec<Option<Ts>>,
    engine: barograph_engine::SavedEngine<'a>,
    venues: Vec<SavedVenue>,
    samples: Vec<SavedFact>,
    catchups: Cow<'a, CatchUps>,
    hours: Option<SavedHours>,
    forecasts: SavedLedger<'a>,
    flows: Cow<'a, Flows>,
}

/// An instrument; the domain type is not made for binary formats.
#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    name: String,
    kind: barograph_domain::MarketKind,
    expiry: Option<Ts>,
}

/// A venue.
#[derive(Serialize, Deserialize)]
struct SavedVenue {
    session: Vec<u8>,
    open: Vec<u32>,
    asked: Vec<u64>,
}

/// A fact waiting to be stored.
#[derive(Serialize, Deserialize)]
struct SavedFact {
    recv_ts: Ts,
    event_ts: Ts,
    stream: u16,
    seq: u64,
    payload: Payload,
}

impl SavedInstrument {
    fn of(i: &Instrument) -> Self {
        Self { name: i.name.to_string(), kind: i.kind, expiry: i.expiry }
    }
    fn instrument(&self) -> Option<Instrument> {
        let name = barograph_domain::InstrumentName::parse(&self.name).ok()?;
        Some(Instrument { name, kind: self.kind, expiry: self.expiry })
    }
}

impl SavedVenue {
    fn of(v: &VenueState) -> Self {
        Self {
            session: v.session.save(),
            open: v.open.iter().map(|c| c.0).collect(),
            asked: v.asked.iter().map(|r| r.0).collect(),
        }
    }
}

impl SavedFact {
    fn of(e: &Event) -> Self {
        Self { recv_ts: e.recv_ts, event_ts: e.event_ts, stream: e.stream.0, seq: e.seq, payload: e.payload }
    }
    fn event(self) -> Event {
        let stream = StreamIndex(self.stream);
        Event { recv_ts: self.recv_ts, event_ts: self.event_ts, stream, seq: self.seq, payload: self.payload }
    }
}

impl Core {
    /// State of everything now.
    pub(crate) fn save(&self) -> Result<Saved<'_>, Error> {
        Ok(Saved {
            at: self.at,
            logic_version: self.setup.logic_version.clone(),
            config: serde_json::to_string(&self.config).map_err(Error::failed)?,
            instruments: self.instruments.iter().map(SavedInstrument::of).collect(),
            streams: Cow::Borrowed(&self.streams),
            newest: self.heard.iter().map(|h| h.newest).collect(),
            away: self.heard.iter().map(|h| h.away).collect(),
            engine: self.engine.state(),
            venues: self.venues.iter().map(SavedVenue::of).collect(),
            samples: self.samples.waiting().map(SavedFact::of).collect(),
            catchups: Cow::Borrowed(&self.catchups),
            hours: self.hours.save(),
            forecasts: self.forecasts.save(),
            flows: Cow::Borrowed(&self.flows),
        })
    }

    /// Goes on from [`Self::save`].
    pub(crate) fn restore(
        setup: Setup,
        config: LiveConfig,
        saved: Saved<'_>,
        sink: &mut dyn CoreSink,
    ) -> Result<Self, String> {
        let instruments: Vec<Instrument> = saved
            .instruments
            .iter()
            .map(SavedInstrument::instrument)
            .collect::<Option<_>>()
            .ok_or("names an instrument that is none")?;
        let engine = Engine::from_state(config.engine(&setup), &instruments, &saved.streams, saved.engine)
            .map_err(|e| format!("holds an engine that cannot be used: {e}"))?;
        let mut core = Self::empty(setup, config, engine, saved.at);
        core.instruments = instruments;
        core.streams = saved.streams.into_owned();
        let stamps = saved.newest.into_iter().zip(saved.away);
        core.heard = core.streams.iter().zip(stamps).map(|(d, (newest, away))| Heard::known(d, newest, away)).collect();
        let known = (core.instruments.len(), core.streams.len());
        for (one, state) in core.config.venues.clone().into_iter().zip(saved.venues) {
            let def = one.def().map_err(|e| e.text().unwrap_or_default())?;
            let mut session = (def.open)(one.session);
            session.restore(&state.session).map_err(|e| e.to_string())?;
            let mut venue = VenueState::new(def.id, session);
            venue.open = state.open.into_iter().map(ConnId).collect();
            venue.asked = state.asked.into_iter().map(RequestId).collect();
            core.venues.push(venue);
        }
        for at_venue in 0..core.venues.len() {
            core.declare(at_venue, sink).map_err(|e| e.text().unwrap_or_default())?;
        }
        if (core.instruments.len(), core.streams.len()) != known {
            return Err("declares other streams than this version".to_owned());
        }
        let mut samples = Samples::default();
        for fact in saved.samples {
            let event = fact.event();
            let metric = core.streams.get(event.stream.index()).map(|d| d.metric).ok_or("holds a fact of no stream")?;
            samples.push(&event, metric, false);
        }
        (core.samples, core.catchups) = (samples, saved.catchups.into_owned());
        core.hours = Hours::restore(saved.hours, &core.config.book)?;
        core.forecasts = Forecasts::restore(saved.forecasts, &core.instruments);
        core.flows = saved.flows.into_owned();
        core.compare();
        Ok(core)
    }
}
