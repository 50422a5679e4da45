//! The scorecard in 80 columns: events, alerts, steadiness. What shows no skill says so.

use crate::term::{fold, minute, number_of};
use barograph_domain::forecast::Abstention;
use barograph_domain::scorecard::{AlertRow, ScoreRow, Scorecard, SkillReading, SkillVerdict, StabilityRow};
use barograph_query::scores::ForecastView;
use barograph_verify::scorecard::WINDOWS;
use std::fmt::Write as _;

/// As text.
pub(crate) fn scorecard(card: &Scorecard) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    if let Some([first, last]) = card.span {
        line(&format!(
            "Scorecard of the book {}: {}, {} to {}",
            card.book,
            number_of(card.markets.len(), "market"),
            day(first),
            day(last)
        ));
    }
    line(&format!("logic version {}", card.logic_version));
    line("");
    line("Skill is against persistence: how often the event followed the state it was in.");
    line("Bands are 90 %. Windows are cases that do not overlap. Better since a day, or");
    line("worse, is decided by a 95 % confidence sequence; \"so far\" is by the band alone.");
    line(&format!("{:<17}{:<6}{:>8}{:>6} {:<25}{}", "event", "window", "windows", "came", "skill", "says"));
    let mut scope = String::new();
    let mut rows: Vec<&ScoreRow> = card.rows.iter().filter(|r| r.denominators.asked > 0).collect();
    rows.sort_by_key(|r| scope_rank(&r.scope));
    for row in rows {
        if row.scope != scope {
            scope.clone_from(&row.scope);
            line(&format!("  {}", if scope == "all" { "all markets together" } else { &scope }));
        }
        line(&score_line(row));
    }
    for (window, _) in WINDOWS {
        let of = if window == "all" { "all of it".to_owned() } else { format!("last {window}") };
        let alerts = card.alerts.iter().filter(|a| a.scope == "all" && a.window == window && a.n > 0);
        let alerts: Vec<&AlertRow> = alerts.collect();
        if !alerts.is_empty() {
            line("");
            let alert = format!("alert, {of}");
            line(&format!("{alert:<24}{:<16}{:>18}{:>9}{:>12}", "followed by", "right", "per day", "lift"));
            alerts.into_iter().for_each(|a| line(&alert_line(a)));
        }
        let steady = card.stability.iter().filter(|s| s.scope == "all" && s.window == window);
        let steady: Vec<&StabilityRow> = steady.collect();
        if !steady.is_empty() {
            line("");
            line(&format!("labels, {of}: changes a market and day (raw in brackets), median episode"));
            steady.into_iter().for_each(|s| line(&stability_line(s)));
        }
    }
    out
}

fn scope_rank(scope: &str) -> (u8, String) {
    let rank = match scope {
        "all" => 0,
        "btc" | "eth" | "other" => 1,
        _ => 2,
    };
    (rank, scope.to_owned())
}

fn day(t: barograph_domain::Ts) -> String {
    let text = t.iso();
    text.get(..10).unwrap_or(&text).to_owned()
}

fn percent(x: f64) -> String {
    let p = x * 100.0;
    if p.abs() < 10.0 { format!("{p:.1} %") } else { format!("{p:.0} %") }
}

fn score_line(row: &ScoreRow) -> String {
    let came = row.base_rate.map_or_else(|| "–".to_owned(), percent);
    let void = row.denominators.void;
    let says = match (void * 50 > row.denominators.issued, row.denominators.scored) {
        // More than two in a hundred void: that comes first.
        (true, _) => format!("{} void of {}", void, row.denominators.issued),
        (false, 0) => why_none(row),
        (false, _) => in_short(row),
    };
    let (event, windows) = (row.event.id(), row.n_eff);
    // What has no state before its window is held against climatology alone.
    let (reading, says) = match (row.persistence.n, row.climatology.value) {
        (0, Some(_)) => (&row.climatology, "vs climatology".to_owned()),
        _ => (&row.persistence, says),
    };
    let numbers = format!("{event:<17}{:<6}{windows:>8}{came:>6} ", row.window);
    match skill(reading) {
        Some(skill) => format!("{numbers}{skill:<25}{says}"),
        None => format!("{numbers}–  {says}"),
    }
}

/// Against what stands above the table; what is decided with the day since when.
fn in_short(row: &ScoreRow) -> String {
    match row.verdict {
        SkillVerdict::Skill => {
            let since = row.sequence.and_then(|s| s.activated_at);
            since.map_or_else(|| "better".to_owned(), |t| format!("better {}", day(t)))
        }
        SkillVerdict::WorseThanPersistence => "worse".to_owned(),
        SkillVerdict::BetterSoFar
        | SkillVerdict::WorseSoFar
        | SkillVerdict::NoSkillShown
        | SkillVerdict::TooLittleData => row.verdict.spoken().to_owned(),
    }
}

/// Why nothing was scored.
fn why_none(row: &ScoreRow) -> String {
    let d = &row.denominators;
    let most = |of: &std::collections::BTreeMap<String, u64>| {
        of.iter().max_by_key(|(_, n)| **n).map(|(why, _)| why.replace('_', " "))
    };
    match (most(&d.abstained), most(&d.not_issued)) {
        (Some(why), _) if d.resolved > 0 => format!("no probability: {why}"),
        (_, Some(why)) if d.issued == 0 => format!("not registered: {why}"),
        _ if d.unresolvable > 0 => "too little seen to resolve".to_owned(),
        _ => "nothing resolved yet".to_owned(),
    }
}

fn skill(s: &SkillReading) -> Option<String> {
    let (value, low, high) = (s.value?, s.low?, s.high?);
    Some(format!("{} % ({} to {})", signed(value), signed(low), signed(high)))
}

/// In percent with its sign; what rounds to nothing has none.
fn signed(x: f64) -> String {
    let text = format!("{:+.1}", x * 100.0);
    if text.ends_with("0.0") && text.len() == 4 { "0.0".to_owned() } else { text }
}

fn alert_line(a: &AlertRow) -> String {
    let right = a.precision.map_or_else(|| "–".to_owned(), |p| format!("{} of {} ({})", a.hits, a.n, percent(p)));
    let per_day = a.per_day.map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"));
    // The bound is what a severity goes by.
    let lift = match (a.lift, a.lift_low) {
        (Some(x), Some(low)) => format!("{} (≥ {})", times(x), times(low)),
        (Some(x), None) => times(x),
        (None, _) => "–".to_owned(),
    };
    let line = format!("{:<24}{:<16} {right:>17} {per_day:>8} {lift:>11}", a.alert, a.event.id());
    let mut more = Vec::new();
    if let (Some(events), Some(recall)) = (a.events, a.recall) {
        let lead = a.lead_min.map_or_else(String::new, |[median, ..]| format!(", {median:.0} min ahead (median)"));
        more.push(format!("came before {} of {events} events{lead}", percent(recall)));
    }
    if let Some(repeats) = a.dup_rate.filter(|share| *share > 0.0) {
        more.push(format!("{} repeat", percent(repeats)));
    }
    if more.is_empty() { line } else { format!("{line}\n  {}", more.join("; ")) }
}

/// Of ten and more no tenth is known, and its place is needed.
fn times(x: f64) -> String {
    if x < 9.95 { format!("{x:.1}") } else { format!("{x:.0}") }
}

fn stability_line(s: &StabilityRow) -> String {
    let rate = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"));
    let length = s.episode_h.map_or_else(|| "–".to_owned(), |[median, _]| format!("{median:.0} h"));
    format!("{:<12}{:>6} ({}) {:>8}", s.axis, rate(s.flip_rate), rate(s.raw_flip_rate), length)
}

/// An outcome as a word; `unknown` where there is none.
fn came(event: &str, outcome: Option<u8>, unknown: &str) -> String {
    match outcome {
        Some(0) if event != "vol_class_24h" => "no".to_owned(),
        Some(1) if event != "vol_class_24h" => "yes".to_owned(),
        Some(class) => format!("class {class}"),
        None => unknown.to_owned(),
    }
}

/// The newest forecasts, one a line.
pub(crate) fn forecasts(views: &[ForecastView]) -> String {
    let mut out = format!("{:<18}{:<21}{:<15}{:>7}  {}\n", "issued", "market", "event", "said", "came");
    for v in views {
        let said = match (v.probability, v.abstain_reason) {
            (Some(p), _) => percent(p),
            (None, Some(_)) => "–".to_owned(),
            (None, None) => "classes".to_owned(),
        };
        // What it is about, where a market has several at once; and why there is no number.
        let about = v.subject.as_ref().map(|subject| format!("beside {subject}"));
        let silent = Abstention::ALL.into_iter().find(|a| Some(a.id()) == v.abstain_reason);
        let silent = silent.map(|why| format!("no number: {}", why.spoken()));
        let mut came = match (v.outcome, v.resolution_reason) {
            (None, Some("no_case")) => "the ledger has no such case".to_owned(),
            (None, None) => format!("due after {}", (v.resolve_after - v.issued_ts).spoken()),
            (outcome, reason) => came(v.event_id, outcome, reason.unwrap_or_default()),
        };
        if v.revised_at.is_some() {
            came += &format!(" (revised: {})", self::came(v.event_id, v.revised_outcome, "cannot be judged"));
        }
        let issued = minute(v.issued_ts);
        let _fits = writeln!(out, "{issued:<18}{:<21}{:<15}{said:>7}  {came}", v.symbol, v.event_id);
        // Beneath it: a line has no room for them.
        let more: Vec<String> = about.into_iter().chain(silent).collect();
        if !more.is_empty() {
            let _fits = writeln!(out, "{}", fold(&more.join("; "), 80, "    "));
        }
    }
    out
}
