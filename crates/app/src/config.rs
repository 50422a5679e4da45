//! Settings: as written (`written`), as declared (`declared`), as resolved ([`Settings`], which alone travels on).
//!
//! Unknown keys are errors with line and the nearest known name. Keys of the original configurations are read as well
//! (`original`): each sets one of ours or a threshold of the rule book (`thresholds`), or is kept and explained, never dropped.

mod declared;
pub(crate) mod dotenv;
mod file;
pub(crate) mod original;
mod platform;
mod reach;
mod read;
pub(crate) mod receivers;
pub(crate) mod secret;
pub(crate) mod sources;
pub(crate) mod streams;
pub(crate) mod thresholds;
mod written;

use crate::cli::Common;
use crate::failure::Failure;
use barograph_engine::models::ModelMarkets;
use barograph_notify::receiver::Receiver;
pub(crate) use declared::KEYS;
pub(crate) use declared::{Key, Settings};
pub(crate) use read::KEEP_DAYS_MAX;
use std::path::PathBuf;
pub(crate) use written::Flags;
use written::{Written, config_file, given, nearest};

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum SettingOrigin {
    Default,
    File { path: PathBuf, line: usize },
    Environment(String),
    Flag(&'static str),
}

impl core::fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

impl core::fmt::Debug for Settings {
    /// Without values: some are secrets.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Settings").field("keys", &KEYS.len()).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads file, environment and flags.
    pub(crate) fn load(common: &Common, flags: Flags) -> Result<Self, Failure> {
        Self::resolve(Written::load(common, flags)?)
    }

    /// The same with more flags.
    pub(crate) fn with(&self, more: Flags) -> Result<Self, Failure> {
        Self::load(&self.written.common, self.written.flags.iter().cloned().chain(more).collect())
    }

    /// The same flags over the file and the environment as they are now.
    pub(crate) fn reload(&self) -> Result<Self, Failure> {
        self.with(Flags::new())
    }

    /// The configuration file in use.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        config_file(&self.written.common).ok().flatten()
    }

    /// Key, value and origin of every setting; secrets are masked.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Key, String, &SettingOrigin)> {
        KEYS.iter().map(|key| {
            let (text, origin) = self.written.of(key.name);
            (key, (key.shown)(text), origin)
        })
    }

    /// Has nobody written this setting?
    pub(crate) fn is_default(&self, name: &str) -> bool {
        matches!(self.written.of(name).1, SettingOrigin::Default)
    }

    /// Refuses to listen where monitoring is off.
    pub(crate) fn must_monitor(&self) -> Result<(), Failure> {
        if self.monitoring {
            return Ok(());
        }
        Err(self.written.wrong("monitoring", "it is off, so no venue is recorded; switch it on there"))
    }

    /// Markets with statistical models; `None` leaves it to the command.
    pub(crate) fn models(&self) -> Result<Option<ModelMarkets>, Failure> {
        self.models.clone().map_err(|why| self.written.wrong("models", why))
    }

    /// How long the database keeps what.
    pub(crate) fn retention(&self) -> barograph_store::Retention {
        let (minute_rows, raw) = (self.keep_minutes_days, self.keep_raw_days);
        barograph_store::Retention { minute_rows, raw, ..barograph_store::Retention::default() }
    }

    /// Where the lab's studies are.
    pub(crate) fn studies_folder(&self) -> std::path::PathBuf {
        self.studies.clone().unwrap_or_else(|| self.data.join("studies"))
    }

    /// Most bytes of raw frames that are kept.
    pub(crate) const fn journal_bytes_max(&self) -> u64 {
        (self.keep_journal_gb as u64).saturating_mul(1_000_000_000)
    }

    /// Who receives alerts: tables of the file, then the variables of the original, then those made on the page.
    /// A receiver that cannot be used stops deliveries, and nothing else.
    pub(crate) fn receivers(&self) -> Result<Vec<Receiver>, Failure> {
        let mut all = receivers::all(&self.written.receivers, given, &self.dashboard()?)?;
        let made = self.made_receivers()?.read().map_err(Failure::usage)?;
        if let Some(twice) = made.iter().find(|m| all.iter().any(|r| r.name == m.name)) {
            let why =
                "receiver '{}' is in the settings and was made on the page as well; rename the one in the settings";
            return Err(Failure::usage(why.replace("{}", &twice.name)));
        }
        all.extend(made);
        Ok(all)
    }

    /// Servers of tools that may be listened to.
    pub(crate) fn sources(&self) -> Result<Vec<sources::SetSource>, Failure> {
        sources::all(&self.written.sources, given)
    }

    /// Where receivers made on the page are kept.
    pub(crate) fn made_receivers(&self) -> Result<barograph_query::delivery::made::MadeReceivers, Failure> {
        receivers::made(&self.data, given, &self.dashboard()?)
    }

    /// Refuses to answer where a file that the settings name cannot be read: what it says would be missing in silence. An
    /// address is for the live process, which reads it every hour.
    pub(crate) fn check_files(&self) -> Result<(), Failure> {
        barograph_live::calendar::check_file(self.calendar.as_ref(), crate::clock::now_in(&self.data))
            .map_err(|why| self.written.wrong("calendar", why))?;
        match self.positions_file.as_deref().map(crate::positions::file::read) {
            Some(Err(why)) => Err(self.written.wrong("positions_file", format!("cannot read {why}"))),
            Some(Ok(_)) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented_with_its_variables_its_default_and_meaning() {
        let doc = include_str!("../../../docs/config.md");
        for key in KEYS {
            let own = format!("`BAROGRAPH_{}`", key.name.to_uppercase());
            let variables = key.also.map_or(own.clone(), |also| format!("{own}, `{also}`"));
            let default = match (key.name, (key.default)().as_str()) {
                ("data", _) => "the platform's folder for application data".to_owned(),
                ("dashboard_url", _) => "the listening address".to_owned(),
                (_, "") => "none".to_owned(),
                (_, text) => format!("`{text}`"),
            };
            let line = doc.lines().find(|l| l.starts_with(&format!("| `{}` |", key.name))).unwrap_or_default();
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let want = format!("| `{}` | {variables} | | {default} | {} |", key.name, key.meaning);
            let said = matches!(cells[..], ["", _, env, _, unset, means, ""]
                if env == variables && unset == default && means == key.meaning);
            assert!(said, "docs/config.md wants the line\n{want}");
        }
    }

    #[test]
    fn every_original_key_is_documented() {
        let doc = include_str!("../../../docs/config.md");
        for original in original::ORIGINALS {
            let line = doc.lines().find(|l| l.contains(&format!("| `{}` |", original.path)));
            assert!(line.is_some_and(|l| l.contains(original.meaning)), "{}", original.path);
        }
    }
}
