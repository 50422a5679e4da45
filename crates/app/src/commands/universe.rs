//! `universe`, `portfolio`, `calendar`: what is between the markets, a basket judged as one, what is scheduled.

use super::advise::{refused, service};
use super::reader;
use crate::cli::{CalendarArgs, PortfolioArgs, UniverseArgs};
use crate::clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::book_id;
use crate::term::Paint;
use crate::universe::print;
use barograph_api::{AskEvents as _, AskPositions as _, SeriesWindow, UniverseView};
use barograph_domain::{Span, Ts};
use barograph_query::service::reach;
use serde::Serialize;
use std::io::Write as _;

pub(crate) fn universe(args: &UniverseArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let service = service(settings)?;
    let row = match args.at {
        Some(at) => {
            let hour = at.floor(Span::hours(1));
            // A week back: an hour without any row has none to show.
            let start = Some(Ts(hour.0.saturating_sub(Span::days(7).0)));
            let window =
                SeriesWindow { start, end: Some(hour + Span(1)), every: None, skip: 0, limit: 200, as_of: None };
            service.universe_history(&window).map_err(refused)?.items.pop()
        }
        None => service.universe(args.as_of).map_err(refused)?,
    };
    let Some(row) = row else { return Err(no_hour(settings, args.at.or(args.as_of))?) };
    let mut view = UniverseView::of(&row);
    if let Some(pair) = &args.pair {
        let known = view.pair_names();
        view = view.only(pair).ok_or_else(|| {
            Failure::usage(format!("--pair '{pair}' is not compared; there are {}", known.join(" and ")))
        })?;
    }
    // An hour that was asked for is as old as it was asked for.
    let seen = args.at.or(args.as_of).map_or_else(|| clock::now_in(&settings.data), |_| view.timestamp);
    out(&view, json, |v| print::universe(v, seen, Paint::detect()))
}

/// Why there is no hour: the moment lies before all data, or nothing was compared.
fn no_hour(settings: &Settings, at: Option<Ts>) -> Result<Failure, Failure> {
    let book = book_id(settings)?;
    let runs = reader(settings)?.runs(None)?;
    let first = reach(runs.iter().filter(|r| book.is(r))).map(|(first, _)| first);
    Ok(Failure::usage(match (at, first) {
        (Some(t), Some(first)) if t < first => {
            format!("no correlations were known at {t}: data begin at {first}")
        }
        _ => format!(
            "no correlations are known {}; at least two markets are compared hour by hour (setting watch)",
            at.map_or_else(|| "yet".to_owned(), |t| format!("at {t}"))
        ),
    }))
}

pub(crate) fn portfolio(args: &PortfolioArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let view = service(settings)?.portfolio(&args.request(), args.as_of).map_err(refused)?;
    out(&view, json, |v| print::portfolio(v, Paint::detect()))
}

pub(crate) fn calendar(args: &CalendarArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let view = service(settings)?.calendar(args.as_of).map_err(refused)?;
    // A calendar that came later was none then.
    out(&view, json, |v| print::calendar(v, args.as_of))
}

fn out<T: Serialize>(value: &T, json: bool, text: impl Fn(&T) -> String) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, value).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text(value))?;
    }
    Ok(out.flush()?)
}
