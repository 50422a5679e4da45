//! Sentences about alerts: what was measured, against what, over which time, and how often it happens here.
//!
//! Made from a record when somebody reads it, from the words of its pattern ([`super::words`]).

use super::episode::ENDED_BY;
use super::lifts::{LIFT, LIFT_CASES, LIFT_LOW};
use super::rarity::{FIXED_SEVERITY, KEPT_BY, KNOWN_DAYS_MIN, PEAK_OF};
use super::words::{self, is_proxy};
use crate::explain::{AxisMoment, Minute};
use crate::features::funding_signals::AnomalyReasons;
use barograph_domain::alert::{AlertChange, BaseRate, Word};
use barograph_domain::pattern::Family;
use barograph_domain::{Alert, Kind, Pattern, Reason, Severity, Span};

pub use super::fact::money;

/// Reasons of a funding anomaly as the original prints them (R4.12).
#[must_use]
pub fn reasons(reasons: AnomalyReasons, z: Option<f64>, change: Option<f64>, volatility: Option<f64>) -> Vec<Word> {
    let mut out = Vec::new();
    let mut say = |holds: bool, value: Option<f64>, text: &dyn Fn(f64) -> String| {
        if let Some(value) = value.filter(|_| holds) {
            out.push(Word::from(text(value)));
        }
    };
    say(reasons.z, z, &|z| format!("Z-score anomaly: {z:.2}σ"));
    say(reasons.change, change, &|c| format!("Rapid change: {c:.5}"));
    say(reasons.volatility, volatility, &|v| format!("High volatility: {v:.5}"));
    out
}

/// A heading of a few words.
#[must_use]
pub fn title(alert: &Alert) -> String {
    (words::of_speaker(alert).title)(alert)
}

/// The heading with the crowded side, where a label that has one changed: "Squeeze risk, longs crowded".
#[must_use]
pub fn title_at(alert: &Alert, minute: Option<&Minute>) -> String {
    let side =
        label_of(minute).filter(|m| m.told).and_then(|m| m.side).filter(|_| alert.word("to") == Some("SQUEEZE_RISK"));
    let crowd = match side {
        Some("LONG_SQUEEZE") => ", longs crowded",
        Some("SHORT_SQUEEZE") => ", shorts crowded",
        _ => "",
    };
    format!("{}{crowd}", title(alert))
}

/// What was measured, in one sentence.
fn fact(alert: &Alert) -> String {
    (words::of_speaker(alert).fact)(alert)
}

fn label_of(minute: Option<&Minute>) -> Option<&AxisMoment> {
    minute?.label.as_ref()
}

/// The whole explanation.
#[must_use]
pub fn description(alert: &Alert) -> String {
    description_at(alert, None)
}

/// The same; of a changed label with what its minute says: why, price, side.
#[must_use]
pub fn description_at(alert: &Alert, minute: Option<&Minute>) -> String {
    let mut text = story(alert, minute);
    base_rate(alert, &mut text);
    text
}

/// The same without how often it happens here, for messages that say that on a line of their own.
#[must_use]
pub fn story(alert: &Alert, minute: Option<&Minute>) -> String {
    let words = words::of(alert);
    let mut text = match alert.change {
        AlertChange::Closed => ended(alert),
        AlertChange::Suspended => format!("{} An input is missing; whether it continues is unknown.", fact(alert)),
        AlertChange::Resumed => format!("{} Data is back, and it continues.", fact(alert)),
        AlertChange::Opened | AlertChange::Updated | AlertChange::Happened => fact(alert),
    };
    if let Some(moment) = label_of(minute) {
        text.push_str(&format!(" {}", moment.text()));
    }
    // What is over is consistent with calm, and a stand-in shows no behaviour.
    let shows = words.stand_in.is_none() || !is_proxy(alert);
    if !words.behaviour.is_empty() && shows && alert.change != AlertChange::Closed {
        text.push_str(&format!(" Pattern consistent with {}.", words.behaviour));
    }
    for limit in limits(alert) {
        text.push(' ');
        text.push_str(limit);
    }
    if let Some(why) = rarity(alert) {
        text.push(' ');
        text.push_str(&why);
    }
    if let Some(by) = alert.inhibited_by {
        text.push_str(&format!(" A stronger alert covers it: {}.", words::of_pattern(by).short));
    }
    text
}

/// Why it is called less severe than the book has it, or why it is not although it is common: "Common here: 31 times in 90 days, so
/// LOW."
fn rarity(alert: &Alert) -> Option<String> {
    let of = matches!(alert.change, AlertChange::Opened | AlertChange::Updated | AlertChange::Happened);
    alert.word(FIXED_SEVERITY).filter(|_| of)?;
    let (rate, severity) = (&alert.base_rate, alert.severity.name());
    let days = days_of(90.0, rate.known_days);
    let in_days = days.strip_prefix("the last ").unwrap_or(&days);
    let start = rate.known_days < KNOWN_DAYS_MIN && alert.severity == Severity::Medium;
    let came = times(rate.fired_90d);
    Some(match alert.word(KEPT_BY) {
        _ if start => format!("Less than a week of data here, so {severity} at most."),
        Some("peak") => match alert.word(PEAK_OF) {
            Some("realized_vol_1h") => format!("1 h volatility is above anything in {days}."),
            Some("realized_vol_24h") => format!("24 h volatility is above anything in {days}."),
            Some("price_change_24h") => format!("The 24 h move is larger than any in {days}."),
            Some("funding_zscore_24h") => format!("Funding is further from its mean than ever in {days}."),
            Some(_) | None => format!("More extreme than anything in {days}."),
        },
        Some(_) => match (alert.number(LIFT), alert.number(LIFT_LOW), alert.number(LIFT_CASES)) {
            (Some(lift), Some(low), Some(cases)) => format!(
                "Common here ({came} in {in_days}), but a large move followed {lift:.1} times as often as usual, at least \
                 {low:.1} times ({cases:.0} cases): {severity} stays."
            ),
            _ => format!("Common here ({came} in {in_days}), but it has predicted moves: {severity} stays."),
        },
        None => format!("Common here: {came} in {in_days}, so {severity}."),
    })
}

fn times(n: u32) -> String {
    match n {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    }
}

/// "the last 90 days", or what of them could be judged.
fn days_of(most: f64, known: f64) -> String {
    match known.floor() {
        d if d >= most => format!("the last {most:.0} days"),
        d if d < 2.0 => "one day of data".to_owned(),
        d => format!("{d:.0} days of data"),
    }
}

/// "Ended after 1 h 36 min: no liquidations left to compare."
fn ended(alert: &Alert) -> String {
    let lasted = alert.closed_at.map_or(Span::ZERO, |c| c - alert.opened_at).spoken();
    if alert.word(ENDED_BY).is_some() {
        return format!(
            "No longer followed after {lasted}: barograph was started with other venues, streams or addresses."
        );
    }
    // What books and trades look like at the end is not what was found in them.
    if alert.pattern.family() == Family::OrderFlow {
        return format!("Ended after {lasted}.");
    }
    let nothing = alert.statistics.iter().find(|s| s.decides).filter(|s| s.value.is_none());
    match (nothing.map(|s| s.reason), words::of(alert).emptied) {
        (Some(Some(Reason::ZeroDenominator)), Some(why)) => format!("Ended after {lasted}: {why}."),
        (Some(Some(Reason::NotOffered)), _) => format!("Ended after {lasted}: the venue no longer publishes it."),
        (Some(_), _) if alert.rule.is_none() => format!("Ended after {lasted}."),
        _ => format!("Ended after {lasted}. {}", fact(alert)),
    }
}

/// What the evidence cannot show.
#[must_use]
pub fn limits(alert: &Alert) -> Vec<&'static str> {
    let mut out = Vec::new();
    let any = |kind: Kind| alert.statistics.iter().any(|s| s.kind == kind && s.value.is_some());
    if any(Kind::Sampled) {
        out.push("The venue publishes only part of its liquidations.");
    }
    if any(Kind::Modelled) {
        out.push("Part of it is modelled.");
    }
    if any(Kind::Proxy) {
        out.push(words::of(alert).stand_in.unwrap_or_else(|| stands_in(alert)));
    }
    if matches!(alert.pattern, Pattern::Spoofing | Pattern::Layering) {
        out.push("A book is published in steps: what is added and cancelled within one step is not seen.");
    }
    if alert.pattern == Pattern::QuoteStuffing {
        out.push("A book is published in steps: there were at least so many changes.");
    }
    if alert.is("experimental") {
        out.push("Experimental: how often this is a false alarm on real markets is not measured yet.");
    }
    if alert.statistics.iter().any(|s| s.uncalibrated) {
        out.push("Fixed limit, uncalibrated: this market has too little history of its own.");
    }
    out
}

/// What stands in for what. Venues publish most of what a proxy stands in for: it is the record here that lacks it, or is too short.
fn stands_in(alert: &Alert) -> &'static str {
    let proxies = || alert.statistics.iter().filter(|s| s.kind == Kind::Proxy && s.value.is_some());
    if proxies().any(|s| s.name.starts_with("funding")) {
        "Settlements stand in for the running rate, which is not recorded here, or not for long enough yet."
    } else if proxies().any(|s| s.name.starts_with("basis")) {
        "The index stands in for the spot price, which is not recorded here."
    } else {
        "A proxy stands in for an input that is not recorded here, or not for long enough yet."
    }
}

/// "First time on this market in 30 days." Over the same days as the count that messages carry, so that both agree; a label is
/// counted whatever was before it. Where not all of them could be judged, it is so many days of data.
fn base_rate(alert: &Alert, text: &mut String) {
    let rate = &alert.base_rate;
    // A rate over part of a day says nothing; a label that is back after nothing could be read was not entered by the market.
    if rate.recent_days() < 1.0 || alert.word("from") == Some("UNKNOWN") {
        return;
    }
    let days = days_of(BaseRate::RECENT_DAYS, rate.recent_days());
    text.push_str(&match rate.fired_30d {
        0 => format!(" First time on this market in {}", days.strip_prefix("the last ").unwrap_or(&days)),
        1 => format!(" Once before in {days}"),
        n => format!(" {n} times before in {days}"),
    });
    match rate.held_share_90d.filter(|share| *share > 0.0 && alert.change != AlertChange::Happened) {
        Some(share) => {
            let share = crate::explain::significant(share, "fraction");
            text.push_str(&format!("; active {share} of {}.", days_of(90.0, rate.known_days)));
        }
        None => text.push('.'),
    }
}
