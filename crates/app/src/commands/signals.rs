//! `signals`: values of one's own: brought from files, listed with what they amount to, read.

use super::{reader, resolve, target};
use crate::cli::{SignalsCommand, SignalsImport, SignalsLs, SignalsShow};
use crate::clock;
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{minute, number_of};
use barograph_api::signals::SignalView;
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, SignalPoint, SignalScope, Ts};
use barograph_engine::explain::significant;
use barograph_query::signals::{SignalDesk, listed, not_ahead, refusals, scope_of, shown, taken};
use barograph_store::{Range, Reader, SignalQuery};
use barograph_venues::signals::{KnownSince, ReadSignals, SignalDefaults, parse};
use serde::Serialize;
use std::io::{Read as _, StdoutLock, Write as _};
use std::path::Path;

/// Largest file: half a million points. Read as cells it takes some times as much memory.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Values of one transaction, and of one page of reading.
const BATCH: usize = 50_000;

pub(crate) fn run(command: &SignalsCommand, settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        SignalsCommand::Import(args) => import(args, settings, json, &mut out)?,
        SignalsCommand::Ls(args) => ls(args, settings, json, &mut out)?,
        SignalsCommand::Show(args) => show(args, settings, json, &mut out)?,
    }
    Ok(out.flush()?)
}

/// Markets that are stored; none where nothing is.
fn markets(settings: &Settings) -> Result<Vec<InstrumentName>, Failure> {
    if settings.db_url.is_none() && !settings.data.exists() {
        return Ok(Vec::new());
    }
    Ok(reader(settings)?.instruments(None)?.into_iter().map(|i| i.instrument.name).collect())
}

/// What a symbol means: every market, one by its full name, or the only one of a bare symbol.
fn scope(known: &[InstrumentName], settings: &Settings, text: &str) -> Result<SignalScope, String> {
    match SignalScope::parse(text) {
        Ok(scope) => Ok(scope),
        Err(fault) if known.is_empty() => Err(fault.to_string()),
        Err(_) => {
            resolve(known, settings, text, false).map(SignalScope::Market).map_err(|e| e.text().unwrap_or_default())
        }
    }
}

fn import(args: &SignalsImport, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let known = markets(settings)?;
    let now = clock::now_in(&settings.data);
    let of = SignalDefaults {
        scope: args.market.as_deref().map(|m| scope(&known, settings, m)).transpose().map_err(Failure::usage)?,
        name: args.name.clone(),
        source: args.source.clone(),
        known: args.known_after.map_or(KnownSince::Arrival(now), KnownSince::After),
    };
    // Everything is read before anything is stored, so that a point of the last file that cannot be read stores nothing of the first.
    let mut read = Vec::new();
    for path in &args.files {
        let shown = escape_control(&path.display().to_string()).into_owned();
        let text = text_of(path).map_err(|why| Failure::usage(format!("{shown}: {why}")))?;
        let symbol = |text: &str| scope(&known, settings, text);
        let found = parse(&text, &of, &symbol).map_err(|why| Failure::usage(format!("{shown}: {why}")))?;
        if !found.refused.is_empty() {
            let why = format!("{shown}: {}", escape_control(&refusals(&found.refused)));
            if !args.skip_refused {
                let rest = "nothing was stored; --skip-refused stores the others";
                return Err(Failure::usage(format!("{why}; {rest}")));
            }
            drop(writeln!(std::io::stderr(), "barograph: {why}; left out"));
        }
        not_ahead(&found.points, now).map_err(|why| Failure::usage(format!("{shown}: {why}")))?;
        read.push((shown, found));
    }
    let desk = SignalDesk::new(target(settings));
    for (shown, found) in &read {
        let put = store(&desk, found).map_err(|e| match e {
            barograph_store::Error::Invalid(why) => {
                Failure::usage(format!("{shown}: {why}; what stands before it is stored"))
            }
            other => other.into(),
        })?;
        if json {
            line(out, &taken(put, found))?;
        } else {
            writeln!(out, "{}", account(shown, put, found))?;
        }
    }
    strangers(&read, &known);
    Ok(())
}

fn store(desk: &SignalDesk, found: &ReadSignals) -> Result<barograph_store::SignalsPut, barograph_store::Error> {
    let mut done = barograph_store::SignalsPut::default();
    for batch in found.points.chunks(BATCH) {
        let put = desk.put(batch)?;
        done.new += put.new;
        done.revised += put.revised;
        done.same += put.same;
    }
    Ok(done)
}

fn account(shown: &str, put: barograph_store::SignalsPut, found: &ReadSignals) -> String {
    let mut text = format!("{shown}: {} new, {} revised, {} there already", put.new, put.revised, put.same);
    for (count, what) in [(found.empty, "without a value"), (found.refused.len(), "left out")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

/// Markets nobody has recorded yet may be meant, or misspelt.
fn strangers(read: &[(String, ReadSignals)], known: &[InstrumentName]) {
    let mut named: Vec<&InstrumentName> = read
        .iter()
        .flat_map(|(_, found)| &found.points)
        .filter_map(|point| match &point.scope {
            SignalScope::Market(name) if !known.contains(name) => Some(name),
            _ => None,
        })
        .collect();
    named.sort();
    named.dedup();
    if let Some(first) = named.first() {
        let more = if named.len() > 1 { format!(" and {} more", named.len() - 1) } else { String::new() };
        // Standard error may be closed; the values are stored.
        drop(writeln!(std::io::stderr(), "barograph: {first}{more}: nothing is recorded of it yet"));
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = |from: &mut dyn std::io::Read, text: &mut String| from.take(BYTES_MAX + 1).read_to_string(text);
    let done = if path == Path::new("-") {
        read(&mut std::io::stdin().lock(), &mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| read(&mut file, &mut text))
    };
    done.map_err(|e| e.to_string())?;
    if text.len() as u64 > BYTES_MAX {
        return Err(format!(
            "more than {} MiB; split it, in any way: what is there already changes nothing",
            BYTES_MAX >> 20
        ));
    }
    Ok(text)
}

fn ls(args: &SignalsLs, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let market = args.market.as_deref().map(|m| super::market(reader.as_ref(), settings, m)).transpose()?;
    let at = args.as_of.unwrap_or_else(|| clock::now_in(&settings.data));
    let found = listed(reader.as_ref(), market.as_ref(), Some(at), at)?;
    if json {
        return found.iter().try_for_each(|view| line(out, view));
    }
    if found.is_empty() {
        writeln!(out, "no signals; bring some with: barograph signals import FILE")?;
    }
    for view in &found {
        writeln!(out, "{}", listed_text(view))?;
    }
    Ok(())
}

fn listed_text(view: &SignalView) -> String {
    let of = if view.scope == "*" { "every market" } else { &view.scope };
    let head = format!("{}  {of}  from {}", view.name, view.source);
    let number = |name: &str, value: Option<f64>, unit: &str| match value {
        Some(x) => significant(x, unit),
        None if view.reasons.get(name) == Some(&"warming") => "too few values".to_owned(),
        None => view.reasons.get(name).copied().unwrap_or("missing_input").replace('_', " "),
    };
    let newest = match (view.value, view.timestamp) {
        (Some(value), Some(ts)) => format!("{} at {}", significant(value, ""), minute(ts)),
        _ => "taken back".to_owned(),
    };
    let revised = if view.revisions == 0 { String::new() } else { format!(", {} revised", view.revisions) };
    format!(
        "{head}\n  {newest}; {}{revised}\n  24 h change {}, 7 d z {}, 30 d rank {}",
        number_of(view.points, "value"),
        number("delta_24h", view.delta_24h, "fraction"),
        number("z_7d", view.z_7d, "σ"),
        number("percentile_30d", view.percentile_30d, "[0,1]"),
    )
}

fn show(args: &SignalsShow, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let reader = reader.as_ref();
    let as_of = args.as_of.unwrap_or_else(|| clock::now_in(&settings.data));
    let points = values(args, settings, reader, as_of)?;
    if points.is_empty() && !json {
        writeln!(out, "no values of {} there", args.name)?;
    }
    for point in points {
        if json {
            line(out, &shown(point))?;
            continue;
        }
        let value = point.value.map_or_else(|| "taken back".to_owned(), |v| significant(v, ""));
        let known = if point.known_ts == point.event_ts { "at once".to_owned() } else { minute(point.known_ts) };
        let known = format!("known {known} ({})", point.known.name());
        writeln!(out, "{}  {value:>14}  {known}  {}", minute(point.event_ts), point.source)?;
    }
    Ok(())
}

/// The newest values that are wanted, ascending.
fn values(
    args: &SignalsShow,
    settings: &Settings,
    reader: &dyn Reader,
    as_of: Ts,
) -> Result<Vec<SignalPoint>, Failure> {
    let scope = match &args.market {
        None => SignalScope::Every,
        Some(market) => {
            let market = super::market(reader, settings, market)?;
            scope_of(reader, &market, &args.name, Some(as_of))?.map_err(|known| {
                let there = if known.is_empty() { "no signal".to_owned() } else { known.join(", ") };
                Failure::usage(format!("{} does not speak of {market}; there is {there}", args.name))
            })?
        }
    };
    let mut query = SignalQuery {
        name: args.name.clone(),
        scope,
        source: None,
        range: Range { start: args.from.unwrap_or(Ts::MIN), end: args.until.unwrap_or(Ts::MAX) },
        as_of: Some(as_of),
        revisions: args.revisions,
        limit: BATCH,
    };
    let (mut kept, most) = (std::collections::VecDeque::new(), args.limit as usize);
    loop {
        let page = reader.signal_points(&query)?;
        kept.extend(page.items);
        drop(kept.drain(..kept.len().saturating_sub(most)));
        match page.next {
            Some(next) => query.range.start = next,
            None => return Ok(kept.into()),
        }
    }
}

fn line<T: Serialize>(out: &mut StdoutLock<'_>, value: &T) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}
