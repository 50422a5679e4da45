//! Seeded fault simulation: the whole live process against the built-in venue server that fails on purpose.
//!
//! `plan` says which faults a seed meets, kill -9 and orderly stops of the process among them; `checks` what has to be true
//! afterwards, whatever happened: books, trades, candles and liquidations are the server's or lie in declared holes, every
//! injected hole is declared, nothing is in the store twice, and the journal makes the published snapshots again.
//! More seeds: `SIM_SEEDS=1..200 cargo test -p barograph-live fault_simulation`.

mod checks;
mod plan;

use super::bed::{Flags, open_store, runtime};
use crate::discover::Wanted;
use crate::random::Random;
use crate::start::{Running, start};
use crate::{Error, verify};
use barograph_domain::{Span, StatusState, Ts};
use barograph_sim::world::episode::{Scheduled, Spell};
use barograph_sim::{Server, SimConfig, Venue, VirtualClock};
use barograph_store::SqliteReader;
use checks::{Seen, books_equal, store_is_single};
use core::sync::atomic::Ordering;
use plan::Kind;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// World seconds per second.
const SPEED: f64 = 20.0;
/// How long faults go on, by the world's clock.
const TROUBLE: Span = Span::secs(180);
/// History fetched at the first start.
const PAST: Span = Span::hours(1);
/// The real time within which everything must be live (again).
const PATIENCE: Duration = Duration::from_secs(60);
/// A start that the venue refuses is tried again, as by whoever looks after the process.
const STARTS_MAX: u32 = 20;

/// Venues that show liquidations: one that stopped showing them would hide behind the others.
const LIQUIDATING: [Venue; 2] = [Venue::BinanceUsdm, Venue::Coinex];
/// Liquidations of each that ten worlds have at least.
const COMPARED_MIN: usize = 10;

/// Runs at once: each waits for its world, and takes a tenth of a core.
const AT_ONCE: usize = 10;

#[test]
fn fault_simulation() {
    let asked = std::env::var("SIM_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse::<u64>().ok()?..to.parse::<u64>().ok()?)
    });
    let many = asked.as_ref().is_none_or(|r| r.end - r.start >= 10);
    let seeds = Mutex::new(asked.unwrap_or(1..21));
    let failures = Mutex::new(Vec::new());
    let liquidations = Mutex::new(BTreeMap::<Venue, usize>::new());
    let next = || seeds.lock().ok()?.next();
    let work = || {
        while let Some(seed) = next() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let why = match simulate(seed, folder.path()) {
                Ok(compared) => {
                    let mut all = liquidations.lock().unwrap();
                    compared.into_iter().for_each(|(venue, count)| *all.entry(venue).or_default() += count);
                    continue;
                }
                Err(why) => why,
            };
            // Kept to be looked at: journal, store and checkpoints of the failed run.
            let kept = folder.keep();
            failures.lock().unwrap().push(format!(
                "seed {seed}: {why}\nits data: {}\nrepeat with: SIM_SEEDS={seed}..{} cargo test -p barograph-live fault_simulation\n",
                kept.display(),
                seed + 1
            ));
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} runs failed\n{}", failures.len(), failures.concat());
    let liquidations = liquidations.into_inner().unwrap();
    let hardly_any = LIQUIDATING.iter().find(|venue| liquidations.get(venue).is_none_or(|count| *count < COMPARED_MIN));
    assert!(!many || hardly_any.is_none(), "hardly any liquidation of {hardly_any:?} was compared: {liquidations:?}");
}

/// One run. Returns how many liquidations of each venue were compared: some worlds have none.
fn simulate(seed: u64, folder: &Path) -> Result<BTreeMap<Venue, usize>, String> {
    let said = |f: Error| f.text().unwrap_or_default();
    let runtime = runtime();
    // The last settlement is within the past that is fetched: CoinEx shows none before it has settled once.
    let world = Arc::new(VirtualClock::new(Ts::from_civil(2026, 10, 1, 8, 40, 20), SPEED));
    let server = runtime
        .block_on(Server::start(venues(seed), Arc::clone(&world) as Arc<dyn barograph_sim::Clock>))
        .map_err(|e| e.to_string())?;
    let truth = server.truth();
    let flags = flags(&server);
    let begin = || {
        let mut tries = 0;
        loop {
            let (settings, request) = (flags.settings(folder), flags.request(&world));
            match start(&runtime, settings, request, || open_store(folder)).map_err(said) {
                Ok(running) => return Ok(running),
                Err(why) if tries == STARTS_MAX => return Err(format!("does not start: {why}")),
                Err(_) => runtime.block_on(server.sleep(Span::secs(5))),
            }
            tries += 1;
        }
    };
    let mut running: Running = begin()?;
    // Connections, subscriptions and first data.
    runtime.block_on(server.sleep(Span::secs(10)));
    all_live(&running)?;
    let began = server.now();
    let (mut random, kinds) = (Random::new(seed), plan::kinds(seed));
    let mut away = Vec::new();
    let pause = TROUBLE.0 / i64::try_from(kinds.len()).unwrap_or(1);
    for kind in &kinds {
        for rule in plan::rules(*kind, &mut random) {
            server.inject(rule);
        }
        if matches!(kind, Kind::Stop | Kind::Kill) {
            let from = server.now();
            end(running, *kind)?;
            // Sometimes it is back at once, sometimes minutes later.
            runtime.block_on(server.sleep(Span::secs([0, 5, 70][usize::try_from(random.below(3)).unwrap_or(0)])));
            running = begin()?;
            away.push((from, server.now()));
        }
        runtime.block_on(server.sleep(Span(pause / 2 + random.below(pause))));
    }
    server.end_faults();
    all_live(&running)?;
    // A whole quiet minute, so that the newest candle is after the trouble.
    runtime.block_on(server.sleep(Span::secs(75)));
    all_live(&running)?;
    // What is still under way arrives within a silence too short to be called one.
    world.set_rate(1.0);
    runtime.block_on(server.pause());
    std::thread::sleep(Duration::from_millis(400));
    let ended = server.now();
    let board = Arc::clone(&running.board);
    end(running, Kind::Stop)?;
    let of = |why: String| format!("{why}\nits faults: {kinds:?}");
    books_equal(&truth, &board).map_err(of)?;
    let seen = Seen::of(folder, server.injected()).map_err(said)?;
    seen.trades_are_whole(&truth, began, ended).map_err(of)?;
    seen.candles_are_right(&truth, began, ended, PAST).map_err(of)?;
    let liquidations = seen.liquidations_are_right(&truth, began, ended).map_err(of)?;
    seen.holes_are_declared(began).map_err(of)?;
    seen.absence_is_declared(&away).map_err(of)?;
    let reader = SqliteReader::open(folder).map_err(|e| e.to_string())?;
    store_is_single(&reader, &seen).map_err(of)?;
    let found = verify::run(folder, &reader).map_err(said)?;
    let made_again =
        [(found.equal, found.published), (found.alerts_equal, found.alerts), (found.hours_equal, found.hours)];
    if found.published == 0 || made_again.iter().any(|(equal, published)| equal != published) {
        return Err(of(format!("{made_again:?} snapshots, alerts, hours: {:?}", found.differences)));
    }
    runtime.block_on(server.stop());
    Ok(liquidations)
}

/// Three perpetuals, a pair and a product; prices move enough that positions are liquidated.
fn venues(seed: u64) -> SimConfig {
    let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
    config.world.seed = seed;
    config.world.usdm_markets = 2;
    config.world.spot_markets = 1;
    config.world.coinbase_markets = 1;
    config.world.coinex_markets = 1;
    config.world.messages_per_s = 40.0;
    config.world.episodes = vec![Scheduled::all(Span::secs(60), Spell::Cascade)];
    config
}

fn flags(server: &barograph_sim::Handle) -> Flags {
    // Coinbase has another host for its sockets; here that is a path.
    let ws = |v: Venue| if v == Venue::Coinbase { format!("{}/ws", server.ws_base(v)) } else { server.ws_base(v) };
    let base = |v: Venue| format!("{}|{}", server.rest_base(v), ws(v));
    let endpoints = checks::VENUES.map(|(id, venue)| format!("{id}={}", base(venue)));
    Flags { kind: Wanted::Both, volume_min: 0.0, books: Some(true), backfill: PAST, ..Flags::new(endpoints.to_vec()) }
}

fn all_live(running: &Running) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let lost: Vec<String> = running
            .board
            .all()
            .iter()
            .flat_map(|(name, market)| market.streams.iter().map(move |s| (name, s)))
            .filter(|(_, s)| {
                // A candle comes with the end of a minute, a settlement with that of eight hours.
                s.state != StatusState::Live && s.state != StatusState::NotOffered
            })
            .map(|(name, s)| format!("{name} {} {:?} {}", s.decl.metric.name(), s.state, s.reason.word()))
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        if running.thread.is_finished() {
            return Err("the process has ended by itself".to_owned());
        }
        if began.elapsed() > PATIENCE {
            let network: Vec<String> = running
                .net
                .stats()
                .iter()
                .map(|v| {
                    format!(
                        "{} open {} of {}, {} frames, {:?} {:?}",
                        v.venue, v.open, v.wanted, v.frames, v.last_error, v.pools
                    )
                })
                .collect();
            return Err(format!(
                "not live after {} s: {}; network: {}",
                PATIENCE.as_secs(),
                lost.join(", "),
                network.join("; ")
            ));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The process ends, in order or killed.
fn end(running: Running, how: Kind) -> Result<(), String> {
    let told = if how == Kind::Kill { &running.kill } else { &running.stop };
    told.store(true, Ordering::Relaxed);
    let ended = running.thread.join().map_err(|_panic| "the core has crashed".to_owned())?;
    ended.map_err(|e| e.text().unwrap_or_default())
}
