//! Values of flags: words of closed sets, and `METRIC=TIME`. Errors name what could have been written.

use barograph_domain::{MarketKind, Metric, Span, Stamp, Ts};
use barograph_engine::features::stops::LEVEL_TIMEFRAMES;
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

/// The moment of `--as-of`, by the machine's clock: none that lies ahead.
pub(super) fn as_of(text: &str) -> Result<Ts, String> {
    Ts::parse(text)?.asked_at(crate::clock::now())
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
    fn no_moment_ahead_is_asked_about() {
        assert_eq!(as_of("2026-02-05"), Ok(Ts::from_civil(2026, 2, 5, 0, 0, 0)));
        let refused = as_of("2199-01-01").unwrap_err();
        assert!(refused.starts_with("2199-01-01T00:00:00Z lies ahead of the clock, 20"), "{refused}");
    }
}
