//! From settings to a running live process: journal, network, discovery, state of the last start, store, API.

use crate::calendar::CalendarSource;
use crate::config::{LiveConfig, VenueConfig, no_such_venue};
use crate::delivery::Room;
use crate::discover::{self, Choice};
use crate::meter::Meter;
use crate::mirror::Mirroring;
use crate::onchain::{self, OnchainMeans, OnchainSettings};
use crate::options::{OptionPolls, OptionsChoice};
use crate::process::{Change, Network, Plan, Process, prepare};
use crate::publish::Weather;
use crate::published::Published;
use crate::recorder::{Onward, Recorder, Relayed};
use crate::replay::journal_folder;
use crate::setup::Setup;
use crate::storing::{Keep, Storing};
use crate::universe::WatchMarkets;
use crate::view::LiveView;
use crate::{Error, chain};
use barograph_domain::leg::SpotPairs;
use barograph_domain::text::{escape_control, number_of, plural};
use barograph_domain::{InstrumentName, Metric, Span, Ts};
use barograph_engine::models::ModelMarkets;
use barograph_lake::journal::{JournalConfig, JournalWriter, survey};
use barograph_mirror::{Mirror, MirrorAddress};
use barograph_net::{Bounds, Carrier, Clock, Fetch, Net, NetOptions, VenueIndex, inbox};
use barograph_notify::receiver::Receiver;
use barograph_query::live::board::Board;
use barograph_query::service::{BookId, Service};
use barograph_store::{Reader, StoreTarget, Writer};
use barograph_venues::mcp::{self, McpSource, Offered};
use barograph_venues::session::{BaseAddresses, PoolId, SessionConfig, VenueDef, venue};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// One venue as it was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The venue.
    pub def: &'static VenueDef,
    /// Where it is reached.
    pub endpoints: BaseAddresses,
    /// Which of its markets.
    pub choice: Choice,
    /// A server of tools: who calls it, and what.
    pub called: Option<CalledVenue>,
}

/// A venue that is a server of tools.
#[derive(Clone, Debug)]
pub struct CalledVenue {
    /// What is called; which tools there are is asked at the start.
    pub source: McpSource,
    /// Who carries the calls out.
    pub caller: Arc<dyn Carrier>,
}

impl Asked {
    /// Adds the venue to a network, and gives its number there.
    pub fn add_to(&self, net: &Net) -> VenueIndex {
        match &self.called {
            Some(called) => net.add_called(self.def.id, (self.def.limits)(), Arc::clone(&called.caller)),
            None => net.add_venue(self.def.id, (self.def.limits)()),
        }
    }
}

/// Something that is read when it is needed: what is said on the way comes in its order.
pub type Later<T> = Box<dyn FnOnce() -> Result<T, Error>>;

/// What is set, as far as a live process wants to know it.
pub struct LiveSettings {
    /// The data folder.
    pub data: PathBuf,
    /// Its database.
    pub target: StoreTarget,
    /// Rule book and policy.
    pub setup: Later<Setup>,
    /// Who receives alerts.
    pub receivers: Later<Vec<Receiver>>,
    /// Whose market a bare symbol means.
    pub default_venue: String,
    /// What is listened to of each market.
    pub listen: Listening,
    /// How long what is kept.
    pub keep: Keep,
    /// Where the calendar is read.
    pub calendar: Option<CalendarSource>,
    /// Where the journal's lines go besides, and what is known of that: on the listening side of a cluster.
    pub relay: Option<(Onward, Arc<Relayed>)>,
    /// Where the newest weather is mirrored.
    pub redis: Option<MirrorAddress>,
    /// What is fetched of on-chain and sentiment sources.
    pub onchain: OnchainSettings,
    /// Whose options are asked for, and where.
    pub options: (OptionsChoice, BaseAddresses),
}

/// What is listened to of each market, and how often it is asked for.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Streams, order books and ratios aside; see [`METRICS`].
    pub metrics: Vec<Metric>,
    /// [`RATIOS`] too, where there are not too many markets.
    pub ratios: bool,
    /// Order books; `None`: where there are not too many markets.
    pub books: Option<bool>,
    /// History fetched at the first start; `None`: as much as the number of markets allows.
    pub backfill: Option<Span>,
    /// Between two polls of what has no stream.
    pub poll_every: Span,
    /// The same for single metrics.
    pub polls_every: Vec<(Metric, Span)>,
    /// Polls under way at once.
    pub polls_in_flight_max: usize,
    /// The side that a Coinbase trade names is the maker's.
    pub trade_side_is_maker: bool,
    /// Which markets are compared with each other.
    pub watch: WatchMarkets,
    /// Which spot markets contracts are compared with, where that is declared.
    pub spot_pairs: SpotPairs,
}

impl core::fmt::Debug for LiveSettings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LiveSettings").field("data", &self.data).field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// What to listen to, besides what is set.
pub struct LiveRequest {
    /// Venues, in the order of their numbers.
    pub asked: Vec<Asked>,
    /// Which markets have statistical models.
    pub models: ModelMarkets,
    /// What stamps are read from.
    pub clock: Arc<dyn Clock>,
    /// Receives each minute.
    pub weather: Option<Weather>,
    /// Set from outside to end it, at any time.
    pub stop: Arc<AtomicBool>,
}

impl core::fmt::Debug for LiveRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Wish").field("asked", &self.asked).field("models", &self.models).finish_non_exhaustive()
    }
}

/// Ratios of accounts and positions, which some venues publish.
pub const RATIOS: [Metric; 4] =
    [Metric::TopTraderAccountRatio, Metric::TopTraderPositionRatio, Metric::LongShortRatio, Metric::TakerVolumeRatio];
/// Streams of a live market, order books and ratios aside.
pub const METRICS: [Metric; 9] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::Liquidation,
];

/// Up to this many markets have order books unless set otherwise: each takes a snapshot of weight 20 and some ten frames a
/// second.
const BOOKS_AUTO: usize = 20;
/// Up to this many markets are asked for ratios unless set otherwise: four requests each in five minutes, half of what the
/// venue allows.
const RATIOS_AUTO: usize = 100;
/// Changes of the configuration that may wait for the next second.
const CHANGES_MAX: usize = 64;
/// How soon a start sees that it is to end.
const STOP_CHECK_EVERY: Duration = Duration::from_millis(50);
/// Levels a side kept of a book: what venues send as their deepest cheap snapshot.
const BOOK_DEPTH: usize = 1_000;

/// A running process.
#[derive(Debug)]
pub struct Running {
    /// Answers, its memory included.
    pub service: Arc<Service>,
    /// Its markets as they are this moment; the fault simulation looks at books through it.
    pub board: Arc<Board>,
    /// Its network.
    pub net: Arc<Net>,
    /// What it counts.
    pub meter: Arc<Meter>,
    /// Who hears of alerts.
    pub room: Option<Arc<Room>>,
    /// Who writes the newest weather elsewhere too.
    pub mirror: Option<Mirror>,
    /// The way for changes while it runs.
    pub changes: mpsc::SyncSender<Change>,
    /// Set to end it.
    pub stop: Arc<AtomicBool>,
    /// The core's thread.
    pub thread: JoinHandle<Result<(), Error>>,
    /// What it listens to.
    pub config: LiveConfig,
    /// Set to end it as if killed.
    #[cfg(test)]
    pub(crate) kill: Arc<AtomicBool>,
}

/// The core thread has made its markets.
struct Begun {
    #[cfg(test)]
    kill: Arc<AtomicBool>,
}

/// Starts everything; the caller serves and stops it. `open` gives the store, once it is known that there is something to listen to.
///
/// # Errors
/// A venue, the journal or the store does not do, or it is asked to stop meanwhile.
pub fn start(
    runtime: &tokio::runtime::Runtime,
    settings: LiveSettings,
    request: LiveRequest,
    open: impl FnOnce() -> Result<(Box<dyn Reader>, Box<dyn Writer>), Error>,
) -> Result<Running, Error> {
    let mut err = std::io::stderr();
    let mut journal_config = JournalConfig::new(journal_folder(&settings.data));
    // What may be lost is counted in real time, the stamps run in the clock's.
    let faster = request.clock.rate().max(1.0);
    for span in [&mut journal_config.flush_every, &mut journal_config.sync_every] {
        #[expect(clippy::cast_possible_truncation, reason = "seconds times a hundred at most")]
        let scaled = (span.as_secs_f64() * faster * 1e9) as i64;
        *span = Span(scaled);
    }
    // Looked at before it is taken: what cannot be listened to leaves no folder behind.
    let recovered = survey(&journal_config.root).map_err(|e| Error::failed(chain(&e)))?;
    for tail in recovered.unclosed.iter().filter(|t| t.bytes_lost > 0) {
        let path = tail.path.display();
        writeln!(
            err,
            "barograph: [MKT] {path} ends in the middle of a write, after a crash or a full disk: {} lost",
            number_of(tail.bytes_lost, "byte")
        )?;
    }
    let now = request.clock.now();
    if let Some(last) = recovered.last.filter(|last| *last > now + Span::secs(5)) {
        return Err(Error::failed(format!(
            "the journal goes up to {last}, but the clock says {now}; set the clock, or begin in another folder with --data"
        )));
    }
    let setup = (settings.setup)()?;
    let after = recovered.last.unwrap_or(Ts(0));
    let (stamper, receiver) = inbox(Arc::clone(&request.clock), Bounds::default(), after);
    let first_conn = crate::replay::next_conn(&settings.data)?;
    let options = NetOptions { first_conn, ..NetOptions::default() };
    let sockets = Sockets::new()?;
    let net = Net::start(sockets.handle(), Arc::clone(&request.clock), stamper.clone(), &options)
        .map_err(|e| Error::failed(chain(&e)))?;
    let net = Arc::new(net);
    let listen = (&settings.listen, settings.default_venue.as_str());
    let config = runtime.block_on(async {
        tokio::select! {
            config = configure(&net, &setup, &request, listen) => config,
            () = asked_to_stop(&request.stop) => Err(Error::Stopped),
        }
    })?;
    let ids: Vec<&'static str> = request.asked.iter().map(|a| a.def.id).collect();
    let (board, meter) = (Arc::new(Board::default()), Arc::new(Meter::new(&ids)));
    std::fs::create_dir_all(&settings.data).map_err(|e| {
        Error::failed(format!(
            "cannot make the data folder {}: {e}; choose another with --data",
            settings.data.display()
        ))
    })?;
    let (reader, writer) = open()?;
    let published = Published::load(reader.as_ref(), &setup.logic_version)?;
    let chains = published.chains(reader.as_ref(), &setup.logic_version)?;
    let (journal, _) =
        JournalWriter::open(journal_config, request.clock.now()).map_err(|e| Error::failed(chain(&e)))?;
    let journal = match settings.relay {
        Some((onward, relayed)) => {
            // What a process that was killed had not synced may be read from now on, and is not to be lost after that.
            for tail in &recovered.unclosed {
                sync_tail(&tail.path)?;
            }
            Recorder::relayed(journal, onward, relayed)?
        }
        None => Recorder::alone(journal),
    };
    let handle = runtime.handle().clone();
    let receivers = (settings.receivers)()?;
    let room = Some(Room::open(receivers, &settings.target, &setup.book, Arc::clone(&request.clock), handle)?);
    let book = BookId { name: setup.book.name.clone(), text: Some(setup.book_text.clone()) };
    let plan = Plan {
        data: settings.data,
        setup,
        config: config.clone(),
        clock: Arc::clone(&request.clock),
        keep: settings.keep,
        calendar: settings.calendar,
        room: room.clone(),
        published,
        target: settings.target.clone(),
    };
    let sources = OnchainMeans {
        settings: settings.onchain,
        data: plan.data.clone(),
        target: plan.target.clone(),
        keep: plan.keep.journal_age,
        default_venue: settings.default_venue.clone(),
        clock: Arc::clone(&request.clock),
    };
    let (kept, stopped) = (plan.keep.clone(), Arc::clone(&request.stop));
    let storing = Storing::start(writer, Arc::clone(&meter), kept, stopped, room.clone(), chains)?;
    let mirroring = settings.redis.map(Mirroring::to);
    let view = LiveView {
        board: Arc::clone(&board),
        meter: Arc::clone(&meter),
        net: Arc::clone(&net),
        stamper: stamper.clone(),
        origin: config.origin.clone(),
        room: room.clone(),
        mirroring: mirroring.clone(),
    };
    let clock = Arc::clone(&request.clock);
    let service = Arc::new(Service::new(reader, clock, Some(Box::new(view)), book, settings.default_venue)?);
    let network =
        Network { net: Arc::clone(&net), runtime: sockets.handle(), stamper: stamper.clone(), inbox: receiver };
    let stop = request.stop;
    let (changes, asked) = mpsc::sync_channel(CHANGES_MAX);
    let (ready, prepared) = mpsc::sync_channel(1);
    let (told, shown, counted, weather) = (Arc::clone(&stop), Arc::clone(&board), Arc::clone(&meter), request.weather);
    let served = Arc::clone(&service);
    // Markets are made by the thread that has them: what one thread frees, the allocator does not give to another, and each market is
    // made a second time once its history has come.
    let run = move || {
        let at = network.stamper.stamp();
        let prepared = prepare(&plan, journal, at, shown, &counted, &storing)?;
        for note in &prepared.notes {
            drop(writeln!(std::io::stderr(), "barograph: [MKT] {note}"));
        }
        if let Some(from) = prepared.resumed {
            drop(writeln!(std::io::stderr(), "going on from {from}"));
        }
        let mut process = Process::new(plan, prepared, network, storing, counted)?;
        process.serve(served);
        if let Some(tell) = weather {
            process.report_weather(tell);
        }
        // Nobody waits any more where the start was given up.
        let begun = Begun {
            #[cfg(test)]
            kill: Arc::clone(&process.kill),
        };
        let _waited_for = ready.send(begun);
        let ended = process.run(&told, &asked);
        drop(sockets);
        ended
    };
    let thread = std::thread::Builder::new().name("core".to_owned()).spawn(run).map_err(Error::failed)?;
    let Ok(begun) = prepared.recv() else {
        let ended =
            thread.join().map_err(|_panic| Error::failed("the live process ended while it began; this is a bug"))?;
        return Err(ended.err().unwrap_or(Error::Stopped));
    };
    let Begun {
        #[cfg(test)]
        kill,
    } = begun;
    // A played world's clock is not that of the sources.
    if !sources.settings.is_empty() && sources.clock.rate() <= 1.0 {
        onchain::start(sources, Arc::clone(&stop))?;
    }
    let (choice, endpoints) = settings.options;
    let of_venue = config.venues.iter().filter(|v| v.id == barograph_venues::deribit::VENUE.id);
    OptionPolls {
        currencies: choice.currencies(of_venue.flat_map(|v| &v.session.markets)),
        endpoints,
        target: settings.target,
        net: Arc::clone(&net),
        runtime: runtime.handle().clone(),
        clock: request.clock,
        stop: Arc::clone(&stop),
    }
    .start()?;
    let mirror = mirroring.map(|m| m.start(&service, &config.logic_version, Arc::clone(&stop)));
    Ok(Running {
        service,
        board,
        net,
        meter,
        room,
        mirror: mirror.transpose().map_err(Error::failed)?,
        changes,
        stop,
        thread,
        config,
        #[cfg(test)]
        kill,
    })
}

/// Syncs a file and the folders that lead to it in the journal.
fn sync_tail(path: &std::path::Path) -> Result<(), Error> {
    for one in path.ancestors().take(4) {
        std::fs::File::open(one)?.sync_all()?;
    }
    Ok(())
}

/// Sockets have one thread of their own: handing ready ones from thread to thread costs more than reading them, and what is
/// served over HTTP delays no receive stamp.
struct Sockets(Option<tokio::runtime::Runtime>, tokio::runtime::Handle);

impl Sockets {
    fn new() -> Result<Self, Error> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("sockets").enable_all().build().map_err(Error::failed)?;
        let handle = runtime.handle().clone();
        Ok(Self(Some(runtime), handle))
    }

    fn handle(&self) -> tokio::runtime::Handle {
        self.1.clone()
    }
}

impl Drop for Sockets {
    /// Whoever still looks up a name is not waited for.
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

/// Resolves soon after it is asked to stop.
async fn asked_to_stop(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_CHECK_EVERY).await;
    }
}

async fn configure(
    net: &Net,
    setup: &Setup,
    request: &LiveRequest,
    (listen, default_venue): (&Listening, &str),
) -> Result<LiveConfig, Error> {
    let mut venues = Vec::new();
    let mut origin = None;
    for asked in &request.asked {
        let index = asked.add_to(net);
        origin = origin.or(origin_of(net, index, &asked.endpoints).await?);
        let all = discover::list(net, index, asked.def, &asked.endpoints).await?;
        let markets = discover::choose(asked.def.id, &all, &asked.choice)?;
        let (some, all) = (markets.len(), all.len());
        drop(writeln!(std::io::stderr(), "{}: listening to {some} of {all} market{}", asked.def.id, plural(all)));
        let mut metrics = listen.metrics.clone();
        if listen.books.unwrap_or(markets.len() <= BOOKS_AUTO) {
            metrics.push(Metric::Book);
        }
        if listen.ratios && markets.len() <= RATIOS_AUTO {
            metrics.extend(RATIOS);
        }
        let mcp = match &asked.called {
            Some(called) => Some(called_source(net, index, asked.def.id, &called.source).await?),
            None => None,
        };
        if let Some(source) = &mcp {
            metrics.extend(source.calls.iter().flat_map(|call| &call.facts).map(|fact| fact.metric));
        }
        metrics.sort_unstable();
        metrics.dedup();
        venues.push(VenueConfig {
            id: asked.def.id.to_owned(),
            session: SessionConfig {
                endpoints: asked.endpoints.clone(),
                backfill: listen.backfill.unwrap_or_else(|| backfill_for(markets.len())),
                markets,
                metrics,
                book_depth: BOOK_DEPTH,
                poll_every: listen.poll_every,
                polls_every: listen.polls_every.clone(),
                polls_in_flight_max: u32::try_from(listen.polls_in_flight_max).unwrap_or(5),
                trade_side_is_maker: listen.trade_side_is_maker,
                mcp,
            },
        });
    }
    let names: Vec<InstrumentName> = venues
        .iter()
        .flat_map(|v: &VenueConfig| v.session.markets.iter().map(|m| InstrumentName::new(&v.id, &m.symbol)))
        .collect::<Result<_, _>>()
        .map_err(Error::failed)?;
    let watch = listen.watch.found_in(&names, default_venue).map_err(Error::refused)?;
    Ok(LiveConfig {
        models: request.models.clone(),
        watch,
        spot_pairs: listen.spot_pairs.clone(),
        logic_version: setup.logic_version.clone(),
        book: setup.book.name.clone(),
        book_text: setup.book_text.clone(),
        venues,
        origin,
    })
}

/// What is called of a server, with the tools it has now. A tool that it lacks is named once, and its streams are not offered.
async fn called_source(net: &Net, index: VenueIndex, id: &str, source: &McpSource) -> Result<McpSource, Error> {
    let fetch = Fetch { url: mcp::LIST.to_owned(), body: None, pool: PoolId(0), weight: 1, timeout: TOOLS_WITHIN };
    let answer = net.fetch(index, fetch).await.map_err(|e| Error::failed(format!("{id}: {}", chain(&e))))?;
    let offered: Offered = serde_json::from_slice(&answer.body).map_err(Error::failed)?;
    let missing: BTreeSet<&str> = source
        .calls
        .iter()
        .map(|call| call.tool.as_str())
        .filter(|tool| !offered.tools.iter().any(|t| t == tool))
        .collect();
    for tool in missing {
        let line =
            format!("{id}: the server has no tool '{}'; what it would bring is not offered", escape_control(tool));
        drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
    }
    Ok(McpSource { tools: offered.tools, ..source.clone() })
}

/// How long a server may take to name its tools: a program has to start first.
const TOOLS_WITHIN: Span = Span::secs(30);
/// How long the built-in venue server is waited for.
const ORIGIN_WITHIN: Duration = Duration::from_secs(2);

/// The built-in venue server says what its world is; nobody else is asked.
async fn origin_of(net: &Net, index: u8, endpoints: &BaseAddresses) -> Result<Option<String>, Error> {
    let Some(host) = endpoints.rest.strip_prefix("http://127.0.0.1:") else { return Ok(None) };
    let port = host.split('/').next().unwrap_or_default();
    let url = format!("http://127.0.0.1:{port}/sim/capabilities");
    let fetch = Fetch { url, body: None, pool: PoolId(0), weight: 1, timeout: Span::secs(5) };
    // It answers within milliseconds; somebody else's server on this machine is not waited for.
    let Ok(Ok(answer)) = tokio::time::timeout(ORIGIN_WITHIN, net.fetch(index, fetch)).await else { return Ok(None) };
    let value: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(value.get("origin").and_then(|o| o.as_str()).map(|origin| escape_control(origin).into_owned()))
}

/// A month of minutes is some thirty requests per market: with few markets that is minutes, with a thousand it is hours.
fn backfill_for(markets: usize) -> Span {
    match markets {
        0..=20 => Span::days(30),
        21..=200 => Span::days(2),
        _ => Span::hours(6),
    }
}

/// Production hosts, or the address given for this venue: `https://host/path`, for WebSockets the same with `ws` in front, or
/// what follows a `|`.
pub fn endpoints(def: &VenueDef, given: &[String]) -> Result<BaseAddresses, Error> {
    for one in given {
        let (id, url) = one
            .split_once('=')
            .ok_or_else(|| Error::refused(format!("endpoint '{one}': write VENUE=http://host:port/path")))?;
        if venue(id).is_none() {
            return Err(Error::refused(no_such_venue(id)));
        }
        if id == def.id {
            let (rest, ws) = url.split_once('|').map_or((url, None), |(rest, ws)| (rest, Some(ws)));
            let rest = rest.trim_end_matches('/');
            let derived = rest
                .strip_prefix("https://")
                .map(|rest| format!("wss://{rest}"))
                .or_else(|| rest.strip_prefix("http://").map(|rest| format!("ws://{rest}")))
                .ok_or_else(|| {
                    Error::refused(format!("endpoint '{one}': the address begins with http:// or https://"))
                })?;
            let ws = ws.map_or(derived, |w| w.trim_end_matches('/').to_owned());
            return Ok(BaseAddresses { rest: rest.to_owned(), ws });
        }
    }
    Ok((def.endpoints)())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_shrinks_with_the_number_of_markets() {
        assert!(backfill_for(3) > backfill_for(100) && backfill_for(100) > backfill_for(1_000));
    }
}
