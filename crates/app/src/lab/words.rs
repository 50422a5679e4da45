//! Numbers as the lab's answers write them.

use crate::failure::Failure;
use barograph_domain::Ts;
use barograph_engine::advice::digits;
use barograph_study::money::funding::FundingCover;
use serde::Serialize;
use std::io::Write as _;

/// One line of JSON.
pub(super) fn line<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// `+1.23`, or a dash.
pub(super) fn signed(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:+.decimals$}").replace('-', "−"))
}

/// A number in so many columns, or a dash.
pub(super) fn cell(value: Option<f64>, decimals: usize, width: usize) -> String {
    let text = signed(value, decimals);
    format!("{text:>width$}")
}

/// `2 × 100 ms`-like lengths: seconds as people write them.
pub(super) fn length(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", 1e3 * seconds) } else { format!("{seconds:.0} s") }
}

/// With thousands separators.
pub(super) fn thousands(n: usize) -> String {
    digits::grouped(&n.to_string())
}

/// A stretch of time, to the second.
pub(super) fn stretch([from, to]: [Ts; 2]) -> String {
    let whole = |t: Ts| t.floor(barograph_domain::Span::secs(1)).to_string();
    format!("{} to {}", whole(from), whole(to))
}

/// Costs by name; funding only where it can be due.
pub(super) fn costs_line(costs: &[(String, f64)], funding: FundingCover) -> String {
    let is_due = |name: &str| name != "funding" || !matches!(funding, FundingCover::NotDue | FundingCover::NotStated);
    let shown = costs.iter().filter(|(name, _)| is_due(name)).map(|(name, quote)| format!("{name} {quote:.2}"));
    shown.collect::<Vec<_>>().join(", ")
}
