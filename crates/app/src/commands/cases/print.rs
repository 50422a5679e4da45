//! Cases as text for a terminal of eighty columns.

use crate::commands::analyze::statistic;
use crate::term::{Paint, fold, minus, minute, number_of};
use barograph_api::cases::{
    CaseAlert, CaseEntryView, CaseList, CaseReplay, CaseSummary, CaseView, PatternPrecision, SimilarCase,
};
use barograph_domain::case::{
    BookStep, CaseRecording, CaseState, CaseStep, Disposition, STEPS, ShareInterval, TapeTrade,
};
use barograph_domain::text::escape_control;
use barograph_domain::{Side, Span, Ts};
use barograph_query::cases::words;
use barograph_query::followed;
use std::fmt::Write as _;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Levels of a book that fit beside each other.
const SHOWN_LEVELS: usize = 5;

/// Text in the making.
#[derive(Default)]
struct CaseText(String);

impl CaseText {
    fn line(&mut self, text: impl core::fmt::Display) {
        // Writing to a string cannot fail.
        let _infallible = writeln!(self.0, "{text}");
    }

    /// A text behind a head, its further lines below its first.
    fn hung(&mut self, head: &str, text: &str) {
        let indent = " ".repeat(head.chars().count() + 1);
        let folded = fold(&escape_control(text), WIDTH, &indent);
        let rest = folded.trim_start().to_owned();
        self.line(format_args!("{head} {rest}"));
    }

    fn folded(&mut self, text: &str, indent: &str) {
        let folded = fold(&escape_control(text), WIDTH, indent);
        self.line(folded);
    }
}

/// "closed as true"
pub(super) fn state(state: CaseState, disposition: Option<Disposition>) -> String {
    disposition.map_or_else(|| state.name().to_owned(), |d| format!("{} as {}", state.name(), d.name()))
}

/// "2 recordings"
pub(super) fn recordings(n: usize) -> String {
    number_of(n as u64, "recording")
}

/// Cases, a line each, and what closed ones say of detectors.
pub(super) fn list(found: &CaseList, asked: Option<CaseState>, paint: Paint) -> String {
    let mut out = CaseText::default();
    if found.items.is_empty() {
        match asked {
            Some(state) => out.line(format_args!("no case is {}", state.name())),
            None => out.line(format_args!(
                "{}\nfile one with: barograph cases file EVENT_ID; ids: barograph events --long",
                words::NO_CASES
            )),
        }
    }
    for case in &found.items {
        summary(&mut out, case, paint);
    }
    if found.more {
        out.line(paint.faint("there are earlier ones: ask with --limit"));
    }
    if !found.precision.is_empty() {
        out.line("");
        precision(&mut out, &found.precision);
    }
    out.0
}

fn summary(out: &mut CaseText, case: &CaseSummary, paint: Paint) {
    let markets: Vec<String> = case.markets.iter().map(ToString::to_string).collect();
    let id = case.case_id.get(..8).unwrap_or(&case.case_id);
    out.line(format_args!("{id}  {}  {}", minute(case.filed_at), state(case.state, case.disposition)));
    out.folded(&format!("{} {}: {}", case.severity.name(), markets.join(", "), case.title), "    ");
    let notes =
        if case.note_count == 0 { String::new() } else { format!(", {}", number_of(case.note_count as u64, "note")) };
    out.line(paint.faint(&format!(
        "    {}{notes}, last by {}",
        number_of(case.alert_count as u64, "alert"),
        escape_control(&case.by)
    )));
}

/// A similar case, and what followed it.
fn similar(out: &mut CaseText, case: &SimilarCase, paint: Paint) {
    summary(out, &case.summary, paint);
    out.folded(&followed::line(case), "    ");
}

/// What is known of the precision of patterns.
fn precision(out: &mut CaseText, all: &[PatternPrecision]) {
    let share = |of: ShareInterval| format!("{:.2} ({:.2}–{:.2})", of.value, of.low, of.high);
    for p in all {
        let closed = format!("{} true, {} false, {} unclear", p.closed_true, p.closed_false, p.closed_unclear);
        let by = p.precision_by_disposition.map_or_else(|| words::NO_DISPOSITION.to_owned(), share);
        let injected = p.precision_on_injections.map_or_else(|| words::NOT_INJECTED.to_owned(), share);
        out.line(format_args!("{}: {closed}", p.pattern.name()));
        out.line(format_args!("  precision by disposition: {by}"));
        out.line(format_args!("  precision on injections: {injected}"));
    }
    out.folded(words::PRECISION, "  ");
}

/// The whole case.
pub(super) fn case(case: &CaseView, paint: Paint) -> String {
    let mut out = CaseText::default();
    let s = &case.summary;
    out.folded(&s.title, "");
    out.line(format_args!("case {}", s.case_id));
    out.line(format_args!("{} since {} by {}", state(s.state, s.disposition), minute(s.since), escape_control(&s.by)));
    for one in &case.alerts {
        out.line("");
        alert(&mut out, one, paint);
    }
    out.line("\nentries");
    case.entries.iter().for_each(|e| entry(&mut out, e));
    out.line("");
    precision(&mut out, &case.precision);
    if !case.similar.is_empty() {
        out.line("\nsimilar cases");
        case.similar.iter().for_each(|c| similar(&mut out, c, paint));
    }
    out.line("");
    out.folded(&format!("Who acted: {}", uncapitalised(words::WHO)), "  ");
    let id = s.case_id.get(..8).unwrap_or(&s.case_id);
    out.line(paint.faint(&format!("books and trades: barograph cases replay {id}")));
    out.0
}

fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn alert(out: &mut CaseText, a: &CaseAlert, paint: Paint) {
    let head = format!("{} {} {}", a.severity.name(), a.instrument, a.pattern_type.name());
    out.line(paint.strong(&head));
    out.folded(&a.description, "  ");
    let end =
        a.closed_at.map_or_else(|| "not over when the case was filed".to_owned(), |t| format!("to {}", minute(t)));
    out.line(format_args!("  from {} {end}, score {:.0}", minute(a.opened_at), a.anomaly_score));
    a.statistics.iter().for_each(|s| out.line(format_args!("  {}", statistic(s))));
    let rate = match a.base_rate.per_day_30d {
        Some(rate) => format!("fired {rate:.2} times a day here over the 30 days before"),
        None => "how often it fires here was not known yet".to_owned(),
    };
    out.line(format_args!("  {rate}"));
    a.limits.iter().for_each(|limit| out.folded(limit, "  "));
    out.line(format_args!("  alert {}", a.alert_id));
}

/// Of what was traded and quoted, every digit: two levels never read alike.
fn exact(x: f64) -> String {
    minus(&x.to_string())
}

fn entry(out: &mut CaseText, e: &CaseEntryView) {
    let did = CaseStep::from_words(e.kind, e.disposition).map_or(e.kind, words::did);
    out.line(format_args!("  {}  {} {did}", minute(e.at), escape_control(&e.author)));
    for note in e.note.iter().flat_map(|n| n.lines()) {
        out.folded(note, "      ");
    }
}

/// Books and trades, the oldest first; those of one moment in the order book, trade.
pub(super) fn replay(case: &CaseView, replay: &CaseReplay, paint: Paint) -> String {
    let mut out = CaseText::default();
    for why in &replay.missing {
        out.folded(why, "  ");
    }
    for recording in &replay.items {
        let title = case.alerts.iter().find(|a| a.alert_id == recording.alert_id).map_or("", |a| a.title.as_str());
        out.line(paint.strong(&escape_control(title)));
        steps(&mut out, recording, paint);
    }
    out.0
}

/// One step of a recording.
enum ReplayStep<'a> {
    Book(&'a BookStep),
    Trade(&'a TapeTrade),
}

fn steps(out: &mut CaseText, r: &CaseRecording, paint: Paint) {
    out.folded(words::recorded_from(r.source), "");
    out.line(format_args!("the episode began at {}", r.moment));
    let mut all: Vec<(Ts, ReplayStep<'_>)> = r.books.iter().map(|b| (b.at, ReplayStep::Book(b))).collect();
    all.extend(r.trades.iter().map(|t| (t.at, ReplayStep::Trade(t))));
    all.sort_by_key(|(at, _)| *at);
    for (at, step) in &all {
        let from = offset(*at - r.moment);
        match step {
            ReplayStep::Book(book) => {
                let side = |levels: &[barograph_domain::case::PriceLevel]| -> String {
                    let shown =
                        levels.iter().take(SHOWN_LEVELS).map(|l| format!("{}×{}", exact(l.price), exact(l.qty)));
                    shown.collect::<Vec<_>>().join(" ")
                };
                out.hung(&format!("{from} book   bid"), &side(&book.bids));
                out.hung("                    ask", &side(&book.asks));
            }
            ReplayStep::Trade(t) => {
                let who = match t.aggressor_side {
                    Some(Side::Long) => "buyer took",
                    Some(Side::Short) => "seller took",
                    None => "traded",
                };
                out.line(format_args!("{from} trade  {who} {} at {}", exact(t.qty), exact(t.price)));
            }
        }
    }
    left_out(out, r, paint);
}

/// What is not shown: what may be asked for, and what is not kept.
fn left_out(out: &mut CaseText, r: &CaseRecording, paint: Paint) {
    let books = words::left_out(r.books.len(), r.books_left_out, STEPS.1.books);
    let trades = words::left_out(r.trades.len(), r.trades_left_out, STEPS.1.trades);
    let counted = |books: u64, trades: u64| {
        let all = [(books, "book"), (trades, "trade")];
        let some: Vec<String> = all.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| number_of(n, noun)).collect();
        (!some.is_empty()).then(|| some.join(" and "))
    };
    if let Some(kept) = counted(books.0, trades.0) {
        out.line(paint.faint(&format!("{kept} more: ask with --books and --trades")));
    }
    if let Some(gone) = counted(books.1, trades.1) {
        out.line(paint.faint(&format!("{gone} more received within that time and not kept")));
    }
}

/// "  +1.250s", from the moment an episode began.
fn offset(span: Span) -> String {
    let ms = span.0 / 1_000_000;
    let sign = if ms < 0 { '−' } else { '+' };
    let ms = ms.unsigned_abs();
    format!("{:>12}", format!("{sign}{}.{:03}s", ms / 1_000, ms % 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_short() {
        for (ns, want) in [(0, "+0.000s"), (-1_250_000_000, "−1.250s"), (90_000_000_000, "+90.000s")] {
            assert_eq!(offset(Span(ns)).trim(), want);
        }
    }
}
