//! `up`: listen to venues, keep the record, serve.

use crate::cli::Up;
use crate::clock::{Clock, SystemClock};
use crate::commands::serve::{bind, runtime, serve_live, watch_for_stop};
use crate::config::Settings;
#[cfg(feature = "mcp")]
use crate::config::sources::SetPlace;
use crate::config::sources::SetSource;
use crate::failure::Failure;
use crate::term::plural;
use barograph_domain::Span;
use barograph_engine::models::ModelMarkets;
use barograph_engine::models::policy::MARKETS_MAX;
use barograph_live::config::{no_such_venue, venue_of};
use barograph_live::discover::{Choice, Wanted};
use barograph_live::start::{Asked, CalledVenue, LiveRequest, endpoints, start};
#[cfg(feature = "mcp")]
use barograph_mcp::{ServerPlace, SourceServer};
use barograph_store::{Reader, Writer, WriterRole, open_reader, open_writer_patient_for, show_basis_every};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn run(args: &Up, settings: &Settings) -> Result<(), Failure> {
    #[cfg(feature = "cluster")]
    return crate::cluster::run(settings.role, args, settings);
    #[cfg(not(feature = "cluster"))]
    if settings.role == crate::role::ClusterRole::All {
        alone(args, settings)
    } else {
        Err(Failure::usage("role: this program is no part of a cluster; `make build` builds one that can be"))
    }
}

/// One process that does everything.
pub(crate) fn alone(args: &Up, settings: &Settings) -> Result<(), Failure> {
    let runtime = runtime()?;
    let request = LiveRequest { stop: watch_for_stop(&runtime), ..request(args, settings, Arc::new(SystemClock))? };
    let again = args.clone();
    let listener = if args.no_serve { None } else { Some(bind(&runtime, settings.listen()?)?) };
    let running = start(&runtime, settings.live(), request, || Ok(open_store(settings)?))?;
    let choose = Box::new(move |settings: &Settings| asked(&again, settings));
    let door = listener.map(super::serve::Door::New);
    serve_live(&runtime, settings, door, running, choose, args.for_time.map(real))
}

/// How long one call waits for a server that has gone away.
const PATIENCE: Duration = Duration::from_secs(1);

/// One side that reads and one that writes.
pub(crate) type Store = (Box<dyn Reader>, Box<dyn Writer>);

/// The store, for reading and for writing in all roles.
pub(crate) fn open_store(settings: &Settings) -> Result<Store, Failure> {
    let writer = open_writing(settings)?;
    store_of(settings, writer)
}

/// The writing half of it.
pub(crate) fn open_writing(settings: &Settings) -> Result<Box<dyn Writer>, barograph_store::Error> {
    // The thread that writes asks again by itself, and sees when the process is to end.
    open_writer_patient_for(&super::target(settings), &WriterRole::ALL, PATIENCE)
}

/// Both halves, where the writing one is open.
pub(crate) fn store_of(settings: &Settings, writer: Box<dyn Writer>) -> Result<Store, Failure> {
    let target = super::target(settings);
    show_basis_every(&target, settings.basis_interval)?;
    Ok((open_reader(&target)?, writer))
}

pub(crate) fn real(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.0).unwrap_or(0))
}

/// What is listened to, from flags and settings.
pub(crate) fn request(args: &Up, settings: &Settings, clock: Arc<dyn Clock>) -> Result<LiveRequest, Failure> {
    let asked = asked(args, settings)?;
    Ok(LiveRequest {
        asked,
        models: settings.models()?.unwrap_or(ModelMarkets::First(MARKETS_MAX)),
        // Commands beside a world of another pace judge by its clock.
        clock: crate::clock::shown(clock, &settings.data),
        weather: None,
        stop: Arc::default(),
    })
}

/// Venues with their addresses and the choice of markets, from flags and settings.
pub(crate) fn asked(args: &Up, settings: &Settings) -> Result<Vec<Asked>, Failure> {
    let symbols = if args.all { Vec::new() } else { settings.symbols.clone() };
    if symbols.is_empty() && !args.all {
        return Err(Failure::usage("no symbols to record; name some with --symbols, or give --all"));
    }
    let (mut asked, sources) = (Vec::new(), settings.sources()?);
    for id in &settings.venues {
        let source = sources.iter().find(|source| source.venue == *id);
        let def = venue_of(id, source.is_some()).ok_or_else(|| Failure::usage(absent(id)))?;
        // A venue of spot markets has no others to choose from.
        let spot = def.trades == barograph_domain::MarketKind::Spot;
        // The markets of a source are those of its table, unless somebody named some.
        let own = source.filter(|_| !args.all && settings.is_default("symbols"));
        let symbols = own.map_or_else(|| symbols.clone(), |own| own.markets.iter().map(|m| m.symbol.clone()).collect());
        asked.push(Asked {
            def,
            endpoints: endpoints(def, &settings.endpoints)?,
            choice: Choice {
                symbols,
                quote: settings.quote.clone(),
                kind: if spot { Wanted::Both } else { settings.market_type },
                volume_min: settings.min_volume_24h,
                markets_max: settings.markets_max,
            },
            called: source.map(called).transpose()?,
        });
    }
    if asked.is_empty() {
        return Err(Failure::usage("no venue to record; name one with --venue, as in binance-usdm"));
    }
    Ok(asked)
}

/// What to say of a venue that nobody knows.
fn absent(id: &str) -> String {
    if barograph_venues::mcp::trades(id).is_some() {
        return format!("no [[mcp_source]] of the settings has venue = \"{id}\"; see docs/sources.md");
    }
    no_such_venue(id)
}

/// Who calls the tools of a server, and what.
#[cfg(feature = "mcp")]
fn called(source: &SetSource) -> Result<CalledVenue, Failure> {
    let place = match source.place.clone() {
        SetPlace::Program(command, environment) => ServerPlace::Program { command, environment },
        SetPlace::Address(url, token) => ServerPlace::Address { url, token },
    };
    let caller = SourceServer::new(place, source.markets.clone());
    Ok(CalledVenue { source: source.source.clone(), caller: Arc::new(caller) })
}

#[cfg(not(feature = "mcp"))]
fn called(source: &SetSource) -> Result<CalledVenue, Failure> {
    Err(Failure::usage(format!(
        "{}: this program calls no tools of others; `make build` builds one that does",
        source.venue
    )))
}

/// Where to look, once it runs.
pub(crate) fn greet(addr: std::net::SocketAddr, markets: usize) -> Result<(), Failure> {
    let mut err = std::io::stderr().lock();
    let what = if barograph_api::page_is_built() { "the dashboard is on" } else { "the API is on" };
    writeln!(err, "listening to {markets} market{}; {what} http://{addr}/; stop with Ctrl-C", plural(markets))?;
    if !addr.ip().to_canonical().is_loopback() {
        writeln!(err, "answers are not encrypted: put a proxy that speaks TLS before {addr}")?;
    }
    Ok(())
}
