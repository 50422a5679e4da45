//! A case as a page to print, which needs nothing from elsewhere: the sections that reports of suspicious orders ask for.
//!
//! What people wrote, and names from outside, are escaped; there is no script and no address that a browser would fetch.

use super::words;
use crate::followed;
use barograph_api::cases::{CaseAlert, CaseEntryView, CaseView, PatternPrecision, SimilarCase};
use barograph_domain::alert::Statistic;
use barograph_domain::case::{CaseRecording, CaseStep, PriceLevel, STEPS, ShareInterval};
use barograph_domain::text::{escape_markup, number_of};
use barograph_domain::{Side, Span, Ts};
use std::fmt::Write as _;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#111;background:#fff}\
    h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.1rem;margin:1.75rem 0 .5rem;border-bottom:1px solid #999}\
    h3{font-size:1rem;margin:1rem 0 .25rem}table{border-collapse:collapse;width:100%;margin:.5rem 0}\
    th,td{text-align:left;padding:.2rem .6rem .2rem 0;vertical-align:top;border-bottom:1px solid #ddd}\
    td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.faint{color:#555}.note{white-space:pre-wrap}\
    code{overflow-wrap:anywhere}tr{break-inside:avoid}h2,h3{break-after:avoid}@media print{body{margin:0;max-width:none}}";

/// Heads of what followed similar cases.
const OUTCOME: [&str; 5] = ["After", "5 min", "1 h", "4 h", "Liquidated in 1 h"];

/// A page in the making.
struct PrintedPage(String);

impl PrintedPage {
    fn put(&mut self, html: impl core::fmt::Display) {
        // Writing to a string cannot fail.
        let _infallible = writeln!(self.0, "{html}");
    }

    fn section(&mut self, number: u8, title: &str) {
        self.put(format_args!("<h2>{number}. {title}</h2>"));
    }

    fn text(&mut self, text: &str) {
        self.put(format_args!("<p>{}</p>", escape_markup(text)));
    }

    fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let cells = |tag: &str, row: &[String]| -> String {
            let of = |text: &String| {
                // Moments have colons, ids hyphens.
                let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '−' || c == '+')
                    && !text.contains([':', '-']);
                let class = if number { " class=\"n\"" } else { "" };
                format!("<{tag}{class}>{}</{tag}>", escape_markup(text))
            };
            row.iter().map(of).collect()
        };
        let head: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
        self.put(format_args!("<table><thead><tr>{}</tr></thead><tbody>", cells("th", &head)));
        for row in rows {
            self.put(format_args!("<tr>{}</tr>", cells("td", &row)));
        }
        self.put("</tbody></table>");
    }
}

/// The page; `at`: when it is made.
#[must_use]
pub fn html(case: &CaseView, recordings: &[CaseRecording], at: Ts) -> String {
    let s = &case.summary;
    let mut page = PrintedPage(String::new());
    page.put("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.put("<meta name=\"viewport\" content=\"width=device-width\">");
    page.put(format_args!("<title>Case {}</title><style>{STYLE}</style></head><body>", escape_markup(&s.case_id)));
    page.put(format_args!("<h1>{}</h1>", escape_markup(&s.title)));
    let disposition = s.disposition.map_or_else(String::new, |d| format!(" as {}", d.name()));
    page.text(&format!(
        "Case {}. {}{disposition} since {} by {}.",
        s.case_id,
        capital(s.state.name()),
        second(s.since),
        s.by
    ));
    page.put(format_args!("<p class=\"faint\">{} Made at {}.</p>", escape_markup(words::WHAT), second(at)));
    page.section(1, "Who");
    page.text(words::WHO);
    where_and_when(&mut page, case);
    page.section(5, "Orders and trades");
    for alert in &case.alerts {
        let own = recordings.iter().find(|r| r.alert_id == alert.alert_id);
        page.put(format_args!("<h3>{}</h3>", escape_markup(&alert.title)));
        match own {
            Some(recording) => recorded(&mut page, recording),
            None => page.text(words::NOTHING_RECORDED),
        }
    }
    page.section(6, "Description");
    for alert in &case.alerts {
        page.text(&format!("{}. {}", alert.title, alert.description));
        alert.limits.iter().for_each(|limit| page.text(&format!("Limit of this evidence: {limit}")));
    }
    reasons(&mut page, case);
    page.section(8, "Notes and what came of it");
    page.table(&["#", "When", "Who", "What", "Note"], case.entries.iter().map(entry));
    similar(&mut page, case);
    page.section(10, "Attachments");
    page.text("Names and SHA-256 digests; their contents are in the JSON export of this case.");
    page.table(
        &["Name", "Bytes", "SHA-256"],
        case.attachments.iter().map(|a| vec![a.name.clone(), a.bytes.to_string(), a.sha256.clone()]),
    );
    page.put("</body></html>");
    page.0
}

fn similar(page: &mut PrintedPage, case: &CaseView) {
    page.section(9, "Similar cases");
    if case.similar.is_empty() {
        page.text("No earlier case of the same pattern has been closed.");
        return;
    }
    let of = |c: &SimilarCase| {
        let SimilarCase { summary: s, opened_at, .. } = c;
        let as_what = s.disposition.map_or("–", |d| d.name()).to_owned();
        vec![s.case_id.clone(), s.title.clone(), as_what, s.since.to_string(), opened_at.to_string()]
    };
    page.table(&["Case", "What", "Closed as", "When", "Alert began"], case.similar.iter().map(of));
    page.text(words::FOLLOWED);
    let of = |c: &SimilarCase| {
        let when = format!("{} at {}", c.instrument, second(c.opened_at));
        let Some(outcome) = &c.outcome else {
            let mut row = vec![when, followed::why(c.outcome_reason).to_owned()];
            row.resize(OUTCOME.len(), "–".to_owned());
            return row;
        };
        let moves = outcome.spans.iter().map(followed::moved);
        core::iter::once(when).chain(moves).chain([followed::liquidated(outcome)]).collect()
    };
    page.table(&OUTCOME, case.similar.iter().map(of));
}

fn where_and_when(page: &mut PrintedPage, case: &CaseView) {
    page.section(2, "Instrument");
    let of = |a: &CaseAlert| vec![a.symbol.clone(), a.instrument.symbol.to_string(), a.pattern_type.name().to_owned()];
    page.table(&["Pair", "Symbol of the venue", "Pattern"], case.alerts.iter().map(of));
    page.section(3, "Venue");
    let mut venues: Vec<&str> = case.summary.markets.iter().map(|m| m.venue.as_str()).collect();
    venues.sort_unstable();
    venues.dedup();
    page.text(&venues.join(", "));
    page.section(4, "Times");
    page.text("All times are UTC; those of the market are the venue's.");
    let of = |a: &CaseAlert| {
        let closed = a.closed_at.map_or_else(|| "not known when the case was filed".to_owned(), |t| t.to_string());
        vec![a.title.clone(), a.opened_at.to_string(), closed, format!("{} to {}", a.window.from, a.window.to)]
    };
    page.table(&["What", "Began", "Ended", "Measured over"], case.alerts.iter().map(of));
}

fn recorded(page: &mut PrintedPage, r: &CaseRecording) {
    page.text(words::recorded_from(r.source));
    let shown = |shown: usize, left: u64, most: usize, noun: &str| {
        let (kept, gone) = words::left_out(shown, left, most);
        let kept = (kept > 0).then(|| format!("{kept} more in the JSON export"));
        let gone = (gone > 0).then(|| format!("{gone} more received and not kept"));
        let more: Vec<String> = kept.into_iter().chain(gone).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
        format!("{}{more}", number_of(shown as u64, noun))
    };
    let books = shown(r.books.len(), r.books_left_out, STEPS.1.books, "book");
    let trades = shown(r.trades.len(), r.trades_left_out, STEPS.1.trades, "trade");
    page.text(&format!("{books} and {trades} between {} and {}.", second(r.from), second(r.until)));
    let side = |levels: &[PriceLevel]| -> String {
        levels.iter().map(|l| format!("{} × {}", l.price, l.qty)).collect::<Vec<_>>().join(", ")
    };
    if !r.books.is_empty() {
        let of = |b: &barograph_domain::case::BookStep| vec![b.at.to_string(), side(&b.bids), side(&b.asks)];
        page.table(&["Book at", "Bids, price × quantity", "Asks, price × quantity"], r.books.iter().map(of));
    }
    if !r.trades.is_empty() {
        let of = |t: &barograph_domain::case::TapeTrade| {
            let aggressor = match t.aggressor_side {
                Some(Side::Long) => "buyer",
                Some(Side::Short) => "seller",
                None => "not published",
            };
            vec![t.at.to_string(), t.price.to_string(), t.qty.to_string(), aggressor.to_owned()]
        };
        page.table(&["Trade at", "Price", "Quantity", "Aggressor"], r.trades.iter().map(of));
    }
}

fn reasons(page: &mut PrintedPage, case: &CaseView) {
    page.section(7, "Reasons");
    for alert in &case.alerts {
        page.put(format_args!("<h3>{}</h3>", escape_markup(&alert.title)));
        page.table(&["Measured", "Value", "Threshold", "Unit", "Kind"], alert.statistics.iter().map(statistic));
        let rate = match alert.base_rate.per_day_30d {
            Some(rate) => format!("It fired {rate:.2} times a day here over the 30 days before."),
            None => "How often it fires here was not known yet: less than a day had been judged.".to_owned(),
        };
        page.text(&rate);
    }
    page.text(words::PRECISION);
    page.table(
        &["Pattern", "By disposition", "True", "False", "Unclear", "On injections"],
        case.precision.iter().map(precision),
    );
}

fn statistic(s: &Statistic) -> Vec<String> {
    let value = match (s.value, s.reason) {
        (Some(v), _) => number(v),
        (None, Some(reason)) => reason.name().to_owned(),
        (None, None) => "–".to_owned(),
    };
    vec![s.name.to_string(), value, number(s.threshold), s.unit.to_string(), words::kind(s.kind).to_owned()]
}

fn precision(p: &PatternPrecision) -> Vec<String> {
    let share = |of: Option<ShareInterval>, none: &str| {
        of.map_or_else(|| none.to_owned(), |s| format!("{:.2} ({:.2}–{:.2})", s.value, s.low, s.high))
    };
    vec![
        p.pattern.name().to_owned(),
        share(p.precision_by_disposition, words::NO_DISPOSITION),
        p.closed_true.to_string(),
        p.closed_false.to_string(),
        p.closed_unclear.to_string(),
        share(p.precision_on_injections, words::NOT_INJECTED),
    ]
}

fn entry(e: &CaseEntryView) -> Vec<String> {
    let did = CaseStep::from_words(e.kind, e.disposition).map_or(e.kind, words::did);
    vec![e.seq.to_string(), e.at.to_string(), e.author.clone(), did.to_owned(), e.note.clone().unwrap_or_default()]
}

/// Every digit of a number, with the sign that people write.
fn number(x: f64) -> String {
    x.to_string().replace('-', "−")
}

/// A moment as sentences have it.
fn second(t: Ts) -> Ts {
    t.floor(Span::secs(1))
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_cannot_become_markup() {
        assert_eq!(escape_markup("<b onload='x'>&\u{1b}\n"), "&lt;b onload=&#39;x&#39;&gt;&amp;\u{fffd}\n");
    }
}
