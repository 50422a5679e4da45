//! Settings: defaults < file (TOML or YAML) < environment (`BAROGRAPH_*`) < flags, each with its origin.
//!
//! The settings of one run are resolved once, here; only [`Settings`] travels on. Unknown keys are errors with line and the
//! nearest known name. Keys of the original configurations are read as well (`original`): each sets one of ours or a threshold
//! of the rule book (`thresholds`), or is kept and explained, never dropped.

mod check;
mod file;
pub(crate) mod original;
mod platform;
mod reach;
pub(crate) mod receivers;
pub(crate) mod secret;
pub(crate) mod thresholds;

use crate::cli::Common;
use crate::failure::Failure;
use barograph_domain::Span;
use barograph_engine::models::ModelMarkets;
use barograph_engine::models::policy::MARKETS_MAX;
use barograph_notify::receiver::Receiver;
use file::{Node, Value};
use original::Noted;
use platform::default_data;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use thresholds::Over;

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Environment(String),
    Flag(&'static str),
}

impl core::fmt::Display for Origin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// A key of the configuration.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    default: fn() -> String,
}

/// Every key. Flags of the same name override.
pub(crate) const KEYS: [Key; 40] = [
    Key { name: "data", meaning: "data folder", default: default_data },
    Key {
        name: "listen",
        meaning: "address of the HTTP API and the page; another than loopback wants tokens",
        default: || "127.0.0.1:8600".to_owned(),
    },
    Key {
        name: "access",
        meaning: "who may ask: auto (open on loopback, tokens elsewhere) or tokens",
        default: || "auto".to_owned(),
    },
    Key { name: "book", meaning: "rule book: a shipped name or a file", default: || "default".to_owned() },
    Key {
        name: "dashboard_url",
        meaning: "address under which people reach the page, for links in alerts; the listening address unless set",
        default: String::new,
    },
    Key {
        name: "default_venue",
        meaning: "venue a bare symbol means in the original commands and routes",
        default: || "binance-usdm".to_owned(),
    },
    Key {
        name: "host_names",
        meaning: "names besides loopback that HTTP requests may be addressed to, comma-separated",
        default: String::new,
    },
    Key { name: "stream_clients_max", meaning: "event stream clients at once", default: || "256".to_owned() },
    Key {
        name: "keep_minutes_days",
        meaning: "days that minute rows are kept; older ones are thinned to five minutes",
        default: || "90".to_owned(),
    },
    Key {
        name: "keep_raw_days",
        meaning: "days that live points and order books are kept in the database, counted from the newest; the journal and the minute rows go further back",
        default: || "7".to_owned(),
    },
    Key { name: "venues", meaning: "venues to listen to, comma-separated", default: || "binance-usdm".to_owned() },
    Key {
        name: "symbols",
        meaning: "markets to listen to, comma-separated",
        default: || "BTCUSDT,ETHUSDT,SOLUSDT".to_owned(),
    },
    Key { name: "quote", meaning: "with --all: only markets with this quote currency", default: String::new },
    Key { name: "market_type", meaning: "with --all: spot, futures or both", default: || "futures".to_owned() },
    Key {
        name: "min_volume_24h",
        meaning: "with --all: least volume of the last 24 hours, in quote currency",
        default: || "10000".to_owned(),
    },
    Key { name: "markets_max", meaning: "with --all: most markets per venue", default: || "1000".to_owned() },
    Key {
        name: "max_concurrent_checks",
        meaning: "polls under way at once; streams do not count",
        default: || "5".to_owned(),
    },
    Key { name: "poll_interval", meaning: "time between polls of what has no stream", default: || "60s".to_owned() },
    Key {
        name: "poll_intervals",
        meaning: "the same for single metrics, as in open_interest=30s,long_short_ratio=5m, or as a table poll_intervals.open_interest = \"30s\"; ratios are polled every 5m otherwise",
        default: String::new,
    },
    Key {
        name: "metrics",
        meaning: "streams of a live market: all, or names from `barograph markets`",
        default: || "all".to_owned(),
    },
    Key { name: "books", meaning: "order books: auto (up to 20 markets), on, off", default: || "auto".to_owned() },
    Key {
        name: "models",
        meaning: "statistical models beside the rules: auto (live, up to 20 markets), on (over files too), off, or symbols, comma-separated",
        default: || "auto".to_owned(),
    },
    Key {
        name: "watch",
        meaning: "markets compared with each other: auto (one of each major asset), off, or 2 to 12 markets, comma-separated",
        default: || "auto".to_owned(),
    },
    Key {
        name: "spot_pairs",
        meaning: "spot markets that a contract's basis is of, venue:CONTRACT=venue:SPOT, comma-separated; else that of the same base and quote on the same exchange",
        default: String::new,
    },
    Key {
        name: "book_interval",
        meaning: "time between order books that are stored, in whole seconds",
        default: || "30s".to_owned(),
    },
    Key {
        name: "basis_interval",
        meaning: "time between rows of futures_basis_history on a server, in whole minutes",
        default: || "1m".to_owned(),
    },
    Key {
        name: "backfill",
        meaning: "history fetched at first start: auto, 0, or a time such as 30d",
        default: || "auto".to_owned(),
    },
    Key {
        name: "endpoints",
        meaning: "other addresses for venues, as VENUE=URL, comma-separated",
        default: String::new,
    },
    Key {
        name: "coinbase_trade_side",
        meaning: "whose side a Coinbase trade names: maker or taker",
        default: || "maker".to_owned(),
    },
    Key { name: "keep_journal_days", meaning: "days that raw frames are kept", default: || "7".to_owned() },
    Key {
        name: "keep_journal_gb",
        meaning: "most gigabytes of raw frames kept; the oldest hours go first",
        default: || "20".to_owned(),
    },
    Key {
        name: "db_url",
        meaning: "database: nothing for SQLite in the data folder, or postgres://user:password@host/name",
        default: String::new,
    },
    Key {
        name: "positions_file",
        meaning: "file of positions to watch, TOML or JSON; read at start and when it changes",
        default: String::new,
    },
    Key {
        name: "stop_mode",
        meaning: "computed stop where you give none: base, or beyond_cluster",
        default: || "base".to_owned(),
    },
    Key {
        name: "stop_uses_vol_multiplier",
        meaning: "widen computed stops by the volatility class once more: on or off",
        default: || "off".to_owned(),
    },
    Key {
        name: "level_clusters",
        meaning: "how equal highs and lows are found: book (as the rule book says), tolerance, or kde (modes of a kernel density)",
        default: || "book".to_owned(),
    },
    Key {
        name: "calendar",
        meaning: "scheduled events: a file or an address, as TOML, CSV, JSON or iCalendar; read at start and every hour",
        default: String::new,
    },
    Key {
        name: "news_blackout",
        meaning: "advice within two hours before a calendar event: avoid or warn",
        default: || "avoid".to_owned(),
    },
    Key {
        name: "token",
        meaning: "access token that commands bring to the API of a running process",
        default: String::new,
    },
    Key { name: "monitoring", meaning: "listen to venues at all: on or off", default: || "on".to_owned() },
];

/// Keys that may be written as a table of texts.
const TABLES: [&str; 1] = ["poll_intervals"];
/// Keys that may be written as a list of texts.
const LISTS: [&str; 7] = ["host_names", "venues", "symbols", "endpoints", "metrics", "models", "watch"];

/// A century: what is kept for longer is kept for ever, and 64 bits of nanoseconds hold no more than three.
pub(crate) const KEEP_DAYS_MAX: u32 = 36_500;

/// Resolved settings.
#[derive(Clone)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, (String, Origin)>,
    /// Keys of the original configurations that were given.
    noted: Vec<Noted>,
    /// Thresholds among them.
    thresholds: Vec<Over>,
    /// Whom to tell of alerts, as it is written: checked where somebody is to be told.
    receivers: Vec<receivers::Table>,
    /// What it was made from, to be read again.
    common: Common,
    flags: Vec<(&'static str, Option<String>)>,
}

/// A variable of the environment; an empty one is how shells unset one for a command.
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

impl core::fmt::Debug for Settings {
    /// Without values: some are secrets.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Settings").field("keys", &self.values.len()).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads file, environment and flags.
    pub(crate) fn load(common: &Common, flags: Vec<(&'static str, Option<String>)>) -> Result<Self, Failure> {
        let mut values: BTreeMap<&'static str, (String, Origin)> =
            KEYS.iter().map(|k| (k.name, ((k.default)(), Origin::Default))).collect();
        let (mut noted, mut thresholds, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(path) = config_file(common)? {
            let read = read_file(&path)?;
            let origin = |line| Origin::File { path: path.clone(), line };
            for (key, value, line) in read.settings {
                values.insert(key, (value, origin(line)));
            }
            tables = read.receivers;
            thresholds = read.originals.iter().filter_map(|g| g.over(origin)).collect();
            noted = read.originals.into_iter().map(|g| Noted::of(g, origin)).collect();
        }
        // R4.44: two variables have had their names before there was a barograph.
        if let Some(url) = given("DB_URL") {
            values.insert("db_url", (url, Origin::Environment("DB_URL".to_owned())));
        }
        noted.extend(given(original::LLM_KEY).map(|_secret| Noted::llm_key()));
        for (name, value) in std::env::vars() {
            // An empty variable is how shells unset one for a command.
            let Some(rest) = name.strip_prefix("BAROGRAPH_").filter(|_| !value.is_empty()) else { continue };
            // Where this workspace's tests find their recordings; a program that is not a test has no such setting.
            if cfg!(test) && rest == "SHARED_DATA" {
                continue;
            }
            let key = known(&rest.to_lowercase()).map_err(|near| {
                Failure::usage(format!(
                    "unknown environment variable {name}{}",
                    near.map_or(String::new(), |n| format!(" — did you mean BAROGRAPH_{}?", n.to_uppercase()))
                ))
            })?;
            values.insert(key, (value, Origin::Environment(name)));
        }
        let mut flag = |key: &'static str, value: Option<String>| {
            if let Some(v) = value {
                values.insert(key, (v, Origin::Flag(key)));
            }
        };
        flag("data", common.data.as_ref().map(|p| p.display().to_string()));
        flag("book", common.book.clone());
        flag("db_url", common.db_url.clone());
        for (key, value) in &flags {
            flag(key, value.clone());
        }
        let settings = Self { values, noted, thresholds, receivers: tables, common: common.clone(), flags };
        settings.check()?;
        Ok(settings)
    }

    /// The same with more flags.
    pub(crate) fn with(&self, more: Vec<(&'static str, Option<String>)>) -> Result<Self, Failure> {
        let flags = self.flags.iter().cloned().chain(more).collect();
        Self::load(&self.common, flags)
    }

    /// The same flags over the file and the environment as they are now.
    pub(crate) fn reload(&self) -> Result<Self, Failure> {
        Self::load(&self.common, self.flags.clone())
    }

    /// The configuration file in use.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        config_file(&self.common).ok().flatten()
    }

    fn check(&self) -> Result<(), Failure> {
        self.number("stream_clients_max")?;
        for key in ["keep_minutes_days", "keep_raw_days", "keep_journal_days"] {
            let days = self.number(key)?;
            if days > KEEP_DAYS_MAX as usize {
                return Err(self.wrong(key, &format!("'{days}' is more than {KEEP_DAYS_MAX} days")));
            }
        }
        self.whole("book_interval", Span::secs(1))?;
        self.whole("basis_interval", Span::mins(1))?;
        self.whole("poll_interval", Span::secs(1))?;
        crate::commands::up::poll_intervals(self.text("poll_intervals"))
            .map_err(|why| self.wrong("poll_intervals", &why))?;
        self.number("keep_journal_gb")?;
        self.number("max_concurrent_checks")?;
        self.number("markets_max")?;
        self.address()?;
        self.check_words()?;
        crate::universe::WatchMarkets::of(self)?;
        secret::check_url(self.text("db_url")).map_err(|why| self.wrong("db_url", &why))?;
        crate::calendar::Source::of(self.text("calendar")).map_err(|why| self.wrong("calendar", &why))?;
        barograph_domain::Venue::new(self.text("default_venue"))
            .map_err(|e| self.wrong("default_venue", &e.to_string()))?;
        Ok(())
    }

    fn wrong(&self, key: &str, why: &str) -> Failure {
        let origin = self.values.get(key).map_or(Origin::Default, |v| v.1.clone());
        Failure::usage(format!("{key} ({origin}): {why}"))
    }

    /// Key, value and origin of every setting; secrets are masked.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Key, String, &Origin)> {
        let shown = |key: &Key, value: &str| match key.name {
            "db_url" => secret::masked(value),
            "calendar" => secret::host_only(value),
            "token" if !value.is_empty() => "***".to_owned(),
            _ => value.to_owned(),
        };
        KEYS.iter().filter_map(move |k| self.values.get(k.name).map(|(v, o)| (k, shown(k, v), o)))
    }

    /// Keys of the original configurations that were given.
    pub(crate) fn noted(&self) -> &[Noted] {
        &self.noted
    }

    /// Thresholds of the detectors that go over the rule book's own.
    pub(crate) fn thresholds(&self) -> &[Over] {
        &self.thresholds
    }

    /// The database, where it is not the data folder's own.
    pub(crate) fn db_url(&self) -> Option<&str> {
        Some(self.text("db_url")).filter(|url| !url.is_empty())
    }

    /// May venues be listened to?
    pub(crate) fn monitoring(&self) -> bool {
        self.text("monitoring") == "on"
    }

    /// Refuses to listen where monitoring is off.
    pub(crate) fn must_monitor(&self) -> Result<(), Failure> {
        if self.monitoring() {
            return Ok(());
        }
        Err(self.wrong("monitoring", "it is off, so no venue is listened to; switch it on there"))
    }

    /// Markets with statistical models; `None` leaves it to the command.
    pub(crate) fn models(&self) -> Result<Option<ModelMarkets>, Failure> {
        Ok(match self.text("models") {
            "auto" => None,
            "on" => Some(ModelMarkets::First(MARKETS_MAX)),
            "off" => Some(ModelMarkets::Off),
            text => {
                let names: Vec<String> =
                    text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect();
                if names.is_empty() {
                    return Err(self.wrong("models", "it is empty: write auto, on, off or symbols"));
                }
                Some(ModelMarkets::Named(names))
            }
        })
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.values.get(key).map_or("", |(v, _)| v)
    }

    pub(crate) fn data(&self) -> PathBuf {
        PathBuf::from(self.text("data"))
    }

    pub(crate) fn number(&self, key: &str) -> Result<usize, Failure> {
        let text = self.text(key);
        text.parse()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| self.wrong(key, &format!("'{text}' is not a whole number above zero")))
    }

    /// How long the database keeps what.
    pub(crate) fn retention(&self) -> Result<barograph_store::Retention, Failure> {
        let days = |key: &str| self.number(key).map(|n| Span::days(i64::try_from(n).unwrap_or(i64::from(u16::MAX))));
        let (minute_rows, raw) = (days("keep_minutes_days")?, days("keep_raw_days")?);
        Ok(barograph_store::Retention { minute_rows, raw, ..barograph_store::Retention::default() })
    }

    /// A time that is a whole number of `unit`.
    pub(crate) fn whole(&self, key: &str, unit: Span) -> Result<Span, Failure> {
        let text = self.text(key);
        let span = Span::parse(text).map_err(|why| self.wrong(key, &why))?;
        if span.0 % unit.0 != 0 {
            return Err(self.wrong(key, &format!("'{text}' is not a whole number of {}", unit.compact())));
        }
        Ok(span)
    }

    /// The address as written, wherever it points.
    fn address(&self) -> Result<std::net::SocketAddr, Failure> {
        let text = self.text("listen");
        text.parse().map_err(|_e| self.wrong("listen", &format!("'{text}' is not an address; write 127.0.0.1:8600")))
    }

    /// The address to serve on.
    pub(crate) fn listen(&self) -> Result<std::net::SocketAddr, Failure> {
        let addr = self.address()?;
        barograph_api::check_listen(addr, &self.access()?).map_err(|e| self.wrong("listen", &e.to_string()))?;
        Ok(addr)
    }

    /// Whom to tell of alerts: tables of the file, then the variables of the original.
    /// A receiver that cannot be used stops what tells people, and nothing else.
    pub(crate) fn receivers(&self) -> Result<Vec<Receiver>, Failure> {
        receivers::all(&self.receivers, given, &self.dashboard()?)
    }

    pub(crate) fn host_names(&self) -> Vec<String> {
        self.text("host_names").split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
    }
}

/// Files looked for in the current folder.
const FILES: [&str; 3] = ["barograph.toml", "barograph.yaml", "barograph.yml"];

/// The named file, else the one of the current folder, if there is one.
fn config_file(common: &Common) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = &common.config {
        if path.is_file() {
            return Ok(Some(path.clone()));
        }
        return Err(Failure::usage(format!("there is no configuration file {}", path.display())));
    }
    let found: Vec<&str> = FILES.into_iter().filter(|f| Path::new(f).is_file()).collect();
    if let [first, second, ..] = found[..] {
        return Err(Failure::usage(format!(
            "both {first} and {second} are here; name one with --config, or remove one"
        )));
    }
    Ok(found.first().map(PathBuf::from))
}

/// What a file says.
#[derive(Debug, Default)]
struct Read {
    settings: Vec<original::Set>,
    /// Original keys.
    originals: Vec<original::Given>,
    /// `[[receiver]]` tables.
    receivers: Vec<receivers::Table>,
}

fn read_file(path: &Path) -> Result<Read, Failure> {
    let at = |line: usize| format!("{}:{line}", path.display());
    let root = file::read(path)?;
    let mut own = Vec::new();
    let (mut originals, mut receivers) = (Vec::new(), Vec::new());
    for (key, line, node) in root {
        if key == receivers::KEY {
            receivers = receivers::tables(path, line, &node)?;
            continue;
        }
        if original::is_root(&key) {
            original::take(&key, line, &node, &mut originals).map_err(|wrong| {
                Failure::usage(match wrong {
                    original::Wrong::Unknown { key, line, near } => unknown_key(&key, &at(line), near),
                    original::Wrong::Value { line, why } => format!("{}: {why}", at(line)),
                })
            })?;
            continue;
        }
        let name = known(&key).map_err(|near| unknown_key(&key, &at(line), near)).map_err(Failure::usage)?;
        own.push((name, plain(name, &node).map_err(|why| Failure::usage(format!("{}: {why}", at(line))))?, line));
    }
    // A key of ours says it more exactly than an original one.
    let mut settings =
        original::settings(&originals).map_err(|(line, why)| Failure::usage(format!("{}: {why}", at(line))))?;
    settings.extend(own);
    Ok(Read { settings, originals, receivers })
}

fn unknown_key(key: &str, at: &str, near: Option<&str>) -> String {
    let hint = near.map_or(String::new(), |n| format!(" — did you mean `{n}`?"));
    format!("unknown key `{key}` in {at}{hint}")
}

/// The value of one of our keys, as a variable would have it.
fn plain(name: &str, node: &Node) -> Result<String, String> {
    match node {
        Node { value: Value::Text(text), .. } => Ok(text.clone()),
        Node { value: Value::Number(text), .. } if text.parse::<i64>().is_ok() => Ok(text.clone()),
        Node { value: Value::List(items), .. } if LISTS.contains(&name) => {
            let text = |n: &Node| match &n.value {
                Value::Text(text) => Ok(text.clone()),
                _ => Err(format!("`{name}` must be a list of texts")),
            };
            Ok(items.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(","))
        }
        Node { value: Value::Table(entries), .. } if TABLES.contains(&name) => {
            let entry = |(key, _, node): &(String, usize, Node)| match &node.value {
                Value::Text(text) => Ok(format!("{key}={text}")),
                _ => Err(format!("`{name}.{key}` must be a text")),
            };
            Ok(entries.iter().map(entry).collect::<Result<Vec<_>, _>>()?.join(","))
        }
        _ => Err(format!("`{name}` must be a text or a whole number")),
    }
}

/// The key of this name, else the nearest one.
fn known(name: &str) -> Result<&'static str, Option<&'static str>> {
    match KEYS.iter().find(|k| k.name == name) {
        Some(key) => Ok(key.name),
        None => Err(nearest(name, KEYS.iter().map(|k| k.name).chain(original::roots()).chain([receivers::KEY]))),
    }
}

/// The most alike of some names, if any is alike at all.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|n| (strsim::jaro_winkler(n, name), n))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented_with_its_variable_and_meaning() {
        let doc = include_str!("../../../docs/config.md");
        for key in &KEYS {
            let variable = format!("`BAROGRAPH_{}`", key.name.to_uppercase());
            let line = doc.lines().find(|l| l.contains(&format!("| `{}` |", key.name)));
            assert!(line.is_some_and(|l| l.contains(&variable) && l.contains(key.meaning)), "{}", key.name);
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

    #[test]
    fn a_misspelt_key_is_told_the_nearest_one() {
        assert_eq!(known("listen"), Ok("listen"));
        assert_eq!(known("listn"), Err(Some("listen")));
        assert_eq!(known("zzz"), Err(None));
    }
}
