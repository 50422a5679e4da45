//! What a record measured, in one sentence: number, side, window, and the limit it is alerted at. Which of these sentences a
//! pattern takes stands in its row.

use super::words::{is_divergence, is_proxy};
use crate::catalogue::Feature;
use crate::explain::{capitalised, significant};
use barograph_domain::alert::{AlertChange, Datum, Statistic};
use barograph_domain::{Alert, Severity, Span};

/// "Funding turned from 0.0300 % to −0.0300 % per 8 h within 8 h."
pub(super) fn funding_reversed(alert: &Alert) -> String {
    match (alert.number("previous_rate"), alert.number("funding_rate")) {
        (Some(before), Some(now)) => format!("Funding turned from {} to {} within 8 h.", per_8h(before), per_8h(now)),
        _ => "Funding turned within 8 h.".to_owned(),
    }
}

/// "Funding was beyond 0.0100 % per 8 h on one side in 76 % of the last 21 funding blocks of 8 h."
pub(super) fn farmed(alert: &Alert) -> String {
    match alert.number("farming_share") {
        Some(share) => format!(
            "Funding was beyond {} on one side in {:.0} % of the last 21 funding blocks of 8 h.",
            per_8h(alert.number("block_threshold").unwrap_or_default()),
            100.0 * share,
        ),
        None => "Funding stayed on one side for most of the week.".to_owned(),
    }
}

/// "The correlation of their last 20 hourly returns is 0.31; usual for the pair is 0.70 or more."
pub(super) fn parted(alert: &Alert) -> String {
    let Some(r) = alert.number("return_correlation") else {
        return "The correlation of their hourly returns is not known.".to_owned();
    };
    let r = format!("The correlation of their last 20 hourly returns is {}", signed(r));
    let mut thresholds = alert.statistics.iter().filter(|s| s.name == "pair_corr_20").map(|s| s.threshold);
    match (thresholds.next(), thresholds.next()) {
        (_, Some(low)) if alert.severity == Severity::Info || is_divergence(alert) => {
            format!("{r}; usual for the pair is {} or more.", signed(low))
        }
        (Some(floor), Some(low)) => {
            format!("{r} (alert at {}); usual for the pair is {} or more.", signed(floor), signed(low))
        }
        (Some(floor), None) => format!("{r} (alert at {}).", signed(floor)),
        (None, _) => format!("{r}."),
    }
}

/// "1 h volatility last week differs from the 13 weeks before: PSI 1.20 (alert at 0.90)."
pub(super) fn moved(alert: &Alert) -> String {
    let id = word(alert, "feature");
    let feature = capitalised(Feature::from_id(id).map_or(id, |f| f.spec().spoken));
    match (alert.number("psi"), alert.number("psi_limit")) {
        (Some(psi), Some(limit)) => {
            format!("{feature} last week differs from the 13 weeks before: PSI {psi:.2} (alert at {limit:.2}).")
        }
        _ => format!("{feature} last week could not be compared with the weeks before."),
    }
}

/// "Brier skill over persistence in 30 days, markets of btc: −0.12, 90 % band −0.20 to −0.05, of 8,640 forecasts."
pub(super) fn worse(alert: &Alert) -> String {
    let Some(skill) = alert.number("skill") else {
        return "Too few forecasts were resolved within 30 days.".to_owned();
    };
    let band = alert.number("skill_low").zip(alert.number("skill_high"));
    let band = band.map_or_else(String::new, |(a, b)| format!(", 90 % band {} to {}", signed(a), signed(b)));
    let (group, n) = (word(alert, "group"), alert.number("forecasts").unwrap_or_default());
    format!(
        "Brier skill over persistence in 30 days, markets of {group}: {}{band}, of {n:.0} forecasts.",
        signed(skill)
    )
}

/// "realized_vol_1h is 1.24 (alert at 0.80), funding_rate_8h is 0.0004 (alert at 0.0003)."
pub(super) fn ruled(alert: &Alert) -> String {
    let told = alert.statistics.iter().map(|s| match s.value {
        Some(value) => {
            format!("{} is {} (alert at {})", s.name, significant(value, &s.unit), significant(s.threshold, &s.unit))
        }
        None => format!("{} is not known (alert at {})", s.name, significant(s.threshold, &s.unit)),
    });
    let mut told: Vec<String> = told.collect();
    // Words of labels and flags stand among the facts.
    told.extend(alert.data.iter().filter(|(name, _)| name != "rule" && name != "text").map(
        |(name, datum)| match datum {
            Datum::Word(word) => format!("{name} is {word}"),
            Datum::Number(_) | Datum::Words(_) | Datum::Missing(_) | Datum::Flag(_) => format!("{name} is not known"),
        },
    ));
    let said = alert.word("text").map_or_else(String::new, |text| format!("{}. ", text.trim_end_matches('.')));
    format!("{said}{}.", told.join(", "))
}

/// "6 liquidations in 8 s (alert at 5 within 60 s): 412 K USD, mostly longs, at 62,310 to 62,868."
pub(super) fn burst(alert: &Alert) -> String {
    let statistic = decisive(alert, "liq_count_60s");
    let least = if alert.is("lower_bound") { "at least " } else { "" };
    let mut text = match (alert.number("count"), alert.number("span_s")) {
        (Some(count), Some(span)) => format!("{least}{count:.0} liquidations in {}", seconds(span)),
        _ => match statistic.and_then(|s| s.value) {
            Some(count) => format!("{count:.0} liquidations within 60 s"),
            None => "Many liquidations within 60 s".to_owned(),
        },
    };
    if let Some(statistic) = statistic {
        text.push_str(&format!(" (alert at {:.0} within 60 s", statistic.threshold.ceil()));
        // The fixed floor beside the number that decides.
        let floor = alert.statistics.iter().find(|s| s.name == "liq_count_60s" && differs(s, statistic));
        text.push_str(&floor.map_or_else(|| ")".to_owned(), |s| format!(", fixed floor {:.0})", s.threshold)));
    }
    if let Some(usd) = alert.number("total_liquidated_usd").filter(|_| alert.number("count").is_some()) {
        text.push_str(&format!(": {least}{} USD{}", money(usd), side(alert)));
        if let (Some(low), Some(high)) = (alert.number("price_low"), alert.number("price_high")) {
            text.push_str(&format!(", {}", range(low, high)));
        }
    }
    format!("{}.", capital(&text))
}

pub(super) fn cascade(alert: &Alert) -> String {
    let least = if alert.is("lower_bound") { "at least " } else { "" };
    let (Some(total), Some(velocity)) = (alert.number("total_liquidated_usd"), alert.number("velocity_usd_per_hour"))
    else {
        return "Liquidations of the last hours are not known.".to_owned();
    };
    let ratio =
        alert.number("severity_ratio").map_or_else(String::new, |r| format!(" ({r:.2} times the critical rate)"));
    let window = alert.ts - alert.window_from;
    // Over the time since the first close that was heard; an earlier one that was not would make the rate lower.
    let since_first = velocity * window.as_secs_f64() / 3_600.0 > total * (1.0 + 1e-9);
    let (least_rate, of) = match (alert.is("lower_bound"), since_first) {
        (true, true) => ("", " since the first one recorded"),
        (true, false) => (least, ""),
        (false, _) => ("", ""),
    };
    let text = format!(
        "{least}{} USD liquidated in {}, {least_rate}{} USD an hour{of}{ratio}{}.",
        money(total),
        window.spoken(),
        money(velocity),
        side(alert)
    );
    capital(&text)
}

/// ", mostly longs"
fn side(alert: &Alert) -> &'static str {
    let all = |own: &str| alert.number(own).is_some_and(|usd| usd <= 0.0);
    match alert.word("side_bias") {
        Some("LONG") if all("liquidated_short_usd") => ", all longs",
        Some("SHORT") if all("liquidated_long_usd") => ", all shorts",
        Some("LONG") => ", mostly longs",
        Some("SHORT") => ", mostly shorts",
        Some("BALANCED") => ", longs and shorts",
        _ => "",
    }
}

pub(super) fn one_sided(alert: &Alert) -> String {
    let Some((share, limit)) = decisive(alert, "liq_side_share_1h").and_then(|s| Some((s.value?, s.threshold))) else {
        return "No liquidations to compare in the last hour.".to_owned();
    };
    let side = match alert.number("long_share_1h") {
        Some(long) if long >= 0.5 => "longs",
        Some(_) => "shorts",
        None => "one side",
    };
    format!("{:.0} % of liquidations in the last hour were {side} (alert at {:.0} %).", 100.0 * share, 100.0 * limit)
}

/// A reading of a week is of settlements; one of a day is of running rates.
pub(super) fn is_settled(alert: &Alert) -> bool {
    alert.ts - alert.window_from >= Span::days(2)
}

/// "18.7σ below its 24-hour mean (alert at 2σ)"
fn away_from_mean(alert: &Alert) -> Option<String> {
    let s = decisive(alert, "funding_zscore_24h")?;
    let z = s.value?;
    let side = if z < 0.0 { "below" } else { "above" };
    let span = alert.ts - alert.window_from;
    let mean =
        if is_settled(alert) { format!("{}-day", span.as_days()) } else { format!("{}-hour", span.as_secs() / 3_600) };
    Some(format!("{} {side} its {mean} mean (alert at {})", sigma(z), sigma(s.threshold)))
}

/// "Funding is 18.7σ below its 24-hour mean (alert at 2σ)"
fn from_mean(alert: &Alert) -> Option<String> {
    let what = if is_settled(alert) { "Settled funding" } else { "Funding" };
    away_from_mean(alert).map(|away| format!("{what} is {away}"))
}

/// "Funding is 18.7σ below its 24-hour mean (alert at 2σ)."
pub(super) fn funding(alert: &Alert) -> String {
    from_mean(alert).map_or_else(|| "Funding cannot be compared.".to_owned(), |text| format!("{text}."))
}

/// Settlements of 8 h in a year.
const A_YEAR: f64 = 3.0 * 365.0;

/// "Funding is 18.7σ above its 24-hour mean (alert at 3σ): 0.0490 % per 8 h (53.65 % annualised), settles at 16:00Z."
/// "Settled funding is 4.1σ above its 7-day mean (alert at 3σ). The settlement at 08:00Z was 0.0490 % per 8 h (53.65 % annualised)."
pub(super) fn far_out(alert: &Alert) -> String {
    let Some(away) = from_mean(alert) else { return funding(alert) };
    let settled = is_settled(alert);
    let Some(rate) = alert.number(if settled { "settled_rate" } else { "funding_rate" }) else {
        return format!("{away}.");
    };
    let paid = format!("{} ({} annualised)", per_8h(rate), significant(rate * A_YEAR, "fraction"));
    // "2026-02-05T08:00:00Z", of which a trader reads the time of day.
    let at = |name: &str| alert.word(name).and_then(|iso| iso.get(11..16)).map(|time| format!(" at {time}Z"));
    if settled {
        format!("{away}. The settlement{} was {paid}.", at("settled_at").unwrap_or_default())
    } else {
        format!("{away}: {paid}{}.", at("settles_at").map_or_else(String::new, |at| format!(", settles{at}")))
    }
}

/// "Funding is back in its usual range, 0.4σ above its 24-hour mean (alert at 2σ)." Between its threshold and the band that
/// keeps it open an episode is not back yet.
fn within_limits(alert: &Alert) -> String {
    if alert.change != AlertChange::Closed {
        return funding(alert);
    }
    let what = if is_settled(alert) { "Settled funding" } else { "Funding" };
    let away = away_from_mean(alert).map_or_else(String::new, |away| format!(", {away}"));
    format!("{what} is back in its usual range{away}.")
}

pub(super) fn anomaly(alert: &Alert) -> String {
    let past = |name: &str| alert.statistics.iter().find(|s| s.name == name).filter(|s| s.u.is_some_and(|u| u > 1.0));
    let z = past("funding_zscore_24h").and_then(|_| from_mean(alert));
    let change = past("funding_change_8h").and_then(|s| Some((s.value?, s.threshold))).map(|(change, limit)| {
        let moved = if change < 0.0 { "fell" } else { "rose" };
        format!("{moved} {} within 8 h (alert at {})", per_8h(change.abs()), per_8h(limit))
    });
    let said = match (z, change) {
        (Some(z), Some(change)) => format!("{z}; it {change}"),
        (Some(z), None) => z,
        (None, Some(change)) => format!("Funding {change}"),
        (None, None) => return within_limits(alert),
    };
    let rank = alert.statistics.iter().find(|s| s.name == "funding_pct_30d" && s.decides).and_then(|s| s.value);
    let rank = rank.map_or_else(String::new, |rank| {
        let (words, share) = if rank < 0.5 { ("lower", 1.0 - rank) } else { ("higher", rank) };
        format!(", {words} than in {} of its last 30 days", crate::explain::rank_percent(share))
    });
    format!("{said}{rank}.")
}

/// "Futures are 2.31 % above spot (alert at 2.00 %)."
pub(super) fn apart(alert: &Alert, name: &str, what: &str, other: &str) -> String {
    let Some(s) = decisive(alert, name) else { return format!("{what} far from {other}.") };
    let Some(x) = s.value else { return format!("The distance to {other} is not known.") };
    let side = if x < 0.0 { "below" } else { "above" };
    format!("{what} {:.2} % {side} {other} (alert at {:.2} %).", 100.0 * x.abs(), 100.0 * s.threshold)
}

/// Of tiers, or of the split of the top traders' positions that stands in for them (A15).
pub(super) fn concentration(alert: &Alert) -> String {
    let Some((x, c)) = decisive(alert, "position_concentration").and_then(|s| Some((s.value?, s.threshold))) else {
        return "The concentration of positions is not known.".to_owned();
    };
    if is_proxy(alert) {
        let (share, limit) = (100.0 * larger_side(x), 100.0 * larger_side(c));
        return format!("Top traders hold {share:.0} % of their positions on one side (alert at {limit:.0} %).");
    }
    format!("{:.0} % of the positions are in one tier (alert at {:.0} %).", 100.0 * x, 100.0 * c)
}

/// The stand-in is `2·share − 1` of the larger side (features §2.5).
pub(super) fn larger_side(x: f64) -> f64 {
    0.5 * (1.0 + x)
}

/// The statistic of this name that decides, else the first.
fn decisive<'a>(alert: &'a Alert, name: &str) -> Option<&'a Statistic> {
    let of_name = || alert.statistics.iter().filter(|s| s.name == name);
    of_name().find(|s| s.decides).or_else(|| of_name().next())
}

fn differs(a: &Statistic, b: &Statistic) -> bool {
    a.threshold.to_bits() != b.threshold.to_bits()
}

pub(super) fn word<'a>(alert: &'a Alert, name: &str) -> &'a str {
    alert.word(name).unwrap_or("unknown")
}

pub(super) fn listed(alert: &Alert, name: &str) -> String {
    match alert.datum(name) {
        Some(Datum::Words(words)) => words.join(", "),
        _ => String::new(),
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Two digits, with a minus sign that is one.
pub(super) fn signed(x: f64) -> String {
    format!("{x:.2}").replace('-', "−")
}

/// "18.7σ", "2σ", without sign: the words around it say the side.
fn sigma(x: f64) -> String {
    let text = format!("{:.1}", x.abs());
    format!("{}σ", text.strip_suffix(".0").unwrap_or(&text))
}

/// "0.0100 % per 8 h"
fn per_8h(x: f64) -> String {
    significant(x, "fraction per 8 h")
}

/// "8 s", "0.4 s", "2 min 5 s"
fn seconds(s: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a burst lasts minutes")]
    let span = Span::millis((s * 1e3).round() as i64);
    if span < Span::secs(10) { format!("{s:.1} s") } else { Span::secs(span.as_secs()).spoken() }
}

/// "at 62,310 to 62,868"
fn range(low: f64, high: f64) -> String {
    let (low, high) = (crate::explain::price(low), crate::explain::price(high));
    if low == high { format!("at {low}") } else { format!("at {low} to {high}") }
}

/// "1.50 M", "312 K", "940": quote units as people say them.
#[must_use]
pub fn money(x: f64) -> String {
    match x.abs() {
        a if a >= 1e9 => format!("{:.2} B", x / 1e9),
        a if a >= 1e6 => format!("{:.2} M", x / 1e6),
        a if a >= 1e4 => format!("{:.0} K", x / 1e3),
        _ => format!("{x:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::of_speaker;
    use super::*;
    use barograph_domain::alert::Word;
    use barograph_domain::{Pattern, Trigger, Ts};

    /// The rate that is paid, per 8 h and annualised, and when: of settlements the last one.
    #[test]
    fn funding_far_out_says_what_is_paid_and_when() {
        let told = |window: Span, data: Vec<(Word, Datum)>| {
            let mut alert = super::super::meaning::sample(Pattern::FundingManipulation, None, AlertChange::Opened);
            (alert.window_from, alert.ts, alert.data) = (Ts(0), Ts(0) + window, data);
            alert.statistics[0].value = Some(4.1);
            alert.statistics[0].threshold = 3.0;
            alert.statistics[0].name = Word::from("funding_zscore_24h");
            let words = of_speaker(&alert);
            format!("{}. {}", (words.title)(&alert), (words.fact)(&alert))
        };
        let number = |name: &'static str, x: f64| (Word::from(name), Datum::Number(x));
        let word = |name: &'static str, said: &'static str| (Word::from(name), Datum::Word(Word::from(said)));
        let rate = number("funding_rate", -0.000_49);
        let settled = vec![rate.clone(), number("settled_rate", 0.0012), word("settled_at", "2026-02-05T08:00:00Z")];
        assert_eq!(
            told(Span::days(7), settled),
            "Funding far outside its week. Settled funding is 4.1σ above its 7-day mean (alert at 3σ). \
             The settlement at 08:00Z was 0.1200 % per 8 h (131.4 % annualised)."
        );
        let running = vec![rate, word("settles_at", "2026-02-05T16:00:00Z")];
        assert_eq!(
            told(Span::hours(24), running),
            "Funding far outside its day. Funding is 4.1σ above its 24-hour mean (alert at 3σ): \
             −0.0490 % per 8 h (−53.7 % annualised), settles at 16:00Z."
        );
    }

    /// Of funding at this score, over a day of running rates or a week of settlements.
    fn anomaly_at(z: f64, change: AlertChange, window: Span) -> String {
        let mut alert = super::super::meaning::sample(Pattern::FundingAnomaly, None, change);
        alert.window_from = Ts(0);
        alert.ts = Ts(0) + window;
        alert.statistics[0].value = Some(z);
        alert.statistics[0].threshold = 2.0;
        alert.statistics[0].u = Some(z.abs() / 2.0);
        alert.statistics[0].name = Word::from("funding_zscore_24h");
        (of_speaker(&alert).fact)(&alert)
    }

    /// Only the sum over the whole window is a least rate: an earlier close that was not heard makes the others slower.
    #[test]
    fn a_rate_is_at_least_that_only_over_the_whole_window() {
        let told = |velocity: f64, lower_bound: bool| {
            let mut alert = super::super::meaning::sample(Pattern::LiquidationCascade, None, AlertChange::Opened);
            alert.trigger = Some(Trigger::Sustained);
            alert.ts = alert.window_from + Span::hours(4);
            let number = |name: &'static str, x: f64| (Word::from(name), Datum::Number(x));
            alert.data = vec![
                number("total_liquidated_usd", 800_000.0),
                number("velocity_usd_per_hour", velocity),
                number("severity_ratio", velocity / 200_000.0),
                (Word::from("lower_bound"), Datum::Flag(lower_bound)),
            ];
            cascade(&alert)
        };
        assert_eq!(
            told(400_000.0, true),
            "At least 800 K USD liquidated in 4 h, 400 K USD an hour since the first one recorded (2.00 times the critical rate)."
        );
        assert_eq!(
            told(200_000.0, true),
            "At least 800 K USD liquidated in 4 h, at least 200 K USD an hour (1.00 times the critical rate)."
        );
        assert_eq!(
            told(400_000.0, false),
            "800 K USD liquidated in 4 h, 400 K USD an hour (2.00 times the critical rate)."
        );
    }

    #[test]
    fn funding_that_is_back_reads_as_one_sentence() {
        let (day, week) = (Span::hours(24), Span::days(7));
        for (z, change, window, want) in [
            (
                0.4,
                AlertChange::Closed,
                day,
                "Funding is back in its usual range, 0.4σ above its 24-hour mean (alert at 2σ).",
            ),
            (
                -1.2,
                AlertChange::Closed,
                week,
                "Settled funding is back in its usual range, 1.2σ below its 7-day mean (alert at 2σ).",
            ),
            (1.9, AlertChange::Updated, day, "Funding is 1.9σ above its 24-hour mean (alert at 2σ)."),
            (-2.5, AlertChange::Opened, week, "Settled funding is 2.5σ below its 7-day mean (alert at 2σ)."),
        ] {
            assert_eq!(anomaly_at(z, change, window), want);
        }
    }
}
