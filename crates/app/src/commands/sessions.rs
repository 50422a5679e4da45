//! `sessions`: what is usual in each trading session of a market, and the stop distances that follow (features §3, S11).
//!
//! Read off stored minutes of the last eight days, the newest of each session and kind of day. With `--toml` it prints the
//! multipliers as a rule book states them, so that measured ones can be kept and edited.

use crate::cli::Sessions;
use crate::commands::{own_run, reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::{InstrumentName, MinuteRow, Span, TradingSession, Ts};
use barograph_engine::Feature;
use barograph_query::render::align;
use barograph_query::service::{lens_of, reach};
use barograph_store::{Range, RowQuery};
use serde::Serialize;
use std::io::Write as _;

/// A week has every session on weekdays and at the weekend; a day more covers the one under way.
const SPAN_BACK: Span = Span::days(8);
/// Multipliers move slowly: every fifth minute is enough.
const EVERY: Span = Span::mins(5);
const PAGE: usize = 5_000;

/// One session on one kind of day.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Line {
    session: TradingSession,
    day: &'static str,
    /// When these numbers held.
    timestamp: Ts,
    expected_vol: Option<f64>,
    expected_volume: Option<f64>,
    base_multiplier: Option<f64>,
    adaptive_multiplier: Option<f64>,
}

pub(crate) fn run(args: &Sessions, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    let market = resolve(&known, settings, &args.name, false)?;
    let runs = reader.runs(None)?;
    let info = own_run(&runs, &market, settings, |book| {
        Failure::usage(format!("{market} has no context for book '{book}' yet"))
    })?;
    let book = lens_of(reader.as_ref(), info)?.book;
    let mut newest = reader.latest(&info.spec.key, 1, args.as_of)?;
    align(&mut newest.rows, &newest.columns);
    let Some(last) = newest.rows.pop() else {
        return Err(Failure::usage(match (args.as_of, reach([info].into_iter())) {
            (Some(t), Some((first, _))) => format!("{market} had no minute at {t}; its first was known at {first}"),
            _ => format!("{market} has no minute yet"),
        }));
    };
    let mut lines: Vec<Line> = Vec::new();
    let mut from = last.ts - SPAN_BACK;
    loop {
        let query = RowQuery {
            range: Range { start: from, end: last.ts + Span(1) },
            every: Some(EVERY),
            after: None,
            limit: PAGE,
            as_of: args.as_of,
        };
        let mut page = reader.history(&info.spec.key, &query)?;
        align(&mut page.rows, &page.columns);
        for row in page.rows.iter().filter(|r| r.ts <= last.ts) {
            note(&mut lines, row);
        }
        match page.rows.last() {
            Some(row) if page.rows.len() == PAGE => from = row.ts + Span(1),
            _ => break,
        }
    }
    note(&mut lines, &last);
    lines.sort_by_key(|l| (l.session, l.day));
    let mut out = std::io::stdout().lock();
    if args.toml {
        write!(out, "{}", config(&market, &lines, &book.session_multipliers))?;
    } else if json {
        for line in &lines {
            serde_json::to_writer(&mut out, line).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    } else {
        write!(out, "{}", table(&market, &last, &lines))?;
    }
    out.flush()?;
    Ok(())
}

/// Keeps the newest reading of each session and kind of day.
fn note(lines: &mut Vec<Line>, row: &MinuteRow) {
    let get = |f: Feature| row.cells.get(f.index()).and_then(barograph_domain::Cell::ready);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a code below four")]
    let Some(session) = get(Feature::Session).and_then(|c| TradingSession::ALL.get(c as usize).copied()) else {
        return;
    };
    let day = if row.ts.is_weekend() { "weekend" } else { "weekday" };
    let line = Line {
        session,
        day,
        timestamp: row.ts,
        expected_vol: get(Feature::SessionExpectedVol),
        expected_volume: get(Feature::SessionExpectedVolume),
        base_multiplier: get(Feature::SessionBaseMult),
        adaptive_multiplier: get(Feature::AdaptiveMult),
    };
    match lines.iter_mut().find(|l| l.session == session && l.day == day) {
        Some(known) => *known = line,
        None => lines.push(line),
    }
}

fn table(market: &InstrumentName, last: &MinuteRow, lines: &[Line]) -> String {
    let number = |v: Option<f64>, digits: usize, scale: f64, unit: &str| {
        v.map_or_else(|| "—".to_owned(), |x| format!("{:.digits$}{unit}", x * scale))
    };
    let quote = market.base_quote().map_or_else(String::new, |(_, quote)| format!(" {quote}"));
    let mut out = format!("{market} at {}\n\n", last.ts);
    out.push_str(" session   days      usual volatility  usual volume a minute  base      last\n");
    for l in lines {
        out.push_str(&format!(
            " {:<9} {:<9} {:<17} {:<22} {:<9} {}\n",
            l.session.name(),
            l.day,
            number(l.expected_vol, 0, 100.0, " % a year"),
            number(l.expected_volume, 0, 1.0, &quote),
            number(l.base_multiplier, 2, 1.0, " ATR"),
            number(l.adaptive_multiplier, 2, 1.0, " ATR"),
        ));
    }
    out.push_str("\n base: measured once there are ten sessions of each name, else the rule book's\n ATR: average true range of 14 hourly bars\n");
    out
}

/// The multipliers of weekdays as a rule book states them; what was not seen keeps the book's number.
fn config(market: &InstrumentName, lines: &[Line], book: &[f64; 4]) -> String {
    let mut out =
        format!("# base multipliers of {market}, for a rule book\nsession_base = \"seed\"\n\n[session_multipliers]\n");
    for session in TradingSession::ALL {
        let seen = lines.iter().filter(|l| l.session == session);
        let measured = seen.clone().find(|l| l.day == "weekday").or_else(|| seen.clone().next());
        let value = measured.and_then(|l| l.base_multiplier).unwrap_or(book[session.index()]);
        out.push_str(&format!("{} = {:.3}\n", session.name(), value));
    }
    out
}
