//! One file per command; this is the switch.

mod advise;
mod alerts;
mod analyze;
mod asking;
mod cases;
mod catalogue;
mod collect;
mod contest;
mod context;
mod cross_venue;
mod db;
mod demo;
mod doctor;
mod events;
mod freshness;
mod kpi;
#[cfg(feature = "lab")]
mod lab;
#[cfg(feature = "lab")]
mod lab_pair;
#[cfg(feature = "lab")]
mod lab_worth;
#[cfg(feature = "lab")]
mod lake;
#[cfg(feature = "lab")]
mod lake_copies;
#[cfg(feature = "lab")]
mod lake_events;
#[cfg(feature = "lab")]
mod lake_follow;
#[cfg(feature = "lab")]
mod lake_gold;
#[cfg(feature = "lab")]
mod lake_minutes;
mod levels;
mod listened;
mod markets;
#[cfg(feature = "mcp")]
mod mcp;
mod narrative;
mod onchain;
mod one_event;
mod options;
mod paper;
mod positions;
pub(crate) mod replay;
mod rules;
mod scores;
pub(crate) mod serve;
mod sessions;
mod signals;
mod sim;
mod similar;
mod tiers;
mod token;
mod universe;
pub(crate) mod up;
mod verify;
mod watch;

use crate::cli::{Cli, Command, ConfigCommand, OptionsCommand};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_api::resolve as resolve_name;
use barograph_domain::{InstrumentName, Ts};
use barograph_query::service::{configured_run, other_book};
use barograph_store::RunInfo;
use std::io::Write as _;
use std::path::Path;

/// `asked`: the moment of `--as-of`, which must not lie ahead of the clock of the data folder.
pub(crate) fn run(cli: Cli, asked: Option<Ts>) -> Result<(), Failure> {
    let flags = match &cli.command {
        Command::Serve(s) => vec![("listen", s.listen.clone())],
        Command::Demo(d) => vec![("listen", d.listen.clone())],
        Command::Up(up) => up.settings(),
        Command::Collect(c) if c.sources.is_empty() => c.up().settings(),
        Command::Collect(c) => vec![("models", c.live.models.clone())],
        Command::Replay(r) => vec![("models", r.models.clone())],
        Command::Markets(m) => m.up().settings(),
        Command::Doctor(d) => d.up().settings(),
        Command::Options { command: OptionsCommand::Fetch(f) } => f.settings(),
        Command::Tiers(t) => vec![("endpoints", t.endpoints.clone())],
        Command::CrossVenue(c) => vec![("listen", c.listen.clone())],
        _ => Vec::new(),
    };
    let settings = Settings::load(&cli.common, flags)?;
    // What only names the folder, or looks at what is wrong, goes on.
    if !matches!(&cli.command, Command::Config { .. } | Command::Doctor(_) | Command::Sim(_)) {
        crate::network_folder::refuse(&settings.data)?;
    }
    if let Some(moment) = asked {
        let now = crate::clock::now_in(&settings.data);
        moment.asked_at(now).map_err(|why| Failure::usage(format!("--as-of: {why}")))?;
    }
    let json = cli.common.json;
    report_dotenv(&cli.command);
    match &cli.command {
        Command::Up(_) => settings.must_monitor()?,
        Command::Collect(c) if c.sources.is_empty() => settings.must_monitor()?,
        // What answers from the calendar or from positions must not answer without them.
        Command::Context(_)
        | Command::Advise(_)
        | Command::Positions { .. }
        | Command::Portfolio(_)
        | Command::Calendar(_)
        | Command::Serve(_) => settings.check_files()?,
        #[cfg(feature = "mcp")]
        Command::Mcp(_) => settings.check_files()?,
        _ => {}
    }
    // The parts of a cluster wait for a database that is away, and look at it then.
    let waits = matches!(&cli.command, Command::Up(_)) && settings.role != crate::role::ClusterRole::All;
    if !waits && matches!(&cli.command, Command::Up(_) | Command::Serve(_) | Command::Context(_)) {
        contest::check(&settings)?;
    }
    match cli.command {
        Command::Sim(args) => sim::run(&args),
        Command::Up(args) => up::run(&args, &settings),
        Command::Demo(args) => demo::run(&args, &settings, json),
        Command::Replay(args) => replay::run(&args, &settings, &cli.common, json),
        Command::Collect(args) => collect::run(&args, &settings, json),
        Command::Context(args) => context::run(&args, &settings, json),
        Command::Analyze(args) => analyze::run(&args, &settings, json),
        Command::Advise(args) => advise::run(&args, &settings, json),
        Command::Token { command } => token::run(&command, &settings, json),
        Command::Alerts { command } => alerts::run(&command, &settings, json),
        Command::Positions { command } => positions::run(&command, &settings, json),
        Command::Signals { command } => signals::run(&command, &settings, json),
        Command::Onchain { command } => onchain::run(&command, &settings, json),
        Command::Options { command } => options::run(&command, &settings, json),
        Command::Tiers(args) => tiers::run(&args, &settings, json),
        Command::CrossVenue(args) => cross_venue::run(&args, &settings, json),
        Command::Cases(args) => cases::run(&args, &settings, json),
        Command::Similar(args) => similar::run(&args, &settings, json),
        Command::Freshness(args) => freshness::run(&args, &settings, json),
        Command::Events(args) => events::run(&args, &settings, json),
        Command::Levels(args) => levels::run(&args, &settings, json),
        Command::Universe(args) => universe::universe(&args, &settings, json),
        Command::Portfolio(args) => universe::portfolio(&args, &settings, json),
        Command::Kpi(args) => kpi::run(&args, &settings, &cli.common, json),
        Command::Narrative(args) => narrative::run(&args, &settings, json),
        Command::Paper(args) => paper::run(&args, &settings, json),
        Command::Calendar(args) => universe::calendar(&args, &settings, json),
        Command::Markets(args) => markets::run(&args, &settings, json),
        Command::Doctor(args) => doctor::run(&args, &settings, json),
        Command::Sessions(args) => sessions::run(&args, &settings, json),
        Command::Features { id } => catalogue::run(id.as_deref(), &settings, json),
        Command::Rules { command } => rules::run(&command, &settings, json),
        Command::Contest(args) => contest::run(&args, &settings, json),
        Command::Scorecard(args) => scores::scorecard(&args, &settings, json),
        Command::Drift(args) => scores::drift(&args, &settings, json),
        Command::Forecasts(args) => scores::forecasts(&args, &settings, json),
        Command::Verify { command } => verify::run(&command, &settings, json),
        #[cfg(feature = "lab")]
        Command::Lake { command } => lake::run(&command, &settings, json),
        #[cfg(feature = "lab")]
        Command::Lab { command } => lab::run(&command, &settings, json),
        #[cfg(not(feature = "lab"))]
        Command::Lake(_) | Command::Lab(_) => Err(not_built("the lab and its lake")),
        Command::Db { command } => db::run(&command, &settings, json),
        Command::Config { command: ConfigCommand::Show } => show_config(&settings, json),
        Command::Watch(args) => watch::run(args, &settings, json),
        Command::Serve(_) => serve::run(&settings),
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => mcp::run(&args, &settings, json),
        #[cfg(not(feature = "mcp"))]
        Command::Mcp(_) => Err(not_built("tools for language models")),
    }
}

/// What the program was built without, for a short first build.
#[cfg(not(all(feature = "lab", feature = "mcp")))]
fn not_built(what: &str) -> Failure {
    let way = barograph_lake::WHOLE_PROGRAM;
    Failure::usage(format!("make run built this program without {what}, for a short first build: {way}"))
}

/// Says before a command that listens, stores or delivers that it does so without what a `.env` sets.
fn report_dotenv(command: &Command) {
    use Command::{Alerts, Collect, Config, Db, Serve, Up};
    let unread = matches!(command, Up(_) | Collect(_) | Serve(_) | Alerts { .. } | Db { .. } | Config { .. })
        .then(crate::config::dotenv::unread)
        .flatten();
    if let Some(text) = unread {
        // Standard error may be closed; the command goes on without it.
        drop(writeln!(std::io::stderr(), "{text}"));
    }
}

fn show_config(settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for (key, value, origin) in settings.all() {
        if json {
            let line = serde_json::json!({ "key": key.name, "value": value, "origin": origin.to_string(), "meaning": key.meaning });
            writeln!(out, "{line}")?;
        } else {
            let value = if value.is_empty() { "(none)" } else { &value };
            let line = format!("{:<20} {value:<32} {origin}", key.name);
            if line.chars().count() <= 80 {
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "{:<20} {value}\n{:<20} {origin}", key.name, "")?;
            }
        }
    }
    for noted in &settings.written.noted {
        let (value, origin) = (&noted.value, noted.origin.to_string());
        if json {
            let line = serde_json::json!({
                "key": noted.key, "value": value, "origin": origin, "meaning": noted.meaning, "sets": noted.sets,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{} = {value} ({origin})\n    {}", noted.key, noted.meaning)?;
        }
    }
    // Who receives alerts is no setting of one value; what limits them is.
    for receiver in settings.receivers()? {
        let Some(budget) = receiver.budget else { continue };
        let key = format!("receiver.{}.budget", receiver.name);
        if json {
            let meaning = "most alerts that this receiver is sent within the time";
            let line = serde_json::json!({ "key": key, "value": budget.to_string(), "meaning": meaning });
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{key:<20} {budget}")?;
        }
    }
    Ok(())
}

/// The market a person means; the original commands' bare symbols prefer the default venue.
fn resolve(known: &[InstrumentName], settings: &Settings, name: &str, alias: bool) -> Result<InstrumentName, Failure> {
    resolve_name(known, settings.default_venue.as_str(), name, alias).map_err(|e| match e {
        barograph_api::QueryError::UnknownSymbol { name, nearest } if !nearest.is_empty() => {
            Failure::usage(format!("'{name}' is not in the data folder — did you mean {}?", nearest.join(" or ")))
        }
        barograph_api::QueryError::UnknownSymbol { name, .. } if known.is_empty() => Failure::usage(format!(
            "there is no MetricPoint data in the data folder, so nothing is known about '{name}'; record with: barograph collect --symbol {name}; or import files with --source PATH"
        )),
        barograph_api::QueryError::UnknownSymbol { name, .. } => {
            Failure::usage(format!("'{name}' is not in the data folder; see what is with: barograph markets"))
        }
        other => Failure::usage(other),
    })
}

/// A market that is stored, by whatever name.
fn market(reader: &dyn barograph_store::Reader, settings: &Settings, name: &str) -> Result<InstrumentName, Failure> {
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    resolve(&known, settings, name, false)
}

/// The run of the configured book. Where only other books have rows of the market the refusal says which, else `none`.
fn own_run<'a>(
    runs: &'a [RunInfo],
    market: &InstrumentName,
    settings: &Settings,
    none: impl FnOnce(&str) -> Failure,
) -> Result<&'a RunInfo, Failure> {
    let book = crate::setup::book_id(settings)?;
    configured_run(runs, market, &book).ok_or_else(|| match other_book(runs, Some(market), &book) {
        Some(other) => advise::refused(other),
        None => none(&settings.book),
    })
}

/// The store that the settings name: a server, or the data folder.
pub(crate) fn target(settings: &Settings) -> barograph_store::StoreTarget {
    match &settings.db_url {
        Some(url) => barograph_store::StoreTarget::Postgres(url.clone()),
        None => barograph_store::StoreTarget::Folder(settings.data.clone()),
    }
}

/// Opens that store for reading; says what to do where there is no database yet.
pub(crate) fn reader(settings: &Settings) -> Result<Box<dyn barograph_store::Reader>, Failure> {
    match target(settings) {
        barograph_store::StoreTarget::Folder(data) => Ok(Box::new(open_reader(&data)?)),
        server @ barograph_store::StoreTarget::Postgres(_) => Ok(barograph_store::open_reader(&server)?),
    }
}

/// Opens a folder for reading; says what to do where there is no database yet.
fn open_reader(data: &Path) -> Result<barograph_store::SqliteReader, Failure> {
    barograph_store::SqliteReader::open(data).map_err(|e| {
        if data.exists() {
            Failure::from(e)
        } else {
            Failure::usage(format!(
                "there is no data folder {} yet; record with: barograph up; or import files with: barograph collect --source PATH",
                data.display()
            ))
        }
    })
}
