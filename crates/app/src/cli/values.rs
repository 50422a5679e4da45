//! Values of flags: words of closed sets, and `METRIC=TIME`. Errors name what could have been written.

use super::kpi::StrategyChoice;
use barograph_domain::{MarketKind, Metric, Span, Stamp, Ts};
use barograph_engine::features::stops::LEVEL_TIMEFRAMES;
use barograph_engine::kpi::StrategyName;
use barograph_venues::columns::metric_named;

fn word<T: serde::de::DeserializeOwned>(text: &str, what: &str, known: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_e| format!("'{text}' is no {what}; write one of {known}"))
}

pub(super) fn market_kind(text: &str) -> Result<MarketKind, String> {
    word(text, "market kind", "spot, perpetual, dated_future")
}

pub(super) fn stamp(text: &str) -> Result<Stamp, String> {
    word(text, "stamp", "open, close, instant")
}

pub(super) fn metric(text: &str) -> Result<Metric, String> {
    metric_named(text)
}

/// The moment of `--as-of`. Whether it lies ahead is known once the data folder is, which may have a clock of its own.
pub(super) fn as_of(text: &str) -> Result<Ts, String> {
    Ts::parse(text)
}

/// How long after its moment something was known; 0s: at once.
pub(super) fn delay_of(text: &str) -> Result<Span, String> {
    if text == "0s" { Ok(Span::ZERO) } else { Span::parse(text) }
}

/// A price or an amount, also as the program prints it: 69,366.
pub(super) fn amount(text: &str) -> Result<f64, std::num::ParseFloatError> {
    if is_grouped(text) { text.replace(',', "").parse() } else { text.parse() }
}

/// Digits in groups of three, the first of which does not begin with a zero.
fn is_grouped(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next().unwrap_or_default();
    let digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let rest: Vec<&str> = groups.collect();
    !rest.is_empty()
        && first.len() <= 3
        && !first.starts_with('0')
        && digits(first)
        && rest.iter().all(|group| group.len() == 3 && digits(group))
}

/// A timeframe that levels are built on.
pub(super) fn level_timeframe(text: &str) -> Result<Span, String> {
    let span = Span::parse(text)?;
    if LEVEL_TIMEFRAMES.contains(&span) {
        return Ok(span);
    }
    let mut known = LEVEL_TIMEFRAMES;
    known.sort();
    Err(format!("there are no levels of '{text}'; write one of {}", known.map(Span::compact).join(", ")))
}

/// A timeframe on which the strategy that advice is measured with can be read.
pub(super) fn strategy_timeframe(text: &str) -> Result<Span, String> {
    let span = Span::parse(text)?;
    if [Span::mins(15), Span::hours(1)].contains(&span) {
        return Ok(span);
    }
    Err(format!("'{text}' is no timeframe of the strategy; write 1h or 15m"))
}

/// A strategy of `kpi`, or all of them.
pub(super) fn strategies(text: &str) -> Result<StrategyChoice, String> {
    if text == "all" {
        return Ok(StrategyChoice::All);
    }
    StrategyName::parse(text).map(StrategyChoice::One).map_err(|why| format!("{why}, or all"))
}

/// A timeframe on which the strategy is followed live.
pub(super) fn paper_timeframe(text: &str) -> Result<Span, String> {
    let span = Span::parse(text)?;
    if [Span::mins(1), Span::mins(5), Span::mins(15), Span::hours(1)].contains(&span) {
        return Ok(span);
    }
    Err(format!("'{text}' is no timeframe of the strategy; write 1m, 5m, 15m or 1h"))
}

/// The Monday that begins an ISO week.
pub(super) fn week(text: &str) -> Result<Ts, String> {
    barograph_query::paper::week_start(text).ok_or_else(|| format!("'{text}' is no ISO week; write one as 2026-W08"))
}

/// A share of the price that an execution can cost.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let read = text.parse::<f64>().ok().filter(|x| (0.0..0.5).contains(x));
    read.ok_or_else(|| format!("'{text}' is no share of the price from 0 to below 0.5, as in 0.0005 for 0.05 %"))
}

pub(super) fn delay(text: &str) -> Result<(Metric, Span), String> {
    let (name, time) =
        text.split_once('=').ok_or_else(|| format!("'{text}' is not METRIC=TIME, as in open_interest=60s"))?;
    let span = if matches!(time, "0" | "0s") { Span::ZERO } else { Span::parse(time)? };
    Ok((metric(name)?, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_printed() {
        for (text, want) in
            [("69,366", 69_366.0), ("1,234,567.5", 1_234_567.5), ("69366", 69_366.0), ("-1,000", -1_000.0)]
        {
            assert_eq!(amount(text), Ok(want), "{text}");
        }
        for text in ["0,5", "69,36", "69366,5", "1,,000", "1234,567", "", "much"] {
            assert!(amount(text).is_err(), "{text}");
        }
    }
}
