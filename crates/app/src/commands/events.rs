//! `events`: what detectors found, of one market or of all, with a sentence each; the newest last, as a log is read.

use crate::cli::EventsArgs;
use crate::commands::{reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::{Paint, fold, minute};
use barograph_api::{EventFilter, EventView, SeriesWindow};
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, Pattern, Severity, Ts};
use barograph_query::events::{Kept, page};
use barograph_query::render::Books;
use barograph_query::service::{configured_run, other_book, reach};
use barograph_store::RunInfo;
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
        print(&mut out, &found.items, found.more, Paint::detect())?;
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
        return format!("no event{whose} lies{between}: data reach from {first} to {last}");
    }
    let what = if args.open { "no episode is open" } else { "no event is stored" };
    let when = args.as_of.map_or_else(String::new, |t| format!(" as of {t}"));
    let narrowed = !args.pattern.is_empty() || args.severity.is_some() || !between.is_empty();
    let hint = if narrowed { "; ask for less: fewer of --pattern, --severity, --from and --to" } else { "" };
    format!("{what}{whose}{between}{when}{hint}")
}

fn print(out: &mut impl Write, events: &[EventView], more: bool, paint: Paint) -> Result<(), Failure> {
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
    }
    if more {
        let shown = events.len();
        writeln!(
            out,
            "{}",
            paint.faint(&format!("the newest {shown}; there are earlier ones: ask with --limit or --to"))
        )?;
    }
    Ok(())
}
