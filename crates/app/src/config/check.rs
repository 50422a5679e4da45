//! What can be said of settings without running: words of closed sets, lists and numbers, and files that must be there for an
//! answer to be whole.

use super::Settings;
use crate::commands::up;
use crate::failure::Failure;
use barograph_domain::leg::SpotPairs;
use std::path::Path;

/// Settings that take one of a few words.
const WORDS: [(&str, &[&str]); 8] = [
    ("market_type", &["spot", "futures", "both"]),
    ("books", &["auto", "on", "off"]),
    ("coinbase_trade_side", &["maker", "taker"]),
    ("stop_mode", &["base", "beyond_cluster"]),
    ("stop_uses_vol_multiplier", &["on", "off"]),
    ("level_clusters", &["book", "tolerance", "kde"]),
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
        let wrong = |key: &'static str| move |why: String| self.wrong(key, &why);
        up::backfill(self.text("backfill")).map_err(wrong("backfill"))?;
        up::metrics(self.text("metrics")).map_err(wrong("metrics"))?;
        up::volume_min(self.text("min_volume_24h")).map_err(wrong("min_volume_24h"))?;
        self.spot_pairs().map(drop)
    }

    /// Spot markets that are declared for contracts.
    pub(crate) fn spot_pairs(&self) -> Result<SpotPairs, Failure> {
        SpotPairs::parse(self.text("spot_pairs")).map_err(|why| self.wrong("spot_pairs", &why))
    }

    /// Refuses to answer where a file that the settings name cannot be read: what it says would be missing in silence. An
    /// address is for the live process, which reads it every hour.
    pub(crate) fn check_files(&self) -> Result<(), Failure> {
        crate::calendar::check_file(self.text("calendar")).map_err(|why| self.wrong("calendar", &why))?;
        match self.text("positions_file") {
            "" => Ok(()),
            file => match crate::positions::file::read(Path::new(file)) {
                Ok(_) => Ok(()),
                Err(why) => Err(self.wrong("positions_file", &format!("cannot read {why}"))),
            },
        }
    }
}
