//! From settings to a running live process: journal, network, discovery, state of the last start, store, API.

use crate::clock::Clock;
use crate::config::Settings;
use crate::config::streams::RATIOS;
use crate::delivery::room::Room;
use crate::failure::{Failure, chain};
use crate::live::config::no_such_venue;
use crate::live::config::{LiveConfig, VenueConfig};
use crate::live::discover::{self, Choice};
use crate::live::meter::Meter;
use crate::live::process::{Change, Network, Plan, Process, prepare};
use crate::live::publish::Weather;
use crate::live::published::Published;
use crate::live::replay::journal_folder;
use crate::live::storing::{Keep, Storing};
use crate::live::view::LiveView;
use crate::setup::{Setup, book_id};
use crate::term::plural;
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, Metric, Span, Ts};
use barograph_engine::models::ModelMarkets;
use barograph_lake::journal::{JournalConfig, JournalWriter, survey};
use barograph_net::{Bounds, Fetch, Net, Options, inbox};
use barograph_query::live::board::Board;
use barograph_query::service::Service;
use barograph_store::{Reader, Writer};
use barograph_venues::session::{Endpoints, PoolId, SessionConfig, VenueDef, venue};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// One venue as it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) def: &'static VenueDef,
    pub(crate) endpoints: Endpoints,
    pub(crate) choice: Choice,
}

/// What to listen to, besides what is set.
pub(crate) struct Wish {
    pub(crate) asked: Vec<Asked>,
    /// Which markets have statistical models.
    pub(crate) models: ModelMarkets,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) weather: Option<Weather>,
    /// Set from outside to end it, at any time.
    pub(crate) stop: Arc<AtomicBool>,
}

/// Up to this many markets have order books unless told otherwise: each takes a snapshot of weight 20 and some ten frames a
/// second.
const BOOKS_AUTO: usize = 20;
/// Up to this many markets are asked for ratios unless told otherwise: four requests each in five minutes, half of what the
/// venue allows.
const RATIOS_AUTO: usize = 100;
/// Changes of the configuration that may wait for the next second.
const CHANGES_MAX: usize = 64;
/// How soon a start sees that it is to end.
const STOP_LOOK_EVERY: Duration = Duration::from_millis(50);
/// Levels a side kept of a book: what venues send as their deepest cheap snapshot.
const BOOK_DEPTH: usize = 1_000;

/// A running process.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) service: Arc<Service>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the fault simulation looks at books through it"))]
    pub(crate) board: Arc<Board>,
    pub(crate) net: Arc<Net>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) room: Option<Arc<Room>>,
    pub(crate) changes: mpsc::SyncSender<Change>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) thread: JoinHandle<Result<(), Failure>>,
    pub(crate) config: LiveConfig,
    #[cfg(test)]
    pub(crate) kill: Arc<AtomicBool>,
}

/// The core thread has made its markets.
struct Begun {
    #[cfg(test)]
    kill: Arc<AtomicBool>,
}

/// Starts everything; the caller serves and stops it.
pub(crate) fn start(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    wish: Wish,
    open: impl FnOnce() -> Result<(Box<dyn Reader>, Box<dyn Writer>), Failure>,
) -> Result<Running, Failure> {
    let mut err = std::io::stderr();
    let mut journal_config = JournalConfig::new(journal_folder(&settings.data));
    // What may be lost is counted in real time, the stamps run in the clock's.
    let faster = wish.clock.rate().max(1.0);
    for span in [&mut journal_config.flush_every, &mut journal_config.sync_every] {
        #[expect(clippy::cast_possible_truncation, reason = "seconds times a hundred at most")]
        let scaled = (span.as_secs_f64() * faster * 1e9) as i64;
        *span = Span(scaled);
    }
    // Looked at before it is taken: what cannot be listened to leaves no folder behind.
    let recovered = survey(&journal_config.root).map_err(|e| Failure::broken(chain(&e)))?;
    for tail in recovered.unclosed.iter().filter(|t| t.bytes_lost > 0) {
        let path = tail.path.display();
        writeln!(err, "barograph: [MKT] {path} was cut off by a crash: {} bytes lost", tail.bytes_lost)?;
    }
    let now = wish.clock.now();
    if let Some(last) = recovered.last.filter(|last| *last > now + Span::secs(5)) {
        return Err(Failure::broken(format!(
            "the journal goes up to {last}, but the clock says {now}; set the clock, or begin in another folder with --data"
        )));
    }
    let setup = Setup::new(settings, barograph_venues::policy::text())?;
    let after = recovered.last.unwrap_or(Ts(0));
    let (stamper, receiver) = inbox(Arc::clone(&wish.clock), Bounds::default(), after);
    let first_conn = crate::live::replay::next_conn(&settings.data)?;
    let options = Options { first_conn, ..Options::default() };
    let sockets = Sockets::new()?;
    let net = Net::start(sockets.handle(), Arc::clone(&wish.clock), stamper.clone(), &options)
        .map_err(|e| Failure::broken(chain(&e)))?;
    let net = Arc::new(net);
    let config = runtime.block_on(async {
        tokio::select! {
            config = configure(&net, &setup, &wish, settings) => config,
            () = told_to_stop(&wish.stop) => Err(Failure::Stopped),
        }
    })?;
    let ids: Vec<&'static str> = wish.asked.iter().map(|a| a.def.id).collect();
    let (board, meter) = (Arc::new(Board::default()), Arc::new(Meter::new(&ids)));
    std::fs::create_dir_all(&settings.data).map_err(|e| {
        Failure::broken(format!(
            "cannot make the data folder {}: {e}; choose another with --data",
            settings.data.display()
        ))
    })?;
    let (reader, writer) = open()?;
    let published = Published::load(reader.as_ref(), &setup.logic_version)?;
    let (journal, _) =
        JournalWriter::open(journal_config.clone(), wish.clock.now()).map_err(|e| Failure::broken(chain(&e)))?;
    let target = crate::commands::target(settings);
    let handle = runtime.handle().clone();
    let room = Room::open(settings, &target, &setup.book, Arc::clone(&wish.clock), handle)?;
    let plan = Plan {
        data: settings.data.clone(),
        setup,
        config: config.clone(),
        clock: Arc::clone(&wish.clock),
        keep: Keep {
            store: settings.retention(),
            books_every: settings.book_interval,
            journal: journal_config.root,
            journal_age: settings.keep_journal_days,
            journal_bytes: settings.journal_bytes_max(),
        },
        calendar: settings.calendar.clone(),
        room: room.clone(),
        published,
    };
    let (kept, stopped) = (plan.keep.clone(), Arc::clone(&wish.stop));
    let storing = Storing::start(writer, Arc::clone(&meter), kept, stopped, room.clone())?;
    let view = LiveView {
        board: Arc::clone(&board),
        meter: Arc::clone(&meter),
        net: Arc::clone(&net),
        stamper: stamper.clone(),
        origin: config.origin.clone(),
        room: room.clone(),
    };
    let default_venue = settings.default_venue.as_str().to_owned();
    let service = Arc::new(Service::new(
        reader,
        Arc::clone(&wish.clock),
        Some(Box::new(view)),
        book_id(settings)?,
        default_venue,
    )?);
    let network =
        Network { net: Arc::clone(&net), runtime: sockets.handle(), stamper: stamper.clone(), inbox: receiver };
    let stop = wish.stop;
    let (changes, asked) = mpsc::sync_channel(CHANGES_MAX);
    let (ready, prepared) = mpsc::sync_channel(1);
    let (told, shown, counted, weather) = (Arc::clone(&stop), Arc::clone(&board), Arc::clone(&meter), wish.weather);
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
            process.tell_weather(tell);
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
    let thread = std::thread::Builder::new().name("core".to_owned()).spawn(run).map_err(Failure::broken)?;
    let Ok(begun) = prepared.recv() else {
        let ended =
            thread.join().map_err(|_panic| Failure::broken("the live process ended while it began; this is a bug"))?;
        return Err(ended.err().unwrap_or(Failure::Stopped));
    };
    let Begun {
        #[cfg(test)]
        kill,
    } = begun;
    Ok(Running {
        service,
        board,
        net,
        meter,
        room,
        changes,
        stop,
        thread,
        config,
        #[cfg(test)]
        kill,
    })
}

/// Sockets have one thread of their own: handing ready ones from thread to thread costs more than reading them, and what is
/// served over HTTP delays no receive stamp.
struct Sockets(Option<tokio::runtime::Runtime>, tokio::runtime::Handle);

impl Sockets {
    fn new() -> Result<Self, Failure> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("sockets").enable_all().build().map_err(Failure::broken)?;
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

/// Resolves soon after it is told to stop.
async fn told_to_stop(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_LOOK_EVERY).await;
    }
}

async fn configure(net: &Net, setup: &Setup, wish: &Wish, settings: &Settings) -> Result<LiveConfig, Failure> {
    let mut venues = Vec::new();
    let mut origin = None;
    for asked in &wish.asked {
        let index = net.add_venue(asked.def.id, (asked.def.limits)());
        origin = origin.or(origin_of(net, index, &asked.endpoints).await?);
        let all = discover::list(net, index, asked.def, &asked.endpoints).await?;
        let markets = discover::choose(asked.def.id, &all, &asked.choice)?;
        let (some, all) = (markets.len(), all.len());
        drop(writeln!(std::io::stderr(), "{}: listening to {some} of {all} market{}", asked.def.id, plural(all)));
        let mut metrics = settings.metrics.names.clone();
        if settings.books.unwrap_or(markets.len() <= BOOKS_AUTO) {
            metrics.push(Metric::Book);
        }
        if settings.metrics.ratios && markets.len() <= RATIOS_AUTO {
            metrics.extend(RATIOS);
        }
        metrics.sort_unstable();
        metrics.dedup();
        venues.push(VenueConfig {
            id: asked.def.id.to_owned(),
            session: SessionConfig {
                endpoints: asked.endpoints.clone(),
                backfill: settings.backfill.unwrap_or_else(|| backfill_for(markets.len())),
                markets,
                metrics,
                book_depth: BOOK_DEPTH,
                poll_every: settings.poll_interval,
                polls_every: settings.poll_intervals.clone(),
                polls_in_flight_max: u32::try_from(settings.max_concurrent_checks).unwrap_or(5),
                trade_side_is_maker: settings.coinbase_trade_side,
            },
        });
    }
    let names: Vec<InstrumentName> = venues
        .iter()
        .flat_map(|v: &VenueConfig| v.session.markets.iter().map(|m| InstrumentName::new(&v.id, &m.symbol)))
        .collect::<Result<_, _>>()
        .map_err(Failure::broken)?;
    let watch = settings.watch.found_in(&names, settings.default_venue.as_str()).map_err(Failure::usage)?;
    Ok(LiveConfig {
        models: wish.models.clone(),
        watch,
        spot_pairs: settings.spot_pairs.clone(),
        logic_version: setup.logic_version.clone(),
        book: setup.book.name.clone(),
        book_text: setup.book_text.clone(),
        venues,
        origin,
    })
}

/// How long the built-in venue server is waited for.
const ORIGIN_WITHIN: Duration = Duration::from_secs(2);

/// The built-in venue server says what its world is; nobody else is asked.
async fn origin_of(net: &Net, index: u8, endpoints: &Endpoints) -> Result<Option<String>, Failure> {
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
pub(crate) fn endpoints(def: &VenueDef, given: &[String]) -> Result<Endpoints, Failure> {
    for one in given {
        let (id, url) = one
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("endpoint '{one}': write VENUE=http://host:port/path")))?;
        if venue(id).is_none() {
            return Err(Failure::usage(no_such_venue(id)));
        }
        if id == def.id {
            let (rest, ws) = url.split_once('|').map_or((url, None), |(rest, ws)| (rest, Some(ws)));
            let rest = rest.trim_end_matches('/');
            let derived = rest
                .strip_prefix("https://")
                .map(|rest| format!("wss://{rest}"))
                .or_else(|| rest.strip_prefix("http://").map(|rest| format!("ws://{rest}")))
                .ok_or_else(|| {
                    Failure::usage(format!("endpoint '{one}': the address begins with http:// or https://"))
                })?;
            let ws = ws.map_or(derived, |w| w.trim_end_matches('/').to_owned());
            return Ok(Endpoints { rest: rest.to_owned(), ws });
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
