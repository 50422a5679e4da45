//! `events`: what detectors found, of one market or of all, a line each, with `--long` the sentences too; the newest last, as a log is
//! read.

use super::one_event;
use crate::cli::EventsArgs;
use crate::commands::{reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, fold, minute};
use barograph_api::{EventFilter, EventView, SeriesWindow};
use barograph_domain::alert::AlertChange;
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, Pattern, Severity, Ts};
use barograph_query::events::{Kept, page};
use barograph_query::render::Books;
use barograph_query::service::{configured_run, other_book, reach};
use barograph_store::RunInfo;
use std::collections::BTreeSet;
use std::io::Write;

/// Columns of a terminal.
const WIDTH: usize = 80;

pub(crate) fn run(args: &EventsArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && until <= from
    {
        return Err(Failure::usage(format!("--to {until} is not later than --from {from}")));
    }
    let filter = EventFilter {
        patterns: patterns(&args.pattern)?,
        severity: args.severity.as_deref().map(severity).transpose()?,
        open: args.open,
        newest_first: true,
        ..EventFilter::default()
    };
    let reader = reader(settings)?;
    if let Some(id) = &args.id {
        return one_event::run(reader.as_ref(), id, args.as_of, settings, json);
    }
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    let market = args.name.as_deref().map(|name| resolve(&known, settings, name, false)).transpose()?;
    let (runs, book) = (reader.runs(None)?, crate::setup::book_id(settings)?);
    let wanted = known.iter().filter(|n| market.as_ref().is_none_or(|m| m == *n));
    let own: Vec<&RunInfo> = wanted.filter_map(|n| configured_run(&runs, n, &book)).collect();
    let mut books = Books::default();
    let keys: Vec<Kept<'_>> = own.iter().map(|run| Kept::of(&mut books, run)).collect();
    if keys.is_empty() {
        if let Some(other) = other_book(&runs, market.as_ref(), &book) {
            return Err(super::advise::refused(other));
        }
        let whose = market.map_or_else(|| "no market".to_owned(), |m| m.to_string());
        return Err(Failure::usage(format!("{whose} has been computed with book '{}' yet", settings.book)));
    }
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let window = SeriesWindow { start: args.from, end: args.until, every: None, skip: 0, limit, as_of: args.as_of };
    let mut found = page(reader.as_ref(), &keys, &filter, &window)?;
    found.items.reverse();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if json {
        for event in &found.items {
            serde_json::to_writer(&mut out, event).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        if found.items.is_empty() {
            writeln!(out, "{}", fold(&none(args, reach(own.into_iter())), WIDTH, ""))?;
        }
        let paint = Paint::detect();
        if args.long {
            in_full(&mut out, &found.items, paint)?
        } else {
            a_line_each(&mut out, &found.items, paint)?
        }
        if found.more {
            let shown = found.items.len();
            let more = format!("the newest {shown}; there are earlier ones: ask with --limit or --to");
            writeln!(out, "{}", paint.faint(&more))?;
        }
    }
    Ok(out.flush()?)
}

fn severity(word: &str) -> Result<Severity, Failure> {
    Severity::from_name(&word.to_uppercase()).ok_or_else(|| {
        let known = Severity::ALL.map(Severity::name).join(", ");
        Failure::usage(format!("--severity: there is no severity '{word}'; write one of {known}"))
    })
}

fn patterns(words: &[String]) -> Result<Vec<Pattern>, Failure> {
    let of = |word: &str| {
        Pattern::from_name(&word.to_uppercase().replace('-', "_")).ok_or_else(|| {
            let known: Vec<&str> = Pattern::ALL.iter().map(|p| p.name()).collect();
            let like = barograph_api::nearest(&word.to_uppercase(), known.iter().copied());
            let hint = like.map_or_else(|| format!("there are {}", known.join(", ")), |l| format!("did you mean {l}?"));
            Failure::usage(format!("--pattern: there is no pattern '{word}' — {hint}"))
        })
    };
    words.iter().flat_map(|w| w.split(',')).map(|w| of(w.trim())).collect()
}

/// What there is none of, and why as far as that is known. `reach`: when the first and the last minute were known.
fn none(args: &EventsArgs, reach: Option<(Ts, Ts)>) -> String {
    let whose = args.name.as_ref().map_or_else(String::new, |n| format!(" of {n}"));
    let Some((first, last)) = reach else { return format!("no minute{whose} has been computed yet") };
    if let Some(moment) = args.as_of.filter(|t| *t < first) {
        return format!("nothing{whose} was known at {moment}: data begin at {first}");
    }
    let between = match (args.from, args.until) {
        (None, None) => String::new(),
        (Some(from), None) => format!(" from {from} on"),
        (None, Some(until)) => format!(" before {until}"),
        (Some(from), Some(until)) => format!(" between {from} and {until}"),
    };
    if args.from.is_some_and(|t| t > last) || args.until.is_some_and(|t| t <= first) {
        return format!("no event{whose}{between}: data reach from {first} to {last}");
    }
    let what = if args.open { "no episode is open" } else { "no event is stored" };
    let when = args.as_of.map_or_else(String::new, |t| format!(" as of {t}"));
    let narrowed = !args.pattern.is_empty() || args.severity.is_some() || !between.is_empty();
    let hint = if narrowed { "; ask for less: fewer of --pattern, --severity, --from and --to" } else { "" };
    format!("{what}{whose}{between}{when}{hint}")
}

/// "2026-02-05 14:35Z HIGH     opened   SOL/USDT  Burst of liquidations". The end of a title that has no room is left out at a word.
fn a_line_each(out: &mut impl Write, events: &[EventView], paint: Paint) -> Result<(), Failure> {
    let venues: BTreeSet<&str> = events.iter().map(|e| e.instrument.venue.as_str()).collect();
    let whose = |e: &EventView| match (&e.asset_pair, venues.len()) {
        (Some(pair), 0 | 1) => pair.clone(),
        (Some(pair), _) => format!("{pair} {}", e.instrument.venue),
        (None, 0 | 1) => e.symbol.clone(),
        (None, _) => e.instrument.to_string(),
    };
    let wide = events.iter().map(|e| whose(e).chars().count()).max().unwrap_or(0).min(24);
    for e in events {
        // What happened at a moment neither opened nor ended.
        let change = if e.change == AlertChange::Happened { String::new() } else { e.change.name().to_lowercase() };
        let head = format!("{} {:<8} {change:<9} {:<wide$}  ", minute(e.timestamp), e.severity.name(), whose(e));
        let title = escape_control(&e.title);
        let room = WIDTH.saturating_sub(head.chars().count());
        let folded = fold(&title, room.saturating_sub(2), "");
        let title = match folded.split_once('\n') {
            Some((first, _)) if title.chars().count() > room => format!("{first} …"),
            _ => title.into_owned(),
        };
        writeln!(out, "{head}{}", paint.strong(&title))?;
    }
    if !events.is_empty() {
        writeln!(out, "{}", paint.faint("what was measured: --long"))?;
    }
    Ok(())
}

pub(super) fn in_full(out: &mut impl Write, events: &[EventView], paint: Paint) -> Result<(), Failure> {
    for e in events {
        let head = format!("{}  {:<8} {:<9} ", minute(e.timestamp), e.severity.name(), e.change.name().to_lowercase());
        let hang = " ".repeat(head.chars().count());
        let title = fold(&escape_control(&e.title), WIDTH, &hang);
        let whose = format!("{} {}", e.instrument.venue, e.asset_pair.as_ref().unwrap_or(&e.symbol));
        let used = title.lines().last().map_or(0, |l| l.chars().count());
        // The market goes behind the title where there is room, else below it.
        let gap = if used + 2 + whose.chars().count() <= WIDTH { "  ".to_owned() } else { format!("\n{hang}") };
        writeln!(out, "{head}{}{gap}{}", paint.strong(title.trim_start()), paint.faint(&whose))?;
        // Of a label, what would end it is part of the story; of others it is the threshold they were alerted at.
        let clears = e.moment.as_ref().map_or_else(String::new, |_| format!(" {}", e.clears));
        writeln!(out, "{}", fold(&escape_control(&format!("{}{clears}", e.description)), WIDTH, "    "))?;
        writeln!(out, "{}", paint.faint(&format!("    alert {}", e.alert_id)))?;
    }
    Ok(())
}
