//! `import.toml`: what each file of a folder is, written once beside the data instead of as flags every time.
//!
//! ```toml
//! version = 1
//! [[file]]
//! path = "open_interest_1h.csv"      # relative to the manifest
//! venue = "binance-usdm"
//! symbol = "BTCUSDT"
//! metric = "open_interest_usd"
//! source = "hyperliquid"
//! stamp = "open"
//! cadence = "1h"
//! delay = "60s"
//! columns = { time = "timestamp", value = "oi_usd" }
//! ```
//! Only `path` is required. Options given by the user come first. The manifest of a file is the nearest `import.toml`
//! in its folder or one of the four above it that names the file; folder and file as argument mean the same.

use crate::options::ImportOptions;
use barograph_domain::text::escape_control;
use barograph_domain::{Kind, MarketKind, Metric, Span, Stamp, Ts};
use barograph_venues::ColumnMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders above a file that are searched.
const LEVELS: usize = 5;

#[derive(Deserialize)]
struct Manifest {
    version: u32,
    #[serde(default)]
    file: Vec<Entry>,
}

#[derive(Deserialize, Clone)]
struct Entry {
    path: String,
    venue: Option<String>,
    symbol: Option<String>,
    market: Option<MarketKind>,
    metric: Option<Metric>,
    source: Option<String>,
    kind: Option<Kind>,
    stamp: Option<Stamp>,
    cadence: Option<String>,
    delay: Option<String>,
    columns: Option<BTreeMap<String, String>>,
    /// `{ venue = "Binance" }`: rows to keep.
    r#where: Option<BTreeMap<String, String>>,
}

/// Manifests read so far, by folder.
#[derive(Default)]
pub(crate) struct Manifests {
    read: BTreeMap<PathBuf, Option<Result<Manifest, String>>>,
}

impl Manifests {
    /// What a manifest says about a file; `None` where none names it.
    ///
    /// # Errors
    /// One sentence naming the manifest, when it cannot be read.
    pub(crate) fn options_for(&mut self, file: &Path, now: Ts) -> Result<Option<ImportOptions>, String> {
        let mut folder = file.parent();
        for _ in 0..LEVELS {
            let Some(here) = folder else { break };
            let at = if here.as_os_str().is_empty() { Path::new(".") } else { here };
            let manifest = self.read.entry(at.to_path_buf()).or_insert_with(|| load(at));
            match manifest {
                Some(Err(text)) => return Err(text.clone()),
                Some(Ok(manifest)) => {
                    let named = |e: &&Entry| file.strip_prefix(here).is_ok_and(|rest| rest == Path::new(&e.path));
                    if let Some(entry) = manifest.file.iter().find(named) {
                        let manifest = shown(&at.join("import.toml"));
                        let told = |e| format!("{manifest}: {}: {e}", escape_control(&entry.path));
                        return entry.options(now).map(Some).map_err(told);
                    }
                }
                None => {}
            }
            folder = here.parent();
        }
        Ok(None)
    }
}

/// The name of a file on one line: folders of an archive may be called anything.
fn shown(path: &Path) -> String {
    escape_control(&path.display().to_string()).into_owned()
}

fn load(folder: &Path) -> Option<Result<Manifest, String>> {
    let path = folder.join("import.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => return Some(Err(format!("cannot read {}: {e}", shown(&path)))),
    };
    let told = |e: String| format!("{}: {e}", shown(&path));
    let manifest: Result<Manifest, _> = toml::from_str(&text).map_err(|e| told(e.to_string().trim_end().to_owned()));
    Some(manifest.and_then(|m| {
        if m.version == 1 {
            Ok(m)
        } else {
            Err(told(format!("version {} is not known; this build reads 1", m.version)))
        }
    }))
}

impl Entry {
    fn options(&self, now: Ts) -> Result<ImportOptions, String> {
        let span = |text: &Option<String>| text.as_deref().map(Span::parse).transpose();
        let mut pairs = self.columns.clone().unwrap_or_default();
        if let Some(filter) = &self.r#where {
            pairs.extend(filter.iter().map(|(column, want)| (format!("where.{column}"), want.clone())));
        }
        if let (Some(metric), true) = (self.metric, pairs.contains_key("value")) {
            pairs.entry("metric".to_owned()).or_insert_with(|| metric.name().to_owned());
        }
        let columns = if self.columns.is_some() { Some(ColumnMap::from_table(&pairs)?) } else { None };
        let delays = match (span(&self.delay)?, self.metric) {
            (Some(delay), Some(metric)) => vec![(metric, delay)],
            (Some(_), None) => return Err("delay needs metric beside it".to_owned()),
            (None, _) => Vec::new(),
        };
        Ok(ImportOptions {
            venue: self.venue.clone(),
            symbol: self.symbol.clone(),
            market: self.market,
            metric: self.metric,
            stamp: self.stamp,
            delays,
            cadence: span(&self.cadence)?,
            source: self.source.clone(),
            columns,
            kind: self.kind,
            ..ImportOptions::new(now)
        })
    }
}
