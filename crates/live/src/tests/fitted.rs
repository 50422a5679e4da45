//! A live process with statistical models: a month of history is fetched, a model is fitted beside the core, journalled and
//! shown; killed and started again the process still has it; and the journal makes the same minutes again without fitting.

use super::bed::{Flags, open_store, runtime};
use crate::replay::journal_folder;
use crate::start::{Running, start};
use crate::{Error, verify};
use barograph_domain::{Model, ModelReading, Span, Ts};
use barograph_engine::models::ModelUpdate;
use barograph_lake::journal::{ControlRecord, EntryKind, JournalReader};
use barograph_sim::{Server, SimConfig, Venue, VirtualClock};
use barograph_store::{Reader as _, SqliteReader};
use core::sync::atomic::Ordering;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// World seconds per second.
const SPEED: f64 = 20.0;
/// Real time for the history of a month, the fit and the next minute.
const PATIENCE: Duration = Duration::from_secs(240);

fn said(f: Error) -> String {
    f.text().unwrap_or_default()
}

/// The newest minute in the store and what the hidden states say in it.
fn newest(folder: &Path) -> Option<(Ts, ModelReading)> {
    let reader = SqliteReader::open(folder).ok()?;
    let run = reader.runs(None).ok()?.into_iter().next()?;
    let rows = reader.latest(&run.spec.key, 1, None).ok()?.rows;
    let row = rows.last()?;
    row.models.iter().find(|m| m.model == Model::Hmm).map(|m| (row.ts, *m))
}

/// Waits for a minute after `since` with a fitted model.
fn fitted(folder: &Path, running: &Running, since: Ts) -> (Ts, ModelReading) {
    let began = Instant::now();
    loop {
        let found = newest(folder);
        if let Some((ts, reading)) = found.filter(|(ts, r)| *ts > since && r.state.is_some()) {
            return (ts, reading);
        }
        assert!(!running.thread.is_finished(), "the process has ended by itself");
        assert!(began.elapsed() < PATIENCE, "no model after {} s: {found:?}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Fits in the journal, with their stamps.
fn journalled(folder: &Path) -> Vec<(Ts, ModelUpdate)> {
    let mut reader = JournalReader::open(&journal_folder(folder), None).unwrap();
    let mut found = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        if let EntryKind::Control(ControlRecord::Model { value }) = entry.kind {
            found.push((entry.at, serde_json::from_value(value).unwrap()));
        }
    }
    found
}

#[test]
fn a_model_is_fitted_beside_the_core_journalled_and_made_again_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime();
    let world = Arc::new(VirtualClock::new(Ts::from_civil(2026, 10, 1, 12, 0, 20), SPEED));
    let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
    (config.world.usdm_markets, config.world.spot_markets, config.world.coinbase_markets) = (1, 0, 0);
    (config.world.history_days, config.world.messages_per_s) = (32, 10.0);
    let server = runtime.block_on(Server::start(config, Arc::clone(&world) as Arc<dyn barograph_sim::Clock>)).unwrap();
    let base = format!("{}|{}", server.rest_base(Venue::BinanceUsdm), server.ws_base(Venue::BinanceUsdm));
    let flags = Flags {
        volume_min: 0.0,
        books: Some(false),
        backfill: Span::days(31),
        ..Flags::new(vec![format!("binance-usdm={base}")])
    };
    let begin = || {
        let (settings, request) = (flags.settings(folder.path()), flags.request(&world));
        start(&runtime, settings, request, || open_store(folder.path())).map_err(said).unwrap()
    };
    let running = begin();
    let (ts, reading) = fitted(folder.path(), &running, Ts(0));
    assert!(reading.have >= 720 && reading.fitted_until.is_some_and(|until| until <= ts), "{reading:?}");
    running.kill.store(true, Ordering::Relaxed);
    running.thread.join().unwrap().map_err(said).unwrap();
    // The same model goes on: nothing is fitted again before its hour of the week.
    let running = begin();
    let (later, again) = fitted(folder.path(), &running, ts + Span::mins(1));
    assert_eq!((again.digest, again.fitted_until), (reading.digest, reading.fitted_until), "at {later}");
    running.stop.store(true, Ordering::Relaxed);
    running.thread.join().unwrap().map_err(said).unwrap();
    let fits = journalled(folder.path());
    let (at, update) = fits.iter().find(|(_, u)| u.digest == format!("{:012x}", reading.digest)).unwrap();
    assert!(update.fitted_until <= *at && fits.len() <= 2, "{} fits", fits.len());
    let reader = SqliteReader::open(folder.path()).unwrap();
    let found = verify::run(folder.path(), &reader).map_err(said).unwrap();
    assert!(found.published > 2 && found.equal == found.published, "{found:?}");
    runtime.block_on(server.stop());
}
