//! `scorecard`, `drift` and `forecasts`: how good calls were, whether the market has changed, and every call with what came of it.

use super::{market, reader};
use crate::cli::{DriftArgs, ForecastFormat, ForecastsArgs, ScorecardArgs, Whose};
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use crate::scores::{export, picture, print, print_drift};
use crate::setup::book_id;
#[cfg(feature = "mcp")]
use barograph_api::agent_sessions::SessionFault;
use barograph_domain::Ts;
use barograph_domain::forecast::{Forecaster, SymbolGroup};
use barograph_domain::scorecard::Scorecard;
use barograph_query::drift::{DriftAsked, drift as look};
use barograph_query::scores::{
    ForecastView, ForecastsAsked, LedgerLine, ScorecardAsked, forecasts as ask, lines, scorecard as score,
};
#[cfg(feature = "mcp")]
use barograph_query::session_forecasts::session_cases;
use barograph_store::{Range, Reader};
use barograph_verify::contest::ledger_of;
use barograph_verify::scorecard::ScoreFilter;
use core::ops::ControlFlow;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn scorecard(args: &ScorecardArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let (logic, book) = version(reader.as_ref(), settings)?;
    let mut scopes = Vec::new();
    for name in &args.market {
        scopes.push(match SymbolGroup::ALL.into_iter().find(|g| g.id() == name.as_str()) {
            Some(group) => of_group(reader.as_ref(), group, &logic)?,
            None if name == "all" => name.clone(),
            None => market(reader.as_ref(), settings, name)?.to_string(),
        });
    }
    // To be read, all of it is shown; programs get every window.
    let windows = if args.window.is_empty() && !json { vec!["all".to_owned()] } else { args.window.clone() };
    let asked = ScorecardAsked {
        events: args.event.clone(),
        classifier: args.classifier,
        wanted: ScoreFilter { windows, scopes },
        as_of: args.as_of,
        // A command has a process of its own.
        cases_max: None,
    };
    let card = score(reader.as_ref(), &logic, &book, &asked)?;
    if card.span.is_none() {
        return Err(nothing(&logic, args.classifier, args.as_of));
    }
    if let Some(path) = &args.picture {
        draw(path, &card, args)?;
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &card).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", print::scorecard(&card))?;
    }
    Ok(out.flush()?)
}

/// The picture of what was asked for: one line of markets, one window.
fn draw(path: &Path, card: &Scorecard, args: &ScorecardArgs) -> Result<(), Failure> {
    for (flag, n) in [("--market", args.market.len()), ("--window", args.window.len())] {
        if n > 1 {
            return Err(Failure::usage(format!("a picture shows one: give {flag} once with --picture")));
        }
    }
    let window = args.window.first().map_or("all", String::as_str);
    // Rows begin with the pooled ones; one market alone has no others.
    let scope = card.rows.first().map_or("all", |row| &row.scope);
    std::fs::write(path, picture::scorecard(card, scope, window))
        .map_err(|e| Failure::usage(format!("cannot write {}: {e}", path.display())))
}

pub(crate) fn drift(args: &DriftArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let (logic, book) = version(reader.as_ref(), settings)?;
    let named = args.market.iter().map(|name| Ok(market(reader.as_ref(), settings, name)?.to_string()));
    let markets = named.collect::<Result<Vec<_>, Failure>>()?;
    let newest = reader.latest_ledger(&logic, args.as_of)?.ok_or_else(|| nothing(&logic, None, args.as_of))?.ts;
    let asked = DriftAsked { markets, weeks: args.weeks, as_of: args.as_of };
    let report = look(reader.as_ref(), &logic, &book, newest, &asked)?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", print_drift::report(&report))?;
    }
    Ok(out.flush()?)
}

/// A group of one market is that market: nothing is pooled.
fn of_group(reader: &dyn Reader, group: SymbolGroup, logic: &str) -> Result<String, Failure> {
    let mut runs = reader.runs(None)?;
    runs.retain(|r| r.spec.key.logic_version == logic && r.minutes.is_some());
    let mut own = runs.iter().map(|r| &r.spec.key.instrument).filter(|name| SymbolGroup::of(name) == group);
    match (own.next(), own.next()) {
        (Some(one), None) => Ok(one.to_string()),
        (Some(_), Some(_)) => Ok(group.id().to_owned()),
        (None, _) => Err(Failure::usage(format!("no market of the group '{}' is in the data folder", group.id()))),
    }
}

fn nothing(logic: &str, who: Option<Forecaster>, as_of: Option<Ts>) -> Failure {
    let when = as_of.map_or_else(|| "yet".to_owned(), |t| format!("at {t}"));
    if let Some(who) = who.filter(|who| *who != Forecaster::Rules) {
        return Failure::usage(format!("no forecast of {} was made {when}; run: barograph contest", who.id()));
    }
    Failure::usage(format!(
        "no forecast of {logic} was registered {when}: every import and every live minute registers them; try barograph \
         collect --source PATH, or barograph demo"
    ))
}

/// The logic version of the configured book whose minutes reach furthest, and the book's name.
pub(super) fn version(reader: &dyn Reader, settings: &Settings) -> Result<(String, String), Failure> {
    let book = book_id(settings)?;
    let runs = reader.runs(None)?;
    let newest = runs.iter().filter(|r| book.is(r)).max_by_key(|r| (r.minutes.map(|m| m.1), &r.spec.key.logic_version));
    newest.map(|r| (r.spec.key.logic_version.clone(), r.spec.book.clone())).ok_or_else(|| {
        Failure::usage(format!(
            "nothing is stored for the book {}; import with: barograph collect --source PATH",
            book.name
        ))
    })
}

pub(crate) fn forecasts(args: &ForecastsArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let (logic, _) = version(reader.as_ref(), settings)?;
    let named = args.market.as_ref().map(|name| market(reader.as_ref(), settings, name)).transpose()?;
    let range = Range { start: args.from.unwrap_or(Ts::MIN), end: args.to.unwrap_or(Ts::MAX) };
    if range.start >= range.end {
        return Err(Failure::usage(format!("--from {} is not before --to {}", range.start, range.end)));
    }
    let classifier = match &args.classifier {
        Some(Whose::Forecaster(who)) => Some(*who),
        _ => None,
    };
    let asked = ForecastsAsked {
        range: Some(range),
        events: args.event.clone(),
        classifier,
        market: named,
        only: None,
        as_of: args.as_of,
    };
    let session = match &args.classifier {
        Some(Whose::Session(id)) => Some(of_session(reader.as_ref(), &logic, settings, id, &asked)?),
        _ => None,
    };
    if let Some(path) = &args.export {
        let ledger = ledger_of(&logic, classifier.unwrap_or(Forecaster::Rules));
        return match session {
            None => write_all(path, args.format, &ledger, |each| Ok(lines(reader.as_ref(), &logic, &asked, each)?)),
            Some(views) => write_all(path, args.format, &ledger, |each| {
                let _all = views.into_iter().try_for_each(|view| each(LedgerLine::Forecast(Box::new(view))));
                Ok(())
            }),
        };
    }
    let wanted = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let is_of_session = session.is_some();
    let mut newest = std::collections::VecDeque::from(session.unwrap_or_default());
    let older = newest.len().saturating_sub(wanted);
    newest.drain(..older);
    if older > 0 {
        let all = older + wanted;
        drop(writeln!(std::io::stderr(), "the newest {wanted} of {all}; --limit shows more, --export writes all"));
    }
    if !is_of_session {
        ask(reader.as_ref(), &logic, &asked, &mut |view| {
            if newest.len() == wanted {
                newest.pop_front();
            }
            newest.push_back(view);
            ControlFlow::Continue(())
        })?;
    }
    if newest.is_empty() && is_of_session {
        drop(writeln!(std::io::stderr(), "no forecast on the record of this session matches"));
        return Ok(());
    }
    if newest.is_empty() {
        let own = ledger_of(&logic, classifier.unwrap_or(Forecaster::Rules));
        let Some(last) = reader.latest_ledger(&own, args.as_of)? else {
            return Err(nothing(&logic, classifier, args.as_of));
        };
        let text = format!("no forecast matches; the newest that is registered is of {}", last.ts);
        // Standard error may be closed; there is nothing to say elsewhere.
        drop(writeln!(std::io::stderr(), "{text}"));
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    if json {
        for view in &newest {
            serde_json::to_writer(&mut out, view).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        write!(out, "{}", print::forecasts(newest.make_contiguous()))?;
    }
    Ok(out.flush()?)
}

/// What is asked for of the forecasts on the record of a session.
#[cfg(feature = "mcp")]
fn of_session(
    reader: &dyn Reader,
    logic: &str,
    settings: &Settings,
    id: &str,
    asked: &ForecastsAsked,
) -> Result<Vec<ForecastView>, Failure> {
    let mut stated = crate::agent_sessions::stated(&settings.data, id).map_err(|fault| match fault {
        SessionFault::Unknown(why) => Failure::usage(format!(
            "--classifier: {why}; a session has a record in {}",
            settings.data.join("agent-sessions").display()
        )),
        SessionFault::Refused(why) | SessionFault::Full(why) => Failure::usage(why),
        SessionFault::Broken(why) => Failure::broken(why),
    })?;
    let range = asked.range.unwrap_or(Range::ALL);
    stated.retain(|one| {
        (asked.events.is_empty() || asked.events.contains(&one.event))
            && asked.market.as_ref().is_none_or(|market| *market == one.market)
            && (range.start..range.end).contains(&one.issued_ts)
    });
    Ok(session_cases(reader, logic, id, &stated, asked.as_of)?.into_iter().map(|one| one.view).collect())
}

#[cfg(not(feature = "mcp"))]
fn of_session(
    _reader: &dyn Reader,
    _logic: &str,
    _settings: &Settings,
    _id: &str,
    _asked: &ForecastsAsked,
) -> Result<Vec<ForecastView>, Failure> {
    Err(Failure::usage("--classifier: this program keeps no sessions of agents; `make build` builds one that does"))
}

/// Writes what is handed out into a file.
fn write_all(
    path: &Path,
    format: Option<ForecastFormat>,
    ledger: &str,
    handed: impl FnOnce(&mut dyn FnMut(LedgerLine) -> ControlFlow<()>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let format = match (format, path.extension().and_then(|e| e.to_str())) {
        (Some(format), _) => format,
        (None, Some("csv")) => ForecastFormat::Csv,
        (None, Some("parquet")) => ForecastFormat::Parquet,
        _ => {
            return Err(Failure::usage(format!(
                "'{}' ends neither in .csv nor in .parquet; say --format csv or --format parquet",
                path.display()
            )));
        }
    };
    let failed = |e: std::io::Error| Failure::usage(format!("cannot write {}: {e}", path.display()));
    let mut file = export::ForecastFile::create(path, format, ledger).map_err(failed)?;
    let mut progress = Progress::new(0, "exporting", Unit::Steps);
    let (mut written, mut trouble) = (0_u64, None);
    handed(&mut |line| match file.push(&line) {
        Ok(()) => {
            written += u64::from(matches!(line, LedgerLine::Forecast(_)));
            progress.set(written);
            ControlFlow::Continue(())
        }
        Err(e) => {
            trouble = Some(e);
            ControlFlow::Break(())
        }
    })?;
    if let Some(e) = trouble {
        return Err(failed(e));
    }
    file.finish().map_err(failed)?;
    drop(progress);
    let mut err = std::io::stderr().lock();
    Ok(writeln!(err, "barograph: {} written to {}", crate::term::number_of(written, "forecast"), path.display())?)
}
