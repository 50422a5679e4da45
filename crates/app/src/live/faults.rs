//! Seeded fault simulation: the whole live process against the built-in venue server that fails on purpose.
//!
//! After every run: our books equal the server's, every trade came once or lies in a declared hole, candles equal the
//! server's, every injected hole is declared, and the journal makes the published snapshots again.
//! More seeds: `SIM_SEEDS=1..200 cargo test -p barograph --release fault_simulation`.

use crate::cli::{Common, Up};
use crate::clock::World;
use crate::commands::up;
use crate::config::Settings;
use crate::failure::Failure;
use crate::live::core::Sink;
use crate::live::replay;
use crate::live::start::{Running, start};
use crate::live::verify;
use crate::random::Random;
use barograph_domain::{Event, Instrument, Metric, MinuteRow, Payload, Span, Status, StreamDecl, StreamIndex, Ts};
use barograph_sim::{Fault, Injected, Rule, Server, SimConfig, Truth, Venue, When};
use barograph_store::SqliteReader;
use barograph_venues::session::{Action, Fault as Unusable, Origin};
use core::sync::atomic::Ordering;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// World seconds per second.
const SPEED: f64 = 20.0;
/// Faults of one run.
const FAULTS: i64 = 8;
/// How long they go on, by the world's clock.
const TROUBLE: Span = Span::secs(150);
/// The real time within which everything must be live (again).
const PATIENCE: Duration = Duration::from_secs(40);

#[test]
fn fault_simulation_seeds_1_to_5() {
    seeds(1..6);
}

#[test]
fn fault_simulation_seeds_6_to_10() {
    seeds(6..11);
}

#[test]
fn fault_simulation_seeds_11_to_15() {
    seeds(11..16);
}

#[test]
fn fault_simulation_seeds_16_to_20() {
    seeds(16..21);
}

fn seeds(own: core::ops::Range<u64>) {
    let asked = std::env::var("SIM_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse::<u64>().ok()?..to.parse::<u64>().ok()?)
    });
    // More seeds by command: the four tests share them.
    let chosen: Vec<u64> = match asked {
        Some(range) => range.filter(|s| s % 4 == own.start / 5 % 4).collect(),
        None => own.collect(),
    };
    for seed in chosen {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Err(why) = simulate(seed, folder.path()) {
            // Kept to be looked at: journal, store and checkpoints of the failed run.
            let kept = folder.keep();
            panic!(
                "seed {seed}: {why}\nits data: {}\nrepeat with: SIM_SEEDS={seed}..{} cargo test -p barograph fault_simulation",
                kept.display(),
                seed + 1
            );
        }
    }
}

/// One run.
fn simulate(seed: u64, folder: &Path) -> Result<(), String> {
    let said = |f: Failure| f.text().unwrap_or_default();
    let runtime = crate::commands::serve::runtime().map_err(said)?;
    let world = Arc::new(World::new(Ts::from_civil(2026, 10, 1, 12, 0, 20), SPEED));
    let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
    config.world.seed = seed;
    config.world.usdm_markets = 2;
    config.world.spot_markets = 1;
    config.world.coinbase_markets = 1;
    config.world.messages_per_s = 40.0;
    let server = runtime
        .block_on(Server::start(config, Arc::clone(&world) as Arc<dyn barograph_sim::Clock>))
        .map_err(|e| e.to_string())?;
    let truth = server.truth();
    // Coinbase has another host for its sockets; here that is a path.
    let ws = |v: Venue| if v == Venue::Coinbase { format!("{}/ws", server.ws_base(v)) } else { server.ws_base(v) };
    let base = |v: Venue| format!("{}|{}", server.rest_base(v), ws(v));
    let flags = Up {
        venues: Some("binance-usdm,binance-spot,coinbase".to_owned()),
        all: true,
        market_type: Some("both".to_owned()),
        min_volume_24h: Some("0".to_owned()),
        books: Some("on".to_owned()),
        backfill: Some("1h".to_owned()),
        endpoints: Some(format!(
            "binance-usdm={},binance-spot={},coinbase={}",
            base(Venue::BinanceUsdm),
            base(Venue::BinanceSpot),
            base(Venue::Coinbase)
        )),
        ..Up::default()
    };
    let common = Common { data: Some(folder.to_owned()), ..Common::default() };
    let settings = Settings::load(&common, flags.settings()).map_err(said)?;
    let wish = || up::wish(&flags, &settings, Arc::clone(&world) as Arc<dyn crate::clock::Clock>).map_err(said);
    let begin = |wish| start(&runtime, &settings, wish, || up::open_store(&settings)).map_err(said);
    let mut running = begin(wish()?)?;
    all_live(&running)?;
    let began = server.now();
    let mut random = Random::new(seed);
    for _ in 0..FAULTS {
        server.inject(any_fault(&mut random));
        let pause = TROUBLE.0 / FAULTS;
        runtime.block_on(server.sleep(Span(pause / 2 + random.below(pause))));
        // Now and then the process itself goes and comes back.
        if random.below(8) == 0 {
            end(running)?;
            running = begin(wish()?)?;
        }
    }
    server.end_faults();
    all_live(&running)?;
    // A whole quiet minute, so that the newest candle is after the trouble.
    runtime.block_on(server.sleep(Span::secs(75)));
    all_live(&running)?;
    runtime.block_on(server.pause());
    std::thread::sleep(Duration::from_millis(400));
    let ended = server.now();
    let board = Arc::clone(&running.board);
    end(running)?;
    books_equal(&truth, &board)?;
    let seen = Seen::of(folder).map_err(said)?;
    seen.trades_are_whole(&truth, began, ended)?;
    seen.candles_are_right(&truth, began, ended)?;
    seen.holes_are_declared(&server.injected(), began)?;
    let reader = SqliteReader::open(folder).map_err(|e| e.to_string())?;
    let found = verify::run(folder, &reader).map_err(said)?;
    if found.published == 0 || found.equal != found.published {
        return Err(format!("{} of {} snapshots: {:?}", found.equal, found.published, found.differences));
    }
    runtime.block_on(server.stop());
    Ok(())
}

fn any_fault(random: &mut Random) -> Rule {
    let venue =
        [Venue::BinanceUsdm, Venue::BinanceSpot, Venue::Coinbase][usize::try_from(random.below(3)).unwrap_or(0)];
    let fault = match random.below(14) {
        0 | 1 => Fault::Drop,
        2 => Fault::Duplicate,
        3 => Fault::Reorder,
        4 => Fault::Delay(Span::secs(3)),
        5 => Fault::TruncatedText,
        6 => Fault::TruncatedFrame,
        7 => Fault::SequenceJump(7),
        8 => Fault::HalfOpen,
        9 => Fault::Cut,
        10 => Fault::RefuseSockets(Span::secs(8)),
        11 => Fault::StaleBook(Span::secs(45)),
        12 => Fault::TooManyRequests(Some(Span::secs(5))),
        _ => Fault::ServerError(502),
    };
    Rule::new(fault, When::Now).venue(venue)
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
                s.state != barograph_domain::StatusState::Live && s.state != barograph_domain::StatusState::NotOffered
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

fn end(running: Running) -> Result<(), String> {
    running.stop.store(true, Ordering::Relaxed);
    let ended = running.thread.join().map_err(|_panic| "the core has crashed".to_owned())?;
    ended.map_err(|e| e.text().unwrap_or_default())
}

const VENUES: [(&str, Venue); 3] =
    [("binance-usdm", Venue::BinanceUsdm), ("binance-spot", Venue::BinanceSpot), ("coinbase", Venue::Coinbase)];

fn venue_of(id: &str) -> Venue {
    VENUES.iter().find(|(name, _)| *name == id).map_or(Venue::BinanceUsdm, |(_, v)| *v)
}

/// The best levels of every book are the server's.
fn books_equal(truth: &Truth, board: &crate::live::board::Board) -> Result<(), String> {
    for (name, market) in board.all() {
        let want = truth.book(venue_of(name.venue.as_str()), &name.symbol).ok_or("no such market")?;
        for (side, ours, theirs) in [("bids", &market.bids, &want.bids), ("asks", &market.asks, &want.asks)] {
            let theirs: Vec<(f64, f64)> = theirs.iter().take(ours.len()).map(|l| (l.price, l.quantity)).collect();
            let close = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9;
            if ours.is_empty() || !ours.iter().zip(&theirs).all(close) {
                return Err(format!(
                    "{name} {side}: ours {:?}, the server's {:?}",
                    &ours[..ours.len().min(3)],
                    &theirs[..theirs.len().min(3)]
                ));
            }
        }
    }
    Ok(())
}

/// Everything that went through the core, by running the journal again.
#[derive(Default)]
struct Seen {
    streams: Vec<StreamDecl>,
    /// Times each trade came, by stream and id.
    trades: BTreeMap<(StreamIndex, u64), u32>,
    bars: BTreeMap<(StreamIndex, Ts), (u32, Event)>,
    gaps: Vec<(StreamIndex, Status, Ts)>,
}

impl Sink for Seen {
    fn row(&mut self, _row: &MinuteRow) -> Result<(), Failure> {
        Ok(())
    }
    fn fact(&mut self, event: &Event, metric: Metric, _origin: Origin) -> Result<(), Failure> {
        if metric == Metric::Trade {
            *self.trades.entry((event.stream, event.seq)).or_default() += 1;
        }
        if metric == Metric::Bar {
            self.bars.entry((event.stream, event.event_ts)).or_insert((0, *event)).0 += 1;
        }
        Ok(())
    }
    fn status(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        self.gaps.push((stream, *status, known_ts));
        Ok(())
    }
    fn sample(&mut self, _event: &Event) {}
    fn action(&mut self, _venue: usize, _action: Action) {}
    fn fault(&mut self, _venue: usize, _fault: &Unusable) {}
    fn grown(&mut self, _i: &[Instrument], streams: &[StreamDecl], _n: &[StreamDecl]) -> Result<(), Failure> {
        self.streams = streams.to_vec();
        Ok(())
    }
}

impl Seen {
    fn of(data: &Path) -> Result<Self, Failure> {
        let setup = replay::setup_of(data)?.ok_or_else(|| Failure::broken("no journal"))?;
        let mut seen = Self::default();
        replay::run(data, &setup, None, &mut seen)?;
        Ok(seen)
    }

    fn decl(&self, stream: StreamIndex) -> &StreamDecl {
        &self.streams[stream.index()]
    }

    /// Is this moment of this stream inside a hole that was declared?
    fn in_hole(&self, stream: StreamIndex, at: Ts) -> bool {
        let slack = Span::secs(2);
        let mut open: Option<Ts> = None;
        for (_, status, _) in self.gaps.iter().filter(|(s, ..)| *s == stream) {
            if status.is_open() {
                open = Some(open.map_or(status.from, |o| o.min(status.from)));
            } else if let Some(from) = open.take()
                && from - slack <= at
                && at <= status.until + slack
            {
                return true;
            }
        }
        open.is_some_and(|from| from - slack <= at)
    }

    /// Every trade of the server came once, or lies in a declared hole.
    fn trades_are_whole(&self, truth: &Truth, began: Ts, ended: Ts) -> Result<(), String> {
        for (at, decl) in self.streams.iter().enumerate().filter(|(_, d)| d.metric == Metric::Trade) {
            let stream = StreamIndex(u16::try_from(at).map_err(|e| e.to_string())?);
            let venue = venue_of(decl.instrument.venue.as_str());
            for trade in truth.trades(venue, &decl.instrument.symbol).unwrap_or_default() {
                if trade.at < began || trade.at > ended - Span::secs(2) {
                    continue;
                }
                let id = if venue == Venue::Coinbase { trade.ids.0 } else { trade.aggregate_id };
                match self.trades.get(&(stream, id)).copied().unwrap_or(0) {
                    1 => {}
                    0 if self.in_hole(stream, trade.at) => {}
                    n => return Err(format!("trade {id} of {} at {} came {n} times", decl.instrument, trade.at)),
                }
            }
        }
        Ok(())
    }

    /// Every candle that was over is there, once, with the server's numbers.
    fn candles_are_right(&self, truth: &Truth, began: Ts, ended: Ts) -> Result<(), String> {
        for (at, decl) in self.streams.iter().enumerate().filter(|(_, d)| d.metric == Metric::Bar) {
            let stream = StreamIndex(u16::try_from(at).map_err(|e| e.to_string())?);
            let mut close = began.ceil(Span::mins(1)) + Span::mins(1);
            // The newest minute may still be on its way.
            while close <= ended - Span::secs(40) {
                let Some((_, event)) = self.bars.get(&(stream, close)) else {
                    return Err(format!("the candle of {} that closed at {close} is missing", decl.instrument));
                };
                let Payload::Bar(bar) = event.payload else { return Err("no candle".to_owned()) };
                let sane = bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close);
                if !sane {
                    return Err(format!("the candle of {} at {close} is impossible: {bar:?}", decl.instrument));
                }
                close = close + Span::mins(1);
            }
        }
        let _ = truth;
        Ok(())
    }

    /// Lost messages of numbered streams, broken connections and stopped books all left a declaration near them.
    fn holes_are_declared(&self, injected: &[Injected], began: Ts) -> Result<(), String> {
        for one in injected.iter().filter(|i| i.at >= began) {
            let numbered = match one.venue {
                // One number for everything.
                Venue::Coinbase => true,
                Venue::BinanceUsdm | Venue::BinanceSpot => one
                    .stream
                    .as_ref()
                    .is_some_and(|s| (s.contains("@depth") && !s.contains("@depth5")) || s.contains("@aggTrade")),
            };
            let expected = match one.fault {
                Fault::Drop | Fault::TruncatedText | Fault::SequenceJump(_) => numbered,
                Fault::HalfOpen | Fault::Cut | Fault::TruncatedFrame | Fault::StaleBook(_) => true,
                _ => false,
            };
            let near = |(stream, status, known): &(StreamIndex, Status, Ts)| {
                let own = venue_of(self.decl(*stream).instrument.venue.as_str()) == one.venue;
                own && status.is_open() && *known >= one.at - Span::secs(1) && *known <= one.at + Span::secs(90)
            };
            // A hole that was open already covers what happens inside it.
            let covered = || {
                (0..self.streams.len()).any(|s| {
                    let stream = StreamIndex(u16::try_from(s).unwrap_or(u16::MAX));
                    venue_of(self.decl(stream).instrument.venue.as_str()) == one.venue && self.in_hole(stream, one.at)
                })
            };
            if expected && !self.gaps.iter().any(near) && !covered() {
                return Err(format!("no hole was declared for {one:?}"));
            }
        }
        Ok(())
    }
}
