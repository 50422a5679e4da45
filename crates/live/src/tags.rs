//! Words at the beginning of log lines, to search for (R4.55). One per family of events, so that `grep '\[MKT\]'` finds all of it.

/// Each tag and what it marks; the list in `docs/troubleshooting.md`. Which one a pattern has stands in its row (`domain`, `pattern.rs`).
pub const TAGS: [(&str, &str); 5] = [
    ("[MKT]", "market data and its storage: connections, streams lost and found, data gaps, refusals, the store"),
    ("[CASCADE]", "liquidation cascades and one-sided liquidations"),
    ("[FUND]", "funding anomalies, reversals and farming"),
    ("[VOL]", "changes of the volatility regime"),
    ("[WEBHOOK]", "deliveries of events, and those that failed"),
];

/// Market data and its storage.
pub const MKT: &str = TAGS[0].0;

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Pattern;

    #[test]
    fn every_tag_is_documented() {
        let doc = include_str!("../../../docs/troubleshooting.md");
        for (tag, meaning) in TAGS {
            assert!(doc.lines().any(|l| l.contains(&format!("`{tag}`")) && l.contains(meaning)), "{tag}");
        }
        assert_eq!(MKT, "[MKT]");
        let lost = Pattern::ALL.iter().filter_map(|p| p.row().log_tag).find(|tag| TAGS.iter().all(|(t, _)| t != tag));
        assert_eq!(lost, None, "a tag of a pattern that is not in the list");
    }
}
