//! What tests of live processes share: a world's clock, what is set, a machine without a network, a store that can be away.

use crate::Error;
use crate::config::{LiveConfig, VenueConfig};
use crate::core::{Core, CoreSink};
use crate::discover::{Choice, Wanted};
use crate::options::OptionsChoice;
use crate::replay::journal_folder;
use crate::setup::Setup;
use crate::start::{Asked, Listening, LiveRequest, LiveSettings, METRICS, endpoints};
use crate::storing::Keep;
use crate::universe::WatchMarkets;
use barograph_domain::leg::SpotPairs;
use barograph_domain::{Event, Instrument, MarketKind, Metric, Span, StreamDecl, Ts};
use barograph_engine::models::ModelMarkets;
use barograph_engine::models::policy::MARKETS_MAX;
use barograph_engine::rules::RuleBook;
use barograph_net::ClockOf;
use barograph_sim::{Clock as _, VirtualClock};
use barograph_store::{
    Appended, ImportRecord, Inserted, LiveBatch, PointsVersion, Pruned, Reader, Retention, RunKey, RunSpec, RunWriter,
    SqliteWriter, StoreTarget, Writer, WriterRole, open_reader, open_writer_patient_for,
};
use barograph_venues::session::{BaseAddresses, MarketSpec, SessionConfig, venue};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// What is set for a process that listens to all markets of these venues; the rest is as `up` has it where nothing is set.
pub(super) struct Flags {
    /// `venue=address`, of each venue.
    pub(super) endpoints: Vec<String>,
    /// Markets of a venue that has several kinds.
    pub(super) kind: Wanted,
    pub(super) volume_min: f64,
    /// These markets alone, unless empty.
    pub(super) symbols: Vec<String>,
    /// Streams; `None`: all of them.
    pub(super) metrics: Option<Vec<Metric>>,
    pub(super) books: Option<bool>,
    pub(super) backfill: Span,
}

impl Flags {
    pub(super) fn new(endpoints: Vec<String>) -> Self {
        Self {
            endpoints,
            kind: Wanted::Futures,
            volume_min: 10_000.0,
            symbols: Vec::new(),
            metrics: None,
            books: None,
            backfill: Span::ZERO,
        }
    }

    pub(super) fn settings(&self, data: &Path) -> LiveSettings {
        let (metrics, ratios) = (self.metrics.clone(), self.metrics.is_none());
        LiveSettings {
            data: data.to_owned(),
            target: StoreTarget::Folder(data.to_owned()),
            setup: Box::new(|| Ok(setup())),
            receivers: Box::new(|| Ok(Vec::new())),
            default_venue: "binance-usdm".to_owned(),
            listen: Listening {
                metrics: metrics.unwrap_or_else(|| METRICS.to_vec()),
                ratios,
                books: self.books,
                backfill: Some(self.backfill),
                poll_every: Span::secs(60),
                polls_every: Vec::new(),
                polls_in_flight_max: 5,
                trade_side_is_maker: true,
                watch: WatchMarkets::Auto,
                spot_pairs: SpotPairs::NONE,
            },
            keep: Keep {
                store: Retention { minute_rows: Span::days(90), raw: Span::days(7), ..Retention::default() },
                books_every: Span::secs(30),
                journal: journal_folder(data),
                journal_age: Span::days(7),
                journal_bytes: 20_000_000_000,
            },
            calendar: None,
            relay: None,
            redis: None,
            onchain: crate::onchain::OnchainSettings::default(),
            options: (OptionsChoice::Off, (barograph_venues::deribit::VENUE.endpoints)()),
        }
    }

    pub(super) fn request(&self, world: &Arc<VirtualClock>) -> LiveRequest {
        let asked = |one: &String| {
            let def = venue(one.split('=').next().unwrap()).unwrap();
            // A venue of spot markets has no others to choose from.
            let kind = if def.trades == MarketKind::Spot { Wanted::Both } else { self.kind };
            let choice = Choice {
                symbols: self.symbols.clone(),
                quote: None,
                kind,
                volume_min: self.volume_min,
                markets_max: 1_000,
            };
            Asked { def, endpoints: endpoints(def, &self.endpoints).unwrap(), choice, called: None }
        };
        LiveRequest {
            asked: self.endpoints.iter().map(asked).collect(),
            models: ModelMarkets::First(MARKETS_MAX),
            clock: Arc::new(ClockOf::new(Arc::clone(world), VirtualClock::now, VirtualClock::rate)),
            weather: None,
            stop: Arc::default(),
        }
    }
}

/// One side that reads and one that writes.
pub(super) type Store = (Box<dyn Reader>, Box<dyn Writer>);

/// The store of a data folder, as `up` opens it.
pub(super) fn open_store(data: &Path) -> Result<Store, Error> {
    let target = StoreTarget::Folder(data.to_owned());
    let writer = open_writer_patient_for(&target, &WriterRole::ALL, Duration::from_secs(1))?;
    Ok((open_reader(&target)?, writer))
}

/// Keeps nothing.
struct Nobody;

impl CoreSink for Nobody {}

/// The shipped rules.
pub(crate) fn setup() -> Setup {
    let (name, text) = (RuleBook::SHIPPED[0], RuleBook::shipped_text(RuleBook::SHIPPED[0]).unwrap());
    let book = RuleBook::parse(&format!("{name}.toml"), text).unwrap();
    Setup::of(book, text.to_owned(), barograph_venues::policy::text())
}

/// What listens to these streams of some perpetuals of one venue, without a past.
pub(crate) fn listening(setup: &Setup, venue: &str, symbols: &[&str], metrics: &[Metric]) -> LiveConfig {
    let mut metrics = metrics.to_vec();
    metrics.sort_unstable();
    let session = SessionConfig {
        endpoints: BaseAddresses { rest: "http://x".to_owned(), ws: "ws://x".to_owned() },
        markets: symbols.iter().map(|s| MarketSpec::bare(s, MarketKind::Perpetual)).collect(),
        metrics,
        backfill: Span::ZERO,
        book_depth: 20,
        poll_every: Span::mins(1),
        polls_every: Vec::new(),
        polls_in_flight_max: 4,
        trade_side_is_maker: true,
        mcp: None,
    };
    LiveConfig {
        models: ModelMarkets::Off,
        logic_version: setup.logic_version.clone(),
        book: setup.book.name.clone(),
        book_text: setup.book_text.clone(),
        watch: WatchMarkets::Auto,
        spot_pairs: SpotPairs::NONE,
        venues: vec![VenueConfig { id: venue.to_owned(), session }],
        origin: None,
    }
}

/// A machine that does, without a network.
pub(crate) fn core_of(venue: &str, symbols: &[&str]) -> Core {
    use Metric::{BestBidAsk, MarkPrice, OpenInterest, Trade};
    let setup = setup();
    let config = listening(&setup, venue, symbols, &[Trade, BestBidAsk, MarkPrice, OpenInterest]);
    Core::new(setup, config, Ts::from_civil(2026, 10, 1, 12, 0, 20), &mut Nobody).unwrap()
}

/// A writer whose database can be away.
pub(super) struct Flaky {
    pub(super) inner: Box<dyn Writer>,
    pub(super) away: Arc<AtomicBool>,
    /// Retention never works.
    pub(super) never_prunes: bool,
    pub(super) appended: Arc<AtomicUsize>,
}

/// A writer into an empty store whose retention never works, and what counts its batches.
pub(crate) fn never_prunes(folder: &Path) -> (Box<dyn Writer>, Arc<AtomicUsize>) {
    let inner = Box::new(SqliteWriter::open(folder, &WriterRole::ALL).unwrap());
    let appended = Arc::new(AtomicUsize::new(0));
    let writer = Flaky { inner, away: Arc::default(), never_prunes: true, appended: Arc::clone(&appended) };
    (Box::new(writer), appended)
}

impl Flaky {
    fn ask(&self) -> barograph_store::Result<()> {
        if self.away.load(Ordering::Relaxed) { Err(Self::refusal()) } else { Ok(()) }
    }

    fn refusal() -> barograph_store::Error {
        let (path, retry_after) = ("here".into(), Duration::from_secs(1));
        barograph_store::Error::Unavailable { path, retry_after, reason: "it is away".to_owned() }
    }
}

impl Writer for Flaky {
    fn insert_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
    ) -> barograph_store::Result<Inserted> {
        self.ask()?;
        self.inner.insert_points(instruments, streams, events)
    }
    fn import_points(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        events: &[Event],
        at: Ts,
    ) -> barograph_store::Result<barograph_store::Imported> {
        self.ask()?;
        self.inner.import_points(instruments, streams, events, at)
    }
    fn import_batches(
        &mut self,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        batches: &mut dyn barograph_store::Batches,
        at: Ts,
    ) -> barograph_store::Result<barograph_store::Imported> {
        self.ask()?;
        self.inner.import_batches(instruments, streams, batches, at)
    }
    fn forget_batches(
        &mut self,
        streams: &[StreamDecl],
        batches: &mut dyn barograph_store::Batches,
        at: Ts,
        dry: bool,
    ) -> barograph_store::Result<barograph_store::Forgotten> {
        self.inner.forget_batches(streams, batches, at, dry)
    }
    fn fence(&mut self, group: u16, token: u64) -> barograph_store::Result<barograph_store::FenceState> {
        self.ask()?;
        self.inner.fence(group, token)
    }
    fn append(&mut self, batch: &LiveBatch<'_>) -> barograph_store::Result<Appended> {
        self.ask()?;
        self.appended.fetch_add(1, Ordering::Relaxed);
        self.inner.append(batch)
    }
    fn replace<'a>(
        &'a mut self,
        spec: &RunSpec,
        from: Option<Ts>,
        seen: PointsVersion,
    ) -> barograph_store::Result<Box<dyn RunWriter + 'a>> {
        self.inner.replace(spec, from, seen)
    }
    fn remove_run(&mut self, run: &RunKey) -> barograph_store::Result<()> {
        self.inner.remove_run(run)
    }
    fn replace_universe(&mut self, part: &barograph_store::UniversePart<'_>) -> barograph_store::Result<u64> {
        self.inner.replace_universe(part)
    }
    fn replace_ledger(&mut self, part: &barograph_store::LedgerPart<'_>) -> barograph_store::Result<u64> {
        self.inner.replace_ledger(part)
    }
    fn put_calendar(&mut self, entries: &[barograph_domain::CalendarEntry]) -> barograph_store::Result<u64> {
        self.ask()?;
        self.inner.put_calendar(entries)
    }
    fn record_import(&mut self, record: &ImportRecord) -> barograph_store::Result<()> {
        self.inner.record_import(record)
    }
    fn prune(&mut self, retention: &Retention) -> barograph_store::Result<Pruned> {
        self.ask()?;
        if self.never_prunes { Err(Self::refusal()) } else { self.inner.prune(retention) }
    }
}
