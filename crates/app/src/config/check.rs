//! What can be said of settings without running: words of closed sets.

use super::Settings;
use crate::failure::Failure;

/// Settings that take one of a few words.
const WORDS: [(&str, &[&str]); 7] = [
    ("market_type", &["spot", "futures", "both"]),
    ("books", &["auto", "on", "off"]),
    ("coinbase_trade_side", &["maker", "taker"]),
    ("stop_mode", &["base", "beyond_cluster"]),
    ("stop_uses_vol_multiplier", &["on", "off"]),
    ("news_blackout", &["avoid", "warn"]),
    ("monitoring", &["on", "off"]),
];

impl Settings {
    /// Refuses a word that its setting does not know, whatever the command: what is misspelt must not wait for its first use.
    pub(super) fn check_words(&self) -> Result<(), Failure> {
        for (key, words) in WORDS {
            let word = self.text(key);
            if !words.contains(&word) {
                let (last, others) = words.split_last().unwrap_or((&"", &[]));
                return Err(self.wrong(key, &format!("'{word}': write {} or {last}", others.join(", "))));
            }
        }
        Ok(())
    }
}
