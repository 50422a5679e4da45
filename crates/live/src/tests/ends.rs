//! How a live process ends and begins again: what it has received is in its journal, what the store has not taken by then is
//! stored by the next start, and a journal that cannot be read everywhere stops nobody.

use super::bed::{Flags, Flaky, core_of, open_store, runtime, setup};
use crate::core::{Core, CoreSink};
use crate::publish::{Batch, Publisher};
use crate::replay::{self, journal_folder};
use crate::start::{Running, start};
use crate::storing::WAITING_MAX;
use crate::{Error, ledger_check, verify};
use barograph_api::AskBoard as _;
use barograph_domain::alert::{AlertChange, AlertState};
use barograph_domain::forecast::WindowOutcome;
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Alert, GapReason, KnownAlert, LevelChange, Metric, MinuteRow, Pattern, Severity, Span, Status, StatusState,
    StreamIndex, Ts,
};
use barograph_engine::AlertOut;
use barograph_engine::detect::episode::ENDED_BY;
use barograph_lake::journal::{EntryKind, JournalReader, REST};
use barograph_query::live::board::Board;
use barograph_query::service::{BookId, Service};
use barograph_sim::{Handle, Server, SimConfig, Venue, VirtualClock};
use barograph_store::{AlertQuery, Gap, Range, Reader as _, RowQuery, RunKey, SqliteReader, Writer};
use barograph_venues::session::MarketSpec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Frames of sockets in the journal of a data folder.
fn frames_journalled(data: &Path) -> u64 {
    let mut reader = JournalReader::open(&journal_folder(data), None).unwrap();
    let mut count = 0;
    while let Some(entry) = reader.next().unwrap() {
        count += u64::from(matches!(entry.kind, EntryKind::Frame { connection, .. } if connection != REST));
    }
    count
}

/// A venue and a data folder.
struct Site {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    world: Arc<VirtualClock>,
    server: Option<Handle>,
    flags: Flags,
    away: Arc<AtomicBool>,
}

/// World seconds per second where minutes have to pass: as fast as a world goes.
const FAST: f64 = barograph_sim::RATE_MAX;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

impl Site {
    fn new(speed: f64, messages_per_s: f64) -> Self {
        Self::at(Ts::from_civil(2026, 10, 1, 12, 0, 20), speed, messages_per_s)
    }

    fn at(moment: Ts, speed: f64, messages_per_s: f64) -> Self {
        let runtime = runtime();
        let world = Arc::new(VirtualClock::new(moment, speed));
        let folder = tempfile::tempdir().unwrap();
        let mut site =
            Self { folder, runtime, world, server: None, flags: Flags::new(Vec::new()), away: Arc::default() };
        site.serve(messages_per_s);
        site
    }

    /// A venue at an address of its own, in place of the one that is there.
    fn serve(&mut self, messages_per_s: f64) {
        let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
        config.world.usdm_markets = 3;
        config.world.messages_per_s = messages_per_s;
        let clock = Arc::clone(&self.world) as Arc<dyn barograph_sim::Clock>;
        let server = self.runtime.block_on(Server::start(config, clock)).unwrap();
        let (rest, ws) = (server.rest_base(Venue::BinanceUsdm), server.ws_base(Venue::BinanceUsdm));
        self.flags = Flags::new(vec![format!("binance-usdm={rest}|{ws}")]);
        self.end();
        self.server = Some(server);
    }

    /// The venue is gone.
    fn end(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self) -> Running {
        let open = || {
            let (reader, inner) = open_store(self.data())?;
            let away = Arc::clone(&self.away);
            let writer = Flaky { inner, away, never_prunes: false, appended: Arc::default() };
            Ok((reader, Box::new(writer) as Box<dyn Writer>))
        };
        let (settings, request) = (self.flags.settings(self.data()), self.flags.request(&self.world));
        start(&self.runtime, settings, request, open).map_err(Error::text).unwrap()
    }

    /// Lets some minutes pass in the journal.
    fn pass(&self, running: &Running, minutes: i64) {
        let last = || replay::last_stamp(self.data()).unwrap();
        let (mut from, begun) = (None, Instant::now());
        while from.is_none_or(|from| last() < Some(from + Span::mins(minutes))) {
            // The journal may be empty yet.
            from = from.or_else(last);
            assert!(!running.thread.is_finished(), "it has ended by itself");
            assert!(begun.elapsed() < PATIENCE, "the journal does not go on after {:?}", last());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Snapshots in the store that the journal makes again, all of them.
    fn verified(&self) -> u64 {
        let reader = SqliteReader::open(self.data()).unwrap();
        let found = verify::run(self.data(), &reader).map_err(Error::text).unwrap();
        let (made_again, published) =
            ((found.equal, found.alerts_equal, found.hours_equal), (found.published, found.alerts, found.hours));
        assert_eq!(made_again, published, "{:?}", found.differences);
        // What was forecast meanwhile follows from the minutes alone.
        let ledger = ledger_check::run(&reader, &setup(), false, &mut |_| ()).map_err(Error::text).unwrap();
        assert!(ledger.is_equal(), "{ledger:?}");
        found.equal
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks a process to end; what it complains of, if anything.
fn stop(running: Running) -> Option<String> {
    running.stop.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    while !running.thread.is_finished() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    running.thread.join().unwrap().err().map(|e| e.text().unwrap_or_default())
}

#[test]
fn everything_received_before_the_end_is_journalled() {
    let site = Site::new(1.0, 3_000.0);
    for round in 1..=3 {
        let before = if round == 1 { 0 } else { frames_journalled(site.data()) };
        let running = site.start();
        let net = Arc::clone(&running.net);
        let received = || net.stats().iter().map(|v| v.frames).sum::<u64>();
        while received() < 3_000 {
            assert!(!running.thread.is_finished(), "it has ended by itself");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(stop(running), None);
        assert_eq!(frames_journalled(site.data()) - before, received(), "round {round}");
    }
}

#[test]
fn a_database_that_is_away_costs_no_frame_and_gets_everything_when_it_is_back() {
    let site = Site::new(FAST, 40.0);
    let running = site.start();
    site.pass(&running, 2);
    site.away.store(true, Ordering::Relaxed);
    // More minutes than batches may wait.
    site.pass(&running, 3 * WAITING_MAX as i64);
    site.away.store(false, Ordering::Relaxed);
    site.pass(&running, 2);
    assert_eq!(stop(running), None);
    let minutes = 3 * WAITING_MAX as u64 + 3;
    assert!(site.verified() >= 3 * minutes, "{}", site.verified());
}

#[test]
fn what_a_stop_without_the_database_leaves_is_stored_by_the_next_start_whatever_it_listens_to() {
    let mut site = Site::new(FAST, 40.0);
    let minutes = 2 * WAITING_MAX as u64;
    let mut least = 0;
    let others = [Metric::Trade, Metric::MarkPrice, Metric::IndexPrice, Metric::FundingRate];
    for metrics in [None, Some(others)] {
        site.away.store(true, Ordering::Relaxed);
        let running = site.start();
        // The first minutes of a world that goes so fast are over before a busy machine has subscribed.
        site.pass(&running, minutes as i64 + 6);
        let said = stop(running).unwrap();
        assert!(said.contains("away"), "{said}");
        // The next one goes on, or begins anew where its streams are others.
        site.flags.metrics = metrics.map(Vec::from).or(site.flags.metrics.take());
        site.away.store(false, Ordering::Relaxed);
        assert_eq!(stop(site.start()), None);
        least += 3 * minutes;
        assert!(site.verified() >= least, "{} of {least}", site.verified());
    }
}

/// Takes the reasons of all holes.
#[derive(Default)]
struct Reasons(Vec<GapReason>);

impl CoreSink for Reasons {
    fn status(&mut self, _stream: StreamIndex, status: &Status, _known_ts: Ts) -> Result<(), Error> {
        if status.is_open() {
            self.0.push(status.reason);
        }
        Ok(())
    }
}

/// The largest file of frames.
fn largest(data: &Path) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![journal_folder(data).join("venue=binance-usdm")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push((path.metadata().unwrap().len(), path)) }
        }
    }
    found.sort();
    found.pop().unwrap().1
}

#[test]
fn a_damaged_block_is_passed_over_and_what_is_missing_is_declared() {
    let site = Site::new(FAST, 40.0);
    let running = site.start();
    site.pass(&running, 6);
    assert_eq!(stop(running), None);
    // As after a crash before the first checkpoint: the whole journal has to be run again.
    std::fs::remove_dir_all(site.data().join("checkpoint")).unwrap();
    let path = largest(site.data());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&path, &bytes).unwrap();
    for _ in 0..2 {
        let running = site.start();
        site.pass(&running, 2);
        assert_eq!(stop(running), None);
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file is left as it is");
    let mut reasons = Reasons::default();
    let (core, done) = replay::run(site.data(), &setup(), None, &mut reasons).unwrap();
    assert!(core.is_some());
    assert_eq!(done.troubles.len(), 1, "{:?}", done.troubles);
    assert!(done.troubles[0].contains("is damaged at line"), "{:?}", done.troubles);
    let absences = reasons.0.iter().filter(|r| **r == GapReason::NotRunning).count();
    // Three markets, five streams each at the least, twice.
    assert!(absences >= 30, "{absences}");
}

/// What a market shows up to the row of a minute: rows, changes of continuity and of levels, alerts.
type Shown = (Vec<MinuteRow>, Vec<Gap>, Vec<LevelChange>, Vec<KnownAlert>);

/// All that is published of each market, with its newest minute.
fn published(data: &Path) -> Vec<(RunKey, Ts)> {
    let reader = SqliteReader::open(data).unwrap();
    let runs = reader.runs(None).unwrap().into_iter();
    runs.map(|run| (run.spec.key, run.minutes.unwrap().1)).collect()
}

fn shown(data: &Path, key: &RunKey, until: Ts) -> Shown {
    let reader = SqliteReader::open(data).unwrap();
    let range = Range { start: Ts::MIN, end: until + LATENESS + Span(1) };
    let rows = RowQuery { range, every: None, after: None, limit: 10_000, as_of: None };
    (
        reader.history(key, &rows).unwrap().rows,
        reader.gaps(key, range, 100_000, None).unwrap().items,
        reader.level_changes(key, range, 100_000, None).unwrap().items,
        reader.alerts(key, &AlertQuery { range, ..AlertQuery::default() }).unwrap().items,
    )
}

#[test]
fn a_journal_that_lost_a_part_fills_the_windows_and_what_was_published_stays() {
    let site = Site::new(FAST, 40.0);
    let listens = |minutes| {
        let running = site.start();
        site.pass(&running, minutes);
        let meter = Arc::clone(&running.meter);
        assert_eq!(stop(running), None);
        meter.minutes_other.load(Ordering::Relaxed)
    };
    listens(6);
    let path = largest(site.data());
    // What the second process publishes rests on what the first one received.
    assert_eq!(listens(4), 0);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].fill(0x55);
    std::fs::write(&path, &bytes).unwrap();
    for moved_away in [false, true] {
        if moved_away {
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::remove_dir_all(site.data().join("checkpoint")).unwrap();
        let markets = published(site.data());
        assert_eq!(markets.len(), 3);
        let before: Vec<Shown> = markets.iter().map(|(key, until)| shown(site.data(), key, *until)).collect();
        assert!(listens(3) > 0, "the journal makes all minutes as they were");
        for ((key, until), before) in markets.iter().zip(&before) {
            assert!(shown(site.data(), key, *until) == *before, "{}", key.instrument);
        }
        let now = published(site.data());
        assert!(
            now.iter().zip(&markets).all(|(now, then)| now.1 >= then.1 + Span::mins(2)),
            "{now:?} after {markets:?}"
        );
    }
    // From its checkpoint the next one goes on as ever.
    assert_eq!(listens(2), 0);
}

#[test]
fn a_replay_holds_little_at_once_and_ends_when_it_is_told_to() {
    let spilled = Arc::new(AtomicUsize::new(0));
    let (sum, stop) = (Arc::clone(&spilled), Arc::new(AtomicBool::new(false)));
    let mut publisher = Publisher::new(setup(), Arc::default(), Arc::default());
    let spill = Box::new(move |batch: Batch| {
        sum.fetch_add(batch.len(), Ordering::Relaxed);
        Ok(())
    });
    publisher.replays_into(spill, Arc::clone(&stop));
    let config = core_of("binance-usdm", &["BTCUSDT"]).config;
    let from = Ts::from_civil(2026, 10, 1, 12, 0, 0);
    Core::new(setup(), config, from, &mut publisher).unwrap();
    let status = Status { state: StatusState::Gap, from, until: Status::OPEN, reason: GapReason::Silent };
    let many = 100_000;
    for n in 0..many {
        publisher.status(StreamIndex(0), &status, from + Span(n)).unwrap();
        assert!(publisher.batch.len() <= 5_000, "{}", publisher.batch.len());
    }
    publisher.spill_all().unwrap();
    assert_eq!(spilled.load(Ordering::Relaxed), usize::try_from(many).unwrap());
    stop.store(true, Ordering::Relaxed);
    assert!(matches!(publisher.status(StreamIndex(0), &status, from), Err(Error::Stopped)));
}

/// The board is turned as soon as it is shown, and what the replay has made may wait for the store still.
#[test]
fn the_board_counts_the_alerts_of_a_journal_that_was_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, _writer) = open_store(folder.path()).unwrap();
    let mut publisher = Publisher::new(setup(), Arc::default(), Arc::default());
    let at = Ts::from_civil(2026, 10, 1, 12, 0, 0);
    let config = core_of("binance-usdm", &["BTCUSDT"]).config;
    Core::new(setup(), config, at, &mut publisher).unwrap();
    let alert = Alert::opened(Pattern::FundingManipulation, at, Severity::High);
    publisher.alert(&AlertOut { instrument: 0, known: KnownAlert { known_at: at, alert } }).unwrap();
    // Other venues are listened to now: windows begin anew, the alert is open all the same.
    let mut publisher = publisher.anew();
    publisher.replayed();
    let clock = Arc::new(barograph_net::SystemClock);
    let service = Service::new(reader, clock, None, BookId::named("default"), "binance-usdm".to_owned()).unwrap();
    let service = Arc::new(service);
    publisher.serve(Arc::clone(&service));
    let board: serde_json::Value = serde_json::from_slice(&service.board().unwrap().json()).unwrap();
    assert_eq!(board["header"]["open_alerts"], 1, "{board}");
}

/// Nobody would ever close what is open when windows begin anew: it ends with the start, by a record that says so.
#[test]
fn an_open_alert_ends_where_windows_begin_anew() {
    let mut site = Site::new(FAST, 40.0);
    let running = site.start();
    site.pass(&running, 4);
    // Without its venue every market has an alert about its data.
    site.end();
    site.pass(&running, 6);
    assert_eq!(stop(running), None);
    let until = replay::last_stamp(site.data()).unwrap().unwrap();
    let open = |site: &Site| {
        let mut last = BTreeMap::new();
        for (key, until) in published(site.data()) {
            for known in shown(site.data(), &key, until + Span::days(1)).3 {
                let alert = known.alert;
                last.insert((key.instrument.to_string(), alert.pattern, alert.trigger, alert.opened_at), alert);
            }
        }
        last.retain(|(.., opened_at), alert: &mut Alert| {
            *opened_at <= until && (alert.state != AlertState::Closed || alert.closed_at > Some(until))
        });
        last
    };
    let before = open(&site);
    assert!(before.keys().filter(|(_, pattern, ..)| *pattern == Pattern::DataGap).count() == 3, "{before:?}");
    site.serve(40.0);
    let running = site.start();
    site.pass(&running, 3);
    assert_eq!(stop(running), None);
    let after = open(&site);
    assert!(before.keys().eq(after.keys()), "{after:?}");
    for alert in after.values() {
        assert_eq!((alert.change, alert.word(ENDED_BY)), (AlertChange::Closed, Some("start")), "{alert:?}");
    }
    assert!(site.verified() > 0);
}

#[test]
fn a_market_taken_off_the_list_is_lost_to_nobody_and_may_come_back() {
    let board = Arc::new(Board::default());
    let mut publisher = Publisher::new(setup(), Arc::clone(&board), Arc::default());
    let config = core_of("binance-usdm", &["BTCUSDT", "ETHUSDT"]).config;
    let markets = config.venues[0].session.markets.clone();
    let mut at = Ts::from_civil(2026, 10, 1, 12, 0, 0);
    let mut core = Core::new(setup(), config, at, &mut publisher).unwrap();
    let mut shown = |core: &mut Core, markets: &[MarketSpec]| {
        at = at + Span::secs(1);
        core.markets(at, 0, markets, &mut publisher).unwrap();
        let (mut counted, all) = (0, board.all());
        board.each(|_, _| counted += 1);
        assert_eq!(counted, all.len());
        assert!(all.iter().all(|(name, _)| board.market(name).is_some()));
        all.into_iter().map(|(name, _)| name.symbol).collect::<Vec<_>>()
    };
    assert_eq!(shown(&mut core, &markets), ["BTCUSDT", "ETHUSDT"]);
    assert_eq!(shown(&mut core, &markets[1..]), ["ETHUSDT"]);
    assert_eq!(shown(&mut core, &markets[..1]), ["BTCUSDT"]);
    assert_eq!(shown(&mut core, &markets), ["BTCUSDT", "ETHUSDT"]);
    // After a restart the list in the settings decides.
    core.pass_on_wanted(0, &markets[1..], &mut publisher);
    assert_eq!(board.all().len(), 1);
}

/// At midnight the ledger is saved beside what it says. Who finds neither checkpoint nor journal goes on from there, and nothing of what
/// was forecast before is lost or begun anew.
#[test]
fn without_checkpoint_and_journal_the_stored_ledger_is_gone_on_from() {
    let site = Site::at(Ts::from_civil(2026, 10, 1, 23, 54, 20), FAST, 30.0);
    let running = site.start();
    site.pass(&running, 11);
    assert_eq!(stop(running), None);
    let logic = setup().logic_version;
    let reader = SqliteReader::open(site.data()).unwrap();
    let midnight = Ts::from_civil(2026, 10, 2, 0, 0, 0);
    assert_eq!(reader.ledger_states(&logic).unwrap(), [midnight]);
    let newest = reader.latest_ledger(&logic, None).unwrap().unwrap().ts;
    let stored =
        crate::ledger::stored_before(&reader, &setup(), Ts::MAX - Span::days(1)).map_err(Error::text).unwrap().unwrap();
    assert!(stored.closed() >= Some(newest), "{:?} for {newest}", stored.closed());
    let early = crate::ledger::stored_before(&reader, &setup(), midnight + Span::mins(3)).map_err(Error::text).unwrap();
    assert_eq!(early.unwrap().closed(), Some(midnight + Span::mins(2)), "what is known by then");

    for path in crate::checkpoint::files(site.data()).map_err(Error::text).unwrap() {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::remove_dir_all(journal_folder(site.data())).unwrap();
    let running = site.start();
    site.pass(&running, 8);
    assert_eq!(stop(running), None);
    let mut begun = Vec::new();
    let mut last = newest;
    reader
        .ledger_scan(&logic, Range::ALL, &[], None, &mut |tick| {
            begun.extend(tick.begins.then_some(tick.ts));
            last = tick.ts;
            core::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert!(last > newest && begun.len() == 1 && begun[0] < midnight, "{begun:?} up to {last}");
    assert!(site.verified() > 0);
}

/// What waits for a market that is taken out of the settings is void. That is nowhere but in the ledger, and `verify forecasts` goes by it.
#[test]
fn a_ledger_whose_market_left_is_made_again_from_what_is_stored() {
    let mut site = Site::at(Ts::from_civil(2026, 10, 1, 12, 3, 20), FAST, 30.0);
    let running = site.start();
    site.pass(&running, 9);
    assert_eq!(stop(running), None);
    site.flags.symbols = vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()];
    let running = site.start();
    site.pass(&running, 8);
    assert_eq!(stop(running), None);
    let reader = SqliteReader::open(site.data()).unwrap();
    let (mut void, mut others, mut begun) = (0, 0, 0);
    reader
        .ledger_scan(&setup().logic_version, Range::ALL, &[], None, &mut |tick| {
            begun += u32::from(tick.begins);
            for r in tick.resolutions.iter().filter(|r| r.outcome == WindowOutcome::Void) {
                let left = tick.market(r.market).is_some_and(|m| m.symbol == "SOLUSDT");
                *(if left { &mut void } else { &mut others }) += 1;
            }
            core::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert!(void >= 4 && others == 0 && begun == 1, "{void} {others} {begun}");
    assert!(site.verified() > 0);
}
