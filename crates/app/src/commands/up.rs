//! `up`: listen to venues, keep the record, serve.

use crate::cli::Up;
use crate::clock::{Clock, SystemClock};
use crate::commands::serve::{bind, runtime, serve_live, watch_for_stop};
use crate::config::Settings;
use crate::failure::Failure;
use crate::live::config::no_such_venue;
use crate::live::discover::{Choice, Wanted};
use crate::live::start::{Asked, Wish, endpoints, start};
use crate::term::plural;
use crate::universe::WatchMarkets;
use barograph_domain::{Metric, Span};
use barograph_engine::models::ModelMarkets;
use barograph_engine::models::policy::MARKETS_MAX;
use barograph_store::{Reader, Role, Writer, open_reader, open_writer_patient_for, show_basis_every};
use barograph_venues::session::venue;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Ratios of accounts and positions, which some venues publish.
pub(crate) const RATIOS: [Metric; 4] =
    [Metric::TopTraderAccountRatio, Metric::TopTraderPositionRatio, Metric::LongShortRatio, Metric::TakerVolumeRatio];
/// Streams of a live market, order books and ratios aside.
const METRICS: [Metric; 9] = [
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

pub(crate) fn run(args: &Up, settings: &Settings) -> Result<(), Failure> {
    let runtime = runtime()?;
    let wish = Wish { stop: watch_for_stop(&runtime), ..wish(args, settings, Arc::new(SystemClock))? };
    let again = args.clone();
    let listener = if args.no_serve { None } else { Some(bind(&runtime, settings.listen()?)?) };
    let running = start(&runtime, settings, wish, || open_store(settings))?;
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
    open_writer_patient_for(&super::target(settings), &Role::ALL, PATIENCE)
}

/// Both halves, where the writing one is open.
pub(crate) fn store_of(settings: &Settings, writer: Box<dyn Writer>) -> Result<Store, Failure> {
    let target = super::target(settings);
    show_basis_every(&target, settings.whole("basis_interval", Span::mins(1))?)?;
    Ok((open_reader(&target)?, writer))
}

fn real(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.0).unwrap_or(0))
}

/// What is listened to, from flags and settings.
pub(crate) fn wish(args: &Up, settings: &Settings, clock: Arc<dyn Clock>) -> Result<Wish, Failure> {
    let asked = asked(args, settings)?;
    let days = |key: &str| settings.number(key).map(|n| Span::days(i64::try_from(n).unwrap_or(i64::from(u16::MAX))));
    let backfill = backfill(settings.text("backfill")).map_err(Failure::usage)?;
    let books = match settings.text("books") {
        "auto" => None,
        word => Some(word == "on"),
    };
    Ok(Wish {
        data: settings.data(),
        asked,
        metrics: metrics(settings.text("metrics")).map_err(Failure::usage)?,
        books,
        backfill,
        models: settings.models()?.unwrap_or(ModelMarkets::First(MARKETS_MAX)),
        watch: WatchMarkets::of(settings)?,
        spot_pairs: settings.spot_pairs()?,
        poll_every: settings.whole("poll_interval", Span::secs(1))?,
        polls_every: poll_intervals(settings.text("poll_intervals")).map_err(Failure::usage)?,
        ratios: settings.text("metrics") == "all",
        polls_in_flight_max: u32::try_from(settings.number("max_concurrent_checks")?).unwrap_or(5),
        trade_side_is_maker: settings.text("coinbase_trade_side") == "maker",
        keep: (
            settings.retention()?,
            days("keep_journal_days")?,
            (settings.number("keep_journal_gb")? as u64).saturating_mul(1_000_000_000),
        ),
        books_every: settings.whole("book_interval", Span::secs(1))?,
        clock,
        weather: None,
        stop: Arc::default(),
    })
}

/// How much history is fetched at the first start; none leaves it to the command.
pub(crate) fn backfill(text: &str) -> Result<Option<Span>, String> {
    match text {
        "auto" => Ok(None),
        "0" | "none" => Ok(Some(Span::ZERO)),
        text => Span::parse(text).map(Some).map_err(|why| format!("{why}, or auto, or 0")),
    }
}

/// Intervals of what is polled, by name: `open_interest=30s,long_short_ratio=5m`.
pub(crate) fn poll_intervals(text: &str) -> Result<Vec<(Metric, Span)>, String> {
    let one = |part: &str| {
        let (name, every) =
            part.split_once('=').ok_or_else(|| format!("'{part}': write name=time, as in open_interest=30s"))?;
        let metric = Metric::from_name(name.trim()).filter(|m| POLLED.contains(m)).ok_or_else(|| {
            let known: Vec<&str> = POLLED.iter().map(|m| m.name()).collect();
            format!("'{}' is not polled; what can be is {}", name.trim(), known.join(", "))
        })?;
        let every = Span::parse(every.trim()).map_err(|why| format!("{}: {why}", metric.name()))?;
        if every < Span::secs(1) {
            return Err(format!("{}: a second at least", metric.name()));
        }
        Ok((metric, every))
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

/// What venues are asked for again and again.
const POLLED: [Metric; 5] = [
    Metric::OpenInterest,
    Metric::TopTraderAccountRatio,
    Metric::TopTraderPositionRatio,
    Metric::LongShortRatio,
    Metric::TakerVolumeRatio,
];

/// Streams by name.
pub(crate) fn metrics(text: &str) -> Result<Vec<Metric>, String> {
    if text == "all" {
        return Ok(METRICS.to_vec());
    }
    let names = text.split(',').map(str::trim).filter(|s| !s.is_empty());
    let one = |name: &str| {
        let all = || METRICS.iter().chain(&RATIOS);
        Metric::from_name(name).filter(|m| all().any(|known| known == m)).ok_or_else(|| {
            let known: Vec<&str> = all().map(|m| m.name()).collect();
            format!("'{name}' is no stream; write all, or some of {}", known.join(", "))
        })
    };
    let chosen: Vec<Metric> = names.map(one).collect::<Result<_, _>>()?;
    if chosen.is_empty() { Err("name at least one, or write all".to_owned()) } else { Ok(chosen) }
}

/// Least volume of a market that is listened to, quote units a day.
pub(crate) fn volume_min(text: &str) -> Result<f64, String> {
    let known = text.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
    known.ok_or_else(|| format!("'{text}' is not a number from 0 up"))
}

/// Venues with their addresses and the choice of markets, from flags and settings.
pub(crate) fn asked(args: &Up, settings: &Settings) -> Result<Vec<Asked>, Failure> {
    let list = |key: &str| -> Vec<String> {
        settings.text(key).split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
    };
    let kind = settings.text("market_type");
    let kind = Wanted::parse(kind)
        .ok_or_else(|| Failure::usage(format!("market_type '{kind}': write spot, futures or both")))?;
    let volume_min = volume_min(settings.text("min_volume_24h")).map_err(Failure::usage)?;
    let symbols = if args.all { Vec::new() } else { list("symbols") };
    if symbols.is_empty() && !args.all {
        return Err(Failure::usage("no symbols to listen to; name some with --symbols, or give --all"));
    }
    let quote = Some(settings.text("quote").to_owned()).filter(|q| !q.is_empty());
    let mut asked = Vec::new();
    for id in list("venues") {
        let def = venue(&id).ok_or_else(|| Failure::usage(no_such_venue(&id)))?;
        // A venue of spot markets has no others to choose from.
        let spot = def.trades == barograph_domain::MarketKind::Spot;
        asked.push(Asked {
            def,
            endpoints: endpoints(def, settings.text("endpoints"))?,
            choice: Choice {
                symbols: symbols.clone(),
                quote: quote.clone(),
                kind: if spot { Wanted::Both } else { kind },
                volume_min,
                markets_max: settings.number("markets_max")?,
            },
        });
    }
    if asked.is_empty() {
        return Err(Failure::usage("no venue to listen to; name one with --venue, as in binance-usdm"));
    }
    Ok(asked)
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
