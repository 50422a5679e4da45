//! `advise`: what a trade in mind is walking into. Exit 1 when the verdict is AVOID.

use crate::advice::{print, rules};
use crate::cli::Advise;
use crate::clock::FolderClock;
use crate::commands::{listened, reader, target};
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::book_id;
use crate::term::Paint;
use barograph_api::{AskPositions as _, QueryError};
use barograph_domain::InstrumentName;
use barograph_domain::advice::{AdviceView, Verdict};
use barograph_engine::rules::RuleBook;
use barograph_query::positions::PositionDesk;
use barograph_query::recorded::day;
use barograph_query::service::{Service, reach};
use std::io::Write as _;
use std::sync::Arc;

pub(crate) fn run(args: &Advise, settings: &Settings, json: bool) -> Result<(), Failure> {
    let view = service(settings)?.advise(&args.request(), args.as_of).map_err(refused)?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &view).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        if args.as_of.is_none() {
            write!(out, "{}", of_recording(&view, settings)?)?;
        }
        write!(out, "{}", print::advice(&view, Paint::detect()))?;
        if let Some(moment) = args.as_of.filter(|_| view.snapshot.is_none()) {
            let market = InstrumentName::parse(&view.instrument).map_err(Failure::broken)?;
            if let Some((first, _)) = reach(reader(settings)?.runs_of(&market, None)?.iter()) {
                writeln!(out, " nothing was known at {moment}: data begin at {first}")?;
            }
        }
    }
    out.flush()?;
    // The answer is on standard output; the code says what it says.
    if view.verdict == Verdict::Avoid { Err(Failure::No(String::new())) } else { Ok(()) }
}

/// The first line of an answer about a recording that has ended: a trade now cannot be judged by an old reading.
fn of_recording(view: &AdviceView, settings: &Settings) -> Result<String, Failure> {
    let market = InstrumentName::parse(&view.instrument).map_err(Failure::broken)?;
    let Some(price) = view.market else { return Ok(String::new()) };
    let Some(until) = listened::ends(reader(settings)?.as_ref(), settings, &market, price.at)? else {
        return Ok(String::new());
    };
    let day = day(until);
    Ok(format!(
        "Recorded until {day}: nothing is known of now. By its last reading: --as-of {}\n",
        until + barograph_store::run::GRID
    ))
}

/// The same service that answers over HTTP, over what is stored.
pub(super) fn service(settings: &Settings) -> Result<Service, Failure> {
    let rules = rules(settings);
    let venue = settings.default_venue.as_str().to_owned();
    let clock = Arc::new(FolderClock(settings.data.clone()));
    let service = Service::new(reader(settings)?, clock, None, book_id(settings)?, venue)?;
    super::contest::choose(&service, settings)?;
    service.keep_positions(Arc::new(PositionDesk::new(target(settings), rules)));
    service.keep_signals(target(settings));
    Ok(service)
}

/// A question that cannot be answered is a mistake in it, or a store that fails.
pub(super) fn refused(e: QueryError) -> Failure {
    match e {
        QueryError::UnknownSymbol { name, nearest } if !nearest.is_empty() => {
            Failure::usage(format!("'{name}' is not in the data folder — did you mean {}?", nearest.join(" or ")))
        }
        QueryError::UnknownSymbol { name, .. } => {
            Failure::usage(format!("'{name}' is not in the data folder; see what is with: barograph markets"))
        }
        QueryError::OtherBook { ref wanted, ref known, .. } => {
            // A shipped book is asked for by its name, any other by its file.
            let shipped = known.iter().find(|k| *k != wanted && RuleBook::shipped_text(k).is_some());
            let ask = shipped.map_or_else(
                || "ask with --book FILE, the file of that book, and the thresholds it was computed with".to_owned(),
                |name| format!("ask with --book {name}"),
            );
            let compute = format!("barograph collect --source PATH --book {wanted}");
            Failure::usage(format!("{e}; {ask}; or compute that one from the same files: {compute}"))
        }
        QueryError::Conflict { reason, hint } => Failure::usage(format!("{reason}; {hint}")),
        e @ (QueryError::Ambiguous { .. } | QueryError::BadField { .. } | QueryError::UnknownPosition { .. }) => {
            Failure::usage(e)
        }
        other => Failure::broken(crate::failure::chain(&other)),
    }
}
