//! Words at the beginning of log lines, to search for (R4.55). One per family of events, so that `grep '\[MKT\]'` finds all of it.

/// Each tag and what it marks; the list in `docs/troubleshooting.md`.
pub(crate) const TAGS: [(&str, &str); 5] = [
    ("[MKT]", "market data and its storage: connections, streams lost and found, data gaps, refusals, the store"),
    ("[CASCADE]", "liquidation cascades and one-sided forced closes"),
    ("[FUND]", "funding anomalies, reversals and farming"),
    ("[VOL]", "changes of the volatility regime"),
    ("[WEBHOOK]", "deliveries of events, and those that failed"),
];

/// Market data and its storage.
pub(crate) const MKT: &str = TAGS[0].0;
/// Forced closes.
pub(crate) const CASCADE: &str = TAGS[1].0;
/// Funding.
pub(crate) const FUND: &str = TAGS[2].0;
/// Volatility.
pub(crate) const VOL: &str = TAGS[3].0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_documented() {
        let doc = include_str!("../../../docs/troubleshooting.md");
        for (tag, meaning) in TAGS {
            assert!(doc.lines().any(|l| l.contains(&format!("`{tag}`")) && l.contains(meaning)), "{tag}");
        }
        assert_eq!([MKT, CASCADE, FUND, VOL], ["[MKT]", "[CASCADE]", "[FUND]", "[VOL]"]);
    }
}
