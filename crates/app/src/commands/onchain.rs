//! `onchain`: sources are asked once, listed with what came of them, and read (R1.32–R1.34, R4.68).

use super::{reader, target};
use crate::cli::{OnchainCommand, OnchainFetch, OnchainShow};
use crate::clock::{self, SystemClock};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, minute, number_of};
use barograph_api::onchain::OnchainReadingView;
use barograph_domain::text::escape_control;
use barograph_domain::{Span, Ts};
use barograph_engine::explain::significant;
use barograph_live::onchain::{OnchainAsker, OnchainLedger, OnchainMeans, SeriesOutcome, SeriesResult, SeriesState};
use barograph_query::onchain::readings;
use barograph_store::SignalInfo;
use barograph_venues::onchain::OnchainSeries;
use barograph_venues::onchain::reply::{RestOf, SourceRest};
use barograph_venues::onchain::series::rules_of;
use barograph_venues::onchain::vintage::OnchainNews;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{StdoutLock, Write as _};
use std::sync::Arc;

/// What to do where nothing is set.
const NOTHING: &str = "nothing is fetched: the setting 'onchain' names no series; write, for example, \
                       onchain = [\"defillama.tvl\", \"defillama.stablecoins\", \"defillama.dex\", \"fng\"]";

pub(crate) fn run(command: &OnchainCommand, settings: &Settings, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        OnchainCommand::Fetch(args) => fetch(args, settings, json, &mut out)?,
        OnchainCommand::Ls => ls(settings, json, &mut out)?,
        OnchainCommand::Show(args) => show(args, settings, json, &mut out)?,
    }
    Ok(out.flush()?)
}

/// The series that are set.
fn wanted(settings: &Settings) -> Result<Vec<OnchainSeries>, Failure> {
    settings.onchain_settings().all().map_err(|why| Failure::usage(format!("onchain: {why}")))
}

fn fetch(args: &OnchainFetch, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let mut all = wanted(settings)?;
    let set = all.clone();
    if all.is_empty() {
        return Err(Failure::usage(NOTHING));
    }
    if let Some(unknown) = args.names.iter().find(|name| all.iter().all(|s| s.name().as_str() != name.as_str())) {
        let names: Vec<&str> = all.iter().map(|s| s.name().as_str()).collect();
        return Err(Failure::usage(format!("'{unknown}' is not among the series that are set: {}", names.join(", "))));
    }
    all.retain(|series| args.names.is_empty() || args.names.iter().any(|name| name == series.name().as_str()));
    let asker = OnchainAsker::new(OnchainMeans {
        settings: settings.onchain_settings(),
        data: settings.data.clone(),
        target: target(settings),
        keep: settings.keep_journal_days,
        default_venue: settings.default_venue.as_str().to_owned(),
        clock: Arc::new(SystemClock),
    })
    .map_err(Failure::broken)?;
    let mut ledger = OnchainLedger::open(&settings.data)?;
    let mut unanswered = Vec::new();
    if args.resume {
        for series in &all {
            ledger.series.entry(series.name().to_string()).or_default().rests_until = None;
        }
    }
    for series in &all {
        let state = ledger.series.entry(series.name().to_string()).or_default();
        let outcome = match state.rests_until.filter(|until| *until > asker.now()) {
            Some(until) => {
                let rest = SourceRest { until, why: state.note.clone().unwrap_or_default(), of: RestOf::Series };
                SeriesOutcome { name: series.name().to_string(), result: SeriesResult::Rests(rest), note: None }
            }
            None => asker.ask(series, state).map_err(Failure::broken)?,
        };
        ledger.share(series, &set, &outcome.result);
        ledger.save()?;
        if json {
            writeln!(out, "{}", outcome_json(&outcome))?;
        } else {
            print_outcome(&outcome, out)?;
        }
        if !matches!(outcome.result, SeriesResult::Read { .. } | SeriesResult::Unchanged) {
            unanswered.push(outcome.name);
        }
    }
    out.flush()?;
    if unanswered.is_empty() {
        return Ok(());
    }
    Err(Failure::No(format!("{} did not answer; what was stored of before stays", unanswered.join(", "))))
}

fn print_outcome(outcome: &SeriesOutcome, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let name = &outcome.name;
    match &outcome.result {
        SeriesResult::Read { news, left_out } => {
            writeln!(out, "{name}: {}", counted(news))?;
            for revision in &news.notable {
                let before = significant(revision.before, "");
                let now = revision.now.map_or_else(|| "taken back".to_owned(), |now| significant(now, ""));
                writeln!(out, "  revised: {} is {now}, was {before}", minute(revision.event_ts))?;
            }
            for why in left_out {
                writeln!(out, "  left out: {}", escape_control(why))?;
            }
        }
        SeriesResult::Unchanged => writeln!(out, "{name}: unchanged")?,
        SeriesResult::Rests(rest) => {
            writeln!(out, "{name}: rests until {}: {}", minute(rest.until), escape_control(&rest.why))?
        }
        SeriesResult::Failed(why) => writeln!(out, "{name}: no answer: {}", escape_control(why))?,
        SeriesResult::Quarantined(why) => writeln!(out, "{name}: the answer is not used: {}", escape_control(why))?,
    }
    if let Some(note) = &outcome.note {
        writeln!(out, "  {}", escape_control(note))?;
    }
    Ok(())
}

fn counted(news: &OnchainNews) -> String {
    let new = news.new + news.backfilled;
    let mut text = format!("{new} new, {} revised, {} there already", news.revised, news.same);
    if news.backfilled > 0 {
        text.push_str(&format!("; {} of the new are history", news.backfilled));
    }
    if news.relabelled > 0 {
        text.push_str(&format!("; {} in another unit now", news.relabelled));
    }
    if news.settled > 0 {
        text.push_str(&format!("; {} provisional no more", news.settled));
    }
    text
}

fn outcome_json(outcome: &SeriesOutcome) -> Value {
    let (result, why, until) = match &outcome.result {
        SeriesResult::Read { .. } => ("read", None, None),
        SeriesResult::Unchanged => ("unchanged", None, None),
        SeriesResult::Rests(rest) => ("rests", Some(&rest.why), Some(&rest.until)),
        SeriesResult::Failed(why) => ("failed", Some(why), None),
        SeriesResult::Quarantined(why) => ("quarantined", Some(why), None),
    };
    let mut line = json!({"name": outcome.name, "result": result, "why": why, "until": until, "note": outcome.note});
    if let SeriesResult::Read { news, left_out } = &outcome.result {
        let notable: Vec<Value> =
            news.notable.iter().map(|r| json!({"timestamp": r.event_ts, "before": r.before, "now": r.now})).collect();
        let counts = json!({
            "new": news.new, "history": news.backfilled, "revised": news.revised, "settled": news.settled, "same": news.same,
            "relabelled": news.relabelled, "left_out": left_out, "notable": notable,
        });
        if let (Some(line), Some(counts)) = (line.as_object_mut(), counts.as_object()) {
            line.extend(counts.clone());
        }
    }
    line
}

fn ls(settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let set = wanted(settings)?;
    let states = OnchainLedger::read(&settings.data).map_err(Failure::broken)?;
    let is_stored = settings.db_url.is_some() || settings.data.exists();
    let infos = if is_stored && !states.is_empty() { reader(settings)?.signals(None)? } else { Vec::new() };
    let mut stored: BTreeMap<&str, Vec<&SignalInfo>> = BTreeMap::new();
    // Options are fetched too, but by no series of these.
    for info in infos.iter().filter(|info| rules_of(&info.name).is_some()) {
        stored.entry(info.name.as_str()).or_default().push(info);
    }
    let mut names: Vec<&str> = set.iter().map(|s| s.name().as_str()).collect();
    let others = stored.keys().copied().filter(|name| !names.contains(name)).collect::<Vec<_>>();
    names.extend(others);
    if names.is_empty() && !json {
        return Ok(writeln!(out, "{NOTHING}")?);
    }
    let none = SeriesState::default();
    for name in names {
        let of = stored.get(name).map_or(&[][..], Vec::as_slice);
        let state = states.get(name).unwrap_or(&none);
        let is_set = set.iter().any(|s| s.name().as_str() == name);
        if json {
            writeln!(out, "{}", listed_json(name, of, state, is_set))?;
        } else {
            writeln!(out, "{}", listed(name, of, state, is_set))?;
        }
    }
    Ok(())
}

fn listed(name: &str, of: &[&SignalInfo], state: &SeriesState, is_set: bool) -> String {
    let (points, revisions) = totals(of);
    let newest = of.iter().map(|info| info.newest).max();
    let held = newest.map_or_else(
        || "nothing stored".to_owned(),
        |newest| format!("{} to {}, {revisions} revised", number_of(points, "value"), minute(newest)),
    );
    let asked = match (state.fetched, is_set) {
        (_, false) => "not set any more".to_owned(),
        (Some(at), true) => format!("answered {}", minute(at)),
        (None, true) => "never answered".to_owned(),
    };
    let note = state.note.as_deref().map_or_else(String::new, |note| format!("\n  {}", escape_control(note)));
    format!("{name}\n  {held}; {asked}{note}")
}

fn totals(of: &[&SignalInfo]) -> (u64, u64) {
    of.iter().fold((0, 0), |(points, revisions), info| (points + info.points, revisions + info.revisions))
}

fn listed_json(name: &str, of: &[&SignalInfo], state: &SeriesState, is_set: bool) -> Value {
    let (points, revisions) = totals(of);
    json!({
        "name": name, "set": is_set, "points": points, "revisions": revisions,
        "newest": of.iter().map(|info| info.newest).max(),
        "known_ts": of.iter().map(|info| info.newest_known).max(),
        "tried": state.tried, "fetched": state.fetched, "failures": state.failures, "rests_until": state.rests_until, "note": state.note,
    })
}

fn show(args: &OnchainShow, settings: &Settings, json: bool, out: &mut StdoutLock<'_>) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let market = args.name.as_deref().map(|name| super::market(reader.as_ref(), settings, name)).transpose()?;
    let at: Ts = args.as_of.unwrap_or_else(|| clock::now_in(&settings.data).ceil(Span::secs(1)));
    let view = readings(reader.as_ref(), market.as_ref(), at)?;
    if json {
        serde_json::to_writer(&mut *out, &view).map_err(std::io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let paint = Paint::detect();
    let whose = view.instrument.as_ref().map_or_else(|| "all chains".to_owned(), ToString::to_string);
    writeln!(out, "{}  as known at {}", paint.strong(&whose), minute(at))?;
    for item in &view.items {
        writeln!(out, "{:<28}{}", item.id, reading_text(item))?;
        if let Some(note) = &item.note {
            writeln!(out, "  {note}")?;
        }
    }
    for line in &view.attribution {
        writeln!(out, "{}", paint.faint(line))?;
    }
    Ok(())
}

fn reading_text(item: &OnchainReadingView) -> String {
    let of = item.of.as_deref().unwrap_or_default();
    let number = match (item.value, item.word, item.reason) {
        (Some(value), Some(word), _) => format!("{} ({word})", significant(value, "")),
        (Some(value), None, _) => match item.unit.as_deref() {
            Some(unit @ ("fraction" | "σ")) => significant(value, unit),
            None | Some("ratio") => significant(value, ""),
            Some(unit) => format!("{} {}", significant(value, ""), escape_control(unit)),
        },
        (None, Some(word), _) => word.to_owned(),
        (None, None, Some("missing_input")) => return "not fetched".to_owned(),
        (None, None, Some("warming")) => "too few values".to_owned(),
        (None, None, Some("gap")) => "days are missing".to_owned(),
        (None, None, reason) => reason.unwrap_or("stale").replace('_', " "),
    };
    let assumed = if item.assumed > 0 { format!(", {} of {} assumed", item.assumed, item.n) } else { String::new() };
    let until = item.until.map_or_else(String::new, |until| format!(", to {}", minute(until)));
    format!("{number}  {of}{until}{assumed}")
}
