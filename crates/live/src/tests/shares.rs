//! The listening side and the computing side of a cluster, without a broker: what leaves a process is its journal, line for line, and
//! groups of markets made of it are, together, what one process makes.

use super::bed::{Flags, open_store, runtime, setup};
use crate::Error;
use crate::core::CoreSink;
use crate::digest::RunDigest;
use crate::ranges::{RangeAnswer, range};
use crate::recorder::Relayed;
use crate::replay::{JournalLine, Player, journal_folder};
use crate::setup::Setup;
use crate::share::Share;
use crate::start::start;
use barograph_domain::{Instrument, MinuteRow, Span, StreamDecl, Ts};
use barograph_engine::{AlertOut, LevelOut};
use barograph_lake::journal::{self, EntryKind, JournalReader, Parcel, ParcelEntry};
use barograph_sim::{Server, SimConfig, Venue, VirtualClock};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

const GROUPS: u16 = 3;
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A digest over what is made of each market, by name.
#[derive(Default)]
struct MadeByMarket {
    names: Vec<String>,
    of: BTreeMap<String, (u64, RunDigest)>,
}

impl MadeByMarket {
    fn digest(&mut self, instrument: u32) -> &mut (u64, RunDigest) {
        let name = self.names[instrument as usize].clone();
        self.of.entry(name).or_insert_with(|| (0, RunDigest::new("")))
    }

    fn finish(self) -> BTreeMap<String, (u64, String)> {
        self.of.into_iter().map(|(name, (rows, digest))| (name, (rows, digest.finish()))).collect()
    }
}

impl CoreSink for MadeByMarket {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Error> {
        let made = self.digest(row.instrument);
        made.0 += 1;
        made.1.row(row);
        Ok(())
    }
    fn level(&mut self, level: &LevelOut) -> Result<(), Error> {
        self.digest(level.instrument).1.level(level);
        Ok(())
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Error> {
        self.digest(alert.instrument).1.alert(alert);
        Ok(())
    }
    fn grown(&mut self, instruments: &[Instrument], _: &[StreamDecl], _: &[StreamDecl]) -> Result<(), Error> {
        self.names = instruments.iter().map(|i| i.name.to_string()).collect();
        Ok(())
    }
}

/// What a process with this share makes of parcels.
fn made(parcels: &[Parcel], share: Share) -> BTreeMap<String, (u64, String)> {
    let setup = Setup { share, ..setup() };
    let (mut player, mut sink) = (Player::default(), MadeByMarket::default());
    for parcel in parcels {
        parcel
            .read(Ts(0), |at, entry| {
                let line = match entry {
                    ParcelEntry::Frame { venue, connection, bytes } => JournalLine::Frame { venue, connection, bytes },
                    ParcelEntry::Control(record) => JournalLine::Control(record),
                };
                player.line(at, line, &setup, &mut sink)
            })
            .map_err(Error::text)
            .unwrap();
    }
    assert_eq!(player.done.troubles, [] as [String; 0]);
    sink.finish()
}

/// Every line as text: of a journal on disk, and of parcels.
fn lines_of(data: &Path) -> Vec<String> {
    let mut reader = JournalReader::open(&journal_folder(data), None).unwrap();
    let mut lines = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        lines.push(match entry.kind {
            EntryKind::Frame { venue, connection, bytes, .. } => {
                format!("{} {venue} {connection} {bytes:?}", entry.at.0)
            }
            EntryKind::Control(record) => format!("{} {record:?}", entry.at.0),
        });
    }
    lines
}

fn lines_in(parcels: &[Parcel]) -> Vec<String> {
    let mut lines = Vec::new();
    for parcel in parcels {
        let take = |at: Ts, entry: ParcelEntry<'_>| {
            lines.push(match entry {
                ParcelEntry::Frame { venue, connection, bytes } => format!("{} {venue} {connection} {bytes:?}", at.0),
                ParcelEntry::Control(record) => format!("{} {record:?}", at.0),
            });
            Ok::<(), journal::Error>(())
        };
        parcel.read(Ts(0), take).unwrap();
    }
    lines
}

/// Two lives of a process on one folder, and what went onward of each.
fn recorded(data: &Path) -> (Vec<Parcel>, Arc<Relayed>) {
    let runtime = runtime();
    let world = Arc::new(VirtualClock::new(Ts::from_civil(2026, 10, 1, 12, 0, 20), barograph_sim::RATE_MAX));
    let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
    config.world.usdm_markets = 5;
    config.world.messages_per_s = 40.0;
    let clock = Arc::clone(&world) as Arc<dyn barograph_sim::Clock>;
    let server = runtime.block_on(Server::start(config, clock)).unwrap();
    let (rest, ws) = (server.rest_base(Venue::BinanceUsdm), server.ws_base(Venue::BinanceUsdm));
    let flags = Flags::new(vec![format!("binance-usdm={rest}|{ws}")]);
    let parcels: Arc<Mutex<Vec<Parcel>>> = Arc::default();
    let relayed = Arc::new(Relayed::default());
    for _ in 0..2 {
        let sent = Arc::clone(&parcels);
        let onward = Box::new(move |parcel| sent.lock().unwrap().push(parcel));
        let mut settings = flags.settings(data);
        settings.relay = Some((onward, Arc::clone(&relayed)));
        let request = flags.request(&world);
        let running = start(&runtime, settings, request, || open_store(data)).map_err(Error::text).unwrap();
        let (begun, from) = (Instant::now(), relayed.synced());
        while relayed.synced() < from.max(Ts::from_civil(2026, 10, 1, 12, 0, 20)) + Span::mins(4) {
            assert!(begun.elapsed() < PATIENCE && !running.thread.is_finished(), "it does not go on");
            std::thread::sleep(Duration::from_millis(50));
        }
        running.stop.store(true, Ordering::Relaxed);
        running.thread.join().unwrap().map_err(Error::text).unwrap();
    }
    runtime.block_on(server.stop());
    let parcels = parcels.lock().unwrap().clone();
    (parcels, relayed)
}

#[test]
fn what_leaves_a_process_is_its_journal_and_groups_make_of_it_what_one_process_makes() {
    let dir = tempfile::tempdir().unwrap();
    let (parcels, relayed) = recorded(dir.path());
    assert_eq!(relayed.let_go.load(Ordering::Relaxed), 0);
    // The last parcel of a life is handed over while the journal closes.
    let begun = Instant::now();
    while relayed.parcels.load(Ordering::Relaxed) < parcels.len() as u64 && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(parcels.windows(2).all(|pair| pair[0].last() == pair[1].after()), "each follows the one before");
    assert_eq!(lines_in(&parcels), lines_of(dir.path()));

    let last = parcels.last().unwrap().last();
    let answer = range(dir.path(), parcels[3].last(), parcels[5].last(), last).unwrap();
    let RangeAnswer::Next(fetched) = answer else { panic!("{answer:?}") };
    assert_eq!((fetched.after(), fetched.last()), (parcels[4].after(), parcels[5].last()));
    assert_eq!(lines_in(&[fetched]), lines_in(&parcels[4..=5]));

    let alone = made(&parcels, Share::All);
    // A machine that others share makes fewer minutes of the same time.
    assert!(alone.len() == 5 && alone.values().all(|(rows, _)| *rows >= 3), "{alone:?}");
    let mut together = BTreeMap::new();
    for group in 0..GROUPS {
        let part = made(&parcels, Share::Group { group, of: GROUPS });
        assert!(part.len() < 5, "a group has some of the markets");
        for (name, what) in part {
            assert!(together.insert(name.clone(), what).is_none(), "{name} is made twice");
        }
    }
    assert_eq!(together, alone);
    assert_eq!(made(&parcels, Share::Nothing), BTreeMap::new());
}
