//! Sentences about alerts: what was measured, against what, over which time, and how often it happens here.
//!
//! Made from a record when somebody reads it. Suspected behaviour has one wording, "pattern consistent with …"; nothing
//! here tells anybody what to do.

use crate::features::funding_signals::AnomalyReasons;
use barograph_domain::alert::{Change, Datum, Statistic, Word};
use barograph_domain::{Alert, Kind, Pattern, Severity, Span, Trigger};

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
    if let Some(id) = &alert.rule {
        return format!("Own rule {id}");
    }
    match alert.pattern {
        Pattern::FundingManipulation => "Funding far outside its day".to_owned(),
        Pattern::FundingAnomaly => "Funding anomaly".to_owned(),
        Pattern::FundingReversal => "Funding reversal".to_owned(),
        Pattern::FundingFarming => "One-way funding for a week".to_owned(),
        Pattern::LiquidationCascade if alert.trigger == Some(Trigger::Burst) => "Burst of liquidations".to_owned(),
        Pattern::LiquidationCascade => "Liquidation cascade".to_owned(),
        Pattern::ForcedLiquidations => "One-sided liquidations".to_owned(),
        Pattern::BasisManipulation => "Futures far from spot".to_owned(),
        Pattern::PremiumDeviation => "Mark far from index".to_owned(),
        Pattern::PositionConcentration => "Concentrated positions".to_owned(),
        Pattern::VolatilityRegimeChange => format!("Volatility regime {}", word(alert, "to")),
        Pattern::RegimeChange => {
            format!("{} regime {}", capital(alert.trigger.map_or("", Trigger::name)), word(alert, "to"))
        }
        Pattern::RegimeConfirmed => {
            format!("{} confirmed on several timeframes", word(alert, "regime"))
        }
        Pattern::SessionChanged => format!("{} session", word(alert, "to")),
        // Below its band is worth a look, and not yet a break.
        Pattern::CorrelationBreak if alert.severity == Severity::Info => "Correlation below its band".to_owned(),
        Pattern::CorrelationBreak => "Correlation break".to_owned(),
        Pattern::DataGap => "Data lost".to_owned(),
        Pattern::FeedStale => "Data too old".to_owned(),
        Pattern::AlertRule => "Own rule".to_owned(),
    }
}

/// The behaviour a pattern is consistent with; empty for what has no behaviour behind it.
#[must_use]
pub const fn consistent_with(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::FundingManipulation => "manipulation of funding",
        Pattern::FundingFarming => "farming of funding",
        Pattern::LiquidationCascade => "a liquidation cascade",
        Pattern::ForcedLiquidations => "coordinated forced liquidations of one side",
        Pattern::BasisManipulation => "manipulation of the basis",
        Pattern::PositionConcentration => "a concentration of positions",
        Pattern::FundingAnomaly
        | Pattern::FundingReversal
        | Pattern::PremiumDeviation
        | Pattern::VolatilityRegimeChange
        | Pattern::RegimeChange
        | Pattern::RegimeConfirmed
        | Pattern::SessionChanged
        | Pattern::CorrelationBreak
        | Pattern::DataGap
        | Pattern::FeedStale
        | Pattern::AlertRule => "",
    }
}

/// The whole explanation.
#[must_use]
pub fn description(alert: &Alert) -> String {
    let mut text = fact(alert);
    match alert.change {
        Change::Suspended => text.push_str(" An input is missing: it cannot be seen whether it goes on."),
        Change::Resumed => text.push_str(" The input is back, and it goes on."),
        Change::Closed => {
            let lasted = alert.closed_at.map_or(Span::ZERO, |c| c - alert.opened_at);
            text.push_str(&format!(" It is over after {}.", lasted.spoken()));
        }
        Change::Opened | Change::Updated | Change::Happened => {}
    }
    let behaviour = consistent_with(alert.pattern);
    // What is over is consistent with calm.
    if !behaviour.is_empty() && alert.change != Change::Closed {
        text.push_str(&format!(" Pattern consistent with {behaviour}."));
    }
    for limit in limits(alert) {
        text.push(' ');
        text.push_str(limit);
    }
    if let Some(by) = alert.inhibited_by {
        text.push_str(&format!(" {} says the same more strongly.", by.name()));
    }
    base_rate(alert, &mut text);
    text
}

/// What the evidence cannot show.
#[must_use]
pub fn limits(alert: &Alert) -> Vec<&'static str> {
    let mut out = Vec::new();
    let any = |kind: Kind| alert.statistics.iter().any(|s| s.kind == kind && s.value.is_some());
    if any(Kind::Sampled) {
        out.push("The venue shows only part of its liquidations.");
    }
    if any(Kind::Modelled) {
        out.push("Some of it is modelled.");
    }
    if any(Kind::Proxy) {
        out.push("Another quantity stands in for what is not published.");
    }
    if alert.statistics.iter().any(|s| s.uncalibrated) {
        out.push("There is too little of this market's own history to judge by it yet.");
    }
    out
}

fn base_rate(alert: &Alert, text: &mut String) {
    let rate = &alert.base_rate;
    // A rate over part of a day says nothing.
    if rate.known_days < 1.0 {
        return;
    }
    let times = match rate.fired_90d {
        0 => "not once".to_owned(),
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let days = rate.known_days.min(90.0);
    text.push_str(&format!(" Here this happened {times} before in the last {days:.1} days it could be judged"));
    match rate.held_share_90d.filter(|_| alert.change != Change::Happened) {
        Some(share) => {
            text.push_str(&format!(" and held {:.1} % of that time.", 100.0 * share));
        }
        None => text.push('.'),
    }
}

fn fact(alert: &Alert) -> String {
    if alert.rule.is_some() {
        return ruled(alert);
    }
    match alert.pattern {
        Pattern::FundingManipulation => {
            let after = format!("from its mean of {}", window(alert));
            compared(alert, "funding_zscore_24h", "Funding is", &after, sigma)
        }
        Pattern::FundingAnomaly => anomaly(alert),
        Pattern::FundingReversal => match (alert.number("previous_rate"), alert.number("funding_rate")) {
            (Some(before), Some(now)) => {
                format!("Funding turned from {} to {} per 8 h within 8 h.", percent4(before), percent4(now))
            }
            _ => "Funding turned within 8 h.".to_owned(),
        },
        Pattern::FundingFarming => match alert.number("farming_share") {
            Some(share) => format!(
                "{:.0} % of the last 21 funding blocks of 8 h lie beyond {} on one side.",
                100.0 * share,
                percent4(alert.number("block_threshold").unwrap_or_default())
            ),
            None => "Most funding blocks of 8 h lie on one side.".to_owned(),
        },
        Pattern::LiquidationCascade if alert.trigger == Some(Trigger::Burst) => {
            compared(alert, "liq_count_60s", "", "liquidations within 60 s", |x| format!("{x:.0}"))
        }
        Pattern::LiquidationCascade => cascade(alert),
        Pattern::ForcedLiquidations => {
            compared(alert, "liq_side_share_1h", "", "of what was liquidated within 1 h is on one side", percent0)
        }
        Pattern::BasisManipulation => compared(alert, "basis", "Futures are", "from spot", percent2),
        Pattern::PremiumDeviation => compared(alert, "premium", "The mark is", "from the index", percent2),
        Pattern::PositionConcentration => {
            compared(alert, "position_concentration", "", "of the positions are in one tier", percent0)
        }
        Pattern::VolatilityRegimeChange | Pattern::RegimeChange => format!(
            "The {} label changed from {} to {}.",
            alert.trigger.map_or("", Trigger::name),
            word(alert, "from"),
            word(alert, "to")
        ),
        Pattern::RegimeConfirmed => format!("{} holds on {}.", word(alert, "regime"), listed(alert, "timeframes")),
        Pattern::SessionChanged => format!("{} follows {}.", word(alert, "to"), word(alert, "from")),
        Pattern::CorrelationBreak => parted(alert),
        Pattern::DataGap => match listed(alert, "streams") {
            none if none.is_empty() => "Every stream that the rules read is here again.".to_owned(),
            streams => format!("No trustworthy data of {streams}."),
        },
        Pattern::FeedStale => match listed(alert, "inputs") {
            none if none.is_empty() => "No input of the rules is older than its limit any more.".to_owned(),
            inputs => format!("Older than its limit: {inputs}."),
        },
        Pattern::AlertRule => ruled(alert),
    }
}

/// "The correlation of their last 20 hourly returns is 0.31; usual for the two is 0.70 or more."
fn parted(alert: &Alert) -> String {
    let Some(r) = alert.number("return_correlation") else {
        return "The correlation of their hourly returns is not known.".to_owned();
    };
    let r = format!("The correlation of their last 20 hourly returns is {}", signed(r));
    let mut thresholds = alert.statistics.iter().filter(|s| s.name == "pair_corr_20").map(|s| s.threshold);
    match (thresholds.next(), thresholds.next()) {
        (_, Some(low)) => format!("{r}; usual for the two is {} or more.", signed(low)),
        (Some(floor), None) => format!("{r} (threshold {}).", signed(floor)),
        (None, None) => format!("{r}."),
    }
}

/// "realized_vol_1h is 1.24 (threshold 0.80), funding_rate_8h is 0.0004 (threshold 0.0003)."
fn ruled(alert: &Alert) -> String {
    let told = alert.statistics.iter().map(|s| match s.value {
        Some(value) => format!("{} is {} (threshold {})", s.name, shown(value, &s.unit), shown(s.threshold, &s.unit)),
        None => format!("{} is not known (threshold {})", s.name, shown(s.threshold, &s.unit)),
    });
    let mut told: Vec<String> = told.collect();
    // Words of labels and flags stand among the facts.
    told.extend(alert.data.iter().filter(|(name, _)| name != "rule" && name != "text").map(
        |(name, datum)| match datum {
            Datum::Word(word) => format!("{name} is {word}"),
            Datum::Number(_) | Datum::Words(_) | Datum::Missing(_) => format!("{name} is not known"),
        },
    ));
    let said = alert.word("text").map_or_else(String::new, |text| format!("{}. ", text.trim_end_matches('.')));
    format!("{said}{}.", told.join(", "))
}

/// A number with four significant digits and its unit.
fn shown(x: f64, unit: &str) -> String {
    crate::explain::significant(x, unit)
}

/// Two digits, with a minus sign that is one.
fn signed(x: f64) -> String {
    format!("{x:.2}").replace('-', "−")
}

fn cascade(alert: &Alert) -> String {
    let velocity = alert.number("velocity_usd_per_hour").map_or_else(|| "an unknown amount".to_owned(), money);
    let total = alert.number("total_liquidated_usd").map_or_else(|| "an unknown amount".to_owned(), money);
    let side = match alert.word("side_bias") {
        Some("LONG") => ", mostly longs",
        Some("SHORT") => ", mostly shorts",
        _ => "",
    };
    let ratio =
        alert.number("severity_ratio").map_or_else(String::new, |r| format!(" ({r:.2} × the critical velocity)"));
    format!("{total} was liquidated within the window, {velocity} an hour{ratio}{side}.")
}

fn anomaly(alert: &Alert) -> String {
    let said = listed(alert, "reasons");
    if said.is_empty() {
        "Funding is back within its usual range.".to_owned()
    } else {
        format!("Funding stands out: {said}.")
    }
}

/// How far back its statistic looked.
fn window(alert: &Alert) -> String {
    let looked = alert.ts - alert.window_from;
    if looked == Span::hours(24) { "24 h".to_owned() } else { looked.spoken() }
}

/// "Funding is 3.42 σ from its mean of 24 h (threshold 3.00 σ)."
fn compared(alert: &Alert, name: &str, before: &str, after: &str, show: impl Fn(f64) -> String) -> String {
    let of_name = || alert.statistics.iter().filter(|s| s.name == name);
    let Some(statistic) = of_name().find(|s| s.decides).or_else(|| of_name().next()) else {
        return format!("{} {after}.", capital(before)).trim_start().to_owned();
    };
    let Some(value) = statistic.value else {
        return format!("What is compared ({name}) is not known.");
    };
    let mut text = String::new();
    if !before.is_empty() {
        text.push_str(before);
        text.push(' ');
    }
    text.push_str(&format!("{} {after} (threshold {}", show(value.abs()), show(statistic.threshold)));
    // The original's floor beside the number that decides.
    if let Some(other) = of_name().find(|s| differs(s, statistic)) {
        text.push_str(&format!("; the original's floor {}", show(other.threshold)));
    }
    text.push_str(").");
    text
}

fn differs(a: &Statistic, b: &Statistic) -> bool {
    a.threshold.to_bits() != b.threshold.to_bits()
}

fn word<'a>(alert: &'a Alert, name: &str) -> &'a str {
    alert.word(name).unwrap_or("unknown")
}

fn listed(alert: &Alert, name: &str) -> String {
    match alert.datum(name) {
        Some(Datum::Words(words)) => words.join(", "),
        _ => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn sigma(x: f64) -> String {
    format!("{x:.2} σ")
}
fn percent0(x: f64) -> String {
    format!("{:.0} %", 100.0 * x)
}
fn percent2(x: f64) -> String {
    format!("{:.2} %", 100.0 * x)
}
fn percent4(x: f64) -> String {
    format!("{:.4} %", 100.0 * x)
}

/// "1.50 M", "312 k", "940": quote units as people say them.
#[must_use]
pub fn money(x: f64) -> String {
    match x.abs() {
        a if a >= 1e9 => format!("{:.2} bn", x / 1e9),
        a if a >= 1e6 => format!("{:.2} M", x / 1e6),
        a if a >= 1e4 => format!("{:.0} k", x / 1e3),
        _ => format!("{x:.0}"),
    }
}
