//! `lake export --format minutes`: stored minutes of a market as one Parquet file, what `barograph.minute_features` gives in Python.
//!
//! A row for each stored minute: where none is stored there is no row, and a reading that had no number is null. Every column says what it is
//! in the metadata of its field.

use super::{market, own_run, reader};
use crate::cli::Export;
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_api::{CatalogueEntry, nearest};
use barograph_domain::{Span, Ts};
use barograph_lake::table_out::{ParquetOut, TableColumn};
use barograph_query::shown::catalogue_entries;
use barograph_store::{MinuteColumns, MinuteRequest, Range, RunInfo, minute_columns};
use std::io::Write as _;
use std::path::PathBuf;

/// Minutes in memory at a time: ten days of some two hundred readings are 46 MB.
const PIECE: Span = Span::days(10);

pub(super) fn run(args: &Export, settings: &Settings, json: bool) -> Result<(), Failure> {
    if !args.sources.is_empty() {
        return Err(Failure::usage("--source: minutes are those of the data folder; leave --source out"));
    }
    let reader = reader(settings).map_err(|e| match e {
        Failure::Usage(why) => {
            Failure::Usage(format!("{why}; minutes are those of the data folder, which --data names, not of a lake"))
        }
        other => other,
    })?;
    let market = market(reader.as_ref(), settings, &args.symbol)?;
    let runs = reader.runs_of(&market, None)?;
    let none = |book: &str| Failure::No(format!("the store holds no minutes of {market} by book '{book}'"));
    let run = own_run(&runs, &market, settings, none)?;
    let features = features(args, run)?;
    let Some((first, last)) = run.minutes else { return Err(none(&settings.book)) };
    let (from, until) = (args.from.unwrap_or(first).max(first), args.until.unwrap_or(last).min(last));
    let path = args.out.clone().unwrap_or_else(|| format!("{}.parquet", market.symbol.to_lowercase()).into());
    let (book, _) = crate::setup::configured_book(settings)?;
    // A reading of another version is not what the catalogue says now.
    let is_stored =
        |e: &CatalogueEntry| run.spec.columns.features.iter().any(|f| f.id == e.id && f.version == e.version);
    let entries = catalogue_entries(&book).into_iter().filter(is_stored).collect();
    let mut out = MinuteFile { path, entries, features: features.clone(), rows: 0, file: None };
    let steps = u64::try_from((until - from).0 / PIECE.0).unwrap_or_default() + 1;
    let mut progress = Progress::new(steps, "exporting", Unit::Steps);
    let mut start = from;
    for done in 0.. {
        if start > until {
            break;
        }
        progress.set(done);
        let end = (start + PIECE).min(until + Span(1));
        let range = Range { start, end };
        let asked = MinuteRequest { range, every: args.every, features: Some(features.clone()) };
        out.add(minute_columns(reader.as_ref(), &run.spec.key, &asked)?)?;
        start = end;
    }
    drop(progress);
    let (rows, path) = (out.rows, out.path.clone());
    if !out.finish()? {
        return Err(Failure::No(format!(
            "the store holds no minutes of {market} in that time; they reach from {first} to {last}"
        )));
    }
    let mut shown = std::io::stdout().lock();
    if json {
        let line = serde_json::json!({
            "file": path, "market": market.to_string(), "rows": rows, "features": features.len(), "span": [from, until],
            "logic_version": run.spec.key.logic_version,
        });
        writeln!(shown, "{line}")?;
    } else {
        writeln!(shown, "{}: {rows} minutes of {market}, {} readings each", path.display(), features.len())?;
    }
    Ok(())
}

/// Readings that are asked for: all of the run without any.
fn features(args: &Export, run: &RunInfo) -> Result<Vec<String>, Failure> {
    let known = || run.spec.columns.features.iter().map(|f| f.id.as_str());
    for asked in &args.features {
        if !known().any(|id| id == asked) {
            let near = nearest(asked, known()).map_or(String::new(), |near| format!(" — did you mean '{near}'?"));
            return Err(Failure::usage(format!(
                "the stored minutes have no feature '{asked}'{near}; barograph features lists those there are"
            )));
        }
    }
    Ok(if args.features.is_empty() { known().map(str::to_owned).collect() } else { args.features.clone() })
}

/// A file that is begun with its first rows.
struct MinuteFile {
    path: PathBuf,
    entries: Vec<CatalogueEntry>,
    features: Vec<String>,
    rows: usize,
    file: Option<ParquetOut>,
}

impl MinuteFile {
    fn add(&mut self, columns: MinuteColumns) -> Result<(), Failure> {
        if columns.ts.is_empty() {
            return Ok(());
        }
        self.rows += columns.ts.len();
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let labels = columns.labels.clone().map(|(axis, _)| (axis, Vec::new()));
                let like = cells(MinuteColumns { readings: self.empty(), labels, ..MinuteColumns::default() });
                let like: Vec<(&str, TableColumn)> = like.iter().map(|(name, c)| (name.as_str(), c.clone())).collect();
                let file = ParquetOut::described(&self.path, &like, |name| about(&self.entries, name));
                file.map_err(|e| {
                    let path = self.path.display();
                    Failure::usage(format!("cannot write {path}: {e}; choose another place with --out"))
                })?
            }
        };
        let file = self.file.insert(file);
        let rows = cells(columns).into_iter().map(|(_, cells)| cells).collect();
        file.write(rows).map_err(Failure::writing(&self.path))?;
        Ok(())
    }

    fn empty(&self) -> Vec<(String, Vec<Option<f64>>)> {
        self.features.iter().map(|id| (id.clone(), Vec::new())).collect()
    }

    /// Whether there was anything.
    fn finish(self) -> Result<bool, Failure> {
        let Some(file) = self.file else { return Ok(false) };
        file.finish().map_err(Failure::writing(&self.path))?;
        Ok(true)
    }
}

fn cells(of: MinuteColumns) -> Vec<(String, TableColumn)> {
    let moments = |all: Vec<Ts>| TableColumn::Moments(all.into_iter().map(|t| Some(t.0)).collect());
    let mut out = vec![
        ("ts".to_owned(), moments(of.ts)),
        ("known_ts".to_owned(), moments(of.known_ts)),
        ("price".to_owned(), TableColumn::Numbers(of.price)),
    ];
    for (axis, words) in of.labels {
        let words = words.into_iter().map(|word| Some(word.to_owned())).collect();
        out.push((format!("{axis}_label"), TableColumn::Words(words)));
    }
    out.extend(of.readings.into_iter().map(|(id, all)| (id, TableColumn::Numbers(all))));
    out
}

/// What a column is, for its field.
fn about(entries: &[CatalogueEntry], name: &str) -> Vec<(String, String)> {
    let described = |text: &str| vec![("description".to_owned(), text.to_owned())];
    match name {
        "ts" => return described("end of the minute that the row covers"),
        "known_ts" => {
            return described("when the row could be used: 200 ms after its minute, or when a correction made it");
        }
        "price" => return described("mark price, else the last trade's"),
        _ => {}
    }
    if let Some(axis) = name.strip_suffix("_label") {
        return described(&format!("published label of the axis {axis}"));
    }
    let Some(entry) = entries.iter().find(|e| e.id == name) else { return Vec::new() };
    let mut said = described(&entry.formula);
    said.extend([("unit".to_owned(), entry.unit.to_owned()), ("window".to_owned(), entry.window.to_owned())]);
    said.push(("version".to_owned(), entry.version.to_string()));
    if !entry.words.is_empty() {
        let codes: Vec<String> = entry.words.iter().enumerate().map(|(code, word)| format!("{code} {word}")).collect();
        said.push(("codes".to_owned(), codes.join(", ")));
    }
    said
}
