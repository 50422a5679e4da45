//! The plan: every file looked at once, the streams that follow, and what is declared about them.

use crate::error::Error;
use crate::file::{FilePlace, Mapper, PlannedFile};
use crate::manifest::Manifests;
use crate::merge::EventReader;
use crate::options::{ImportOptions, stamp_word};
use crate::report::FailedFile;
use crate::scan::{self, Scanned};
use crate::walk::{self, FoundFiles};
use crate::{naming, sniff, source};
use barograph_domain::leg::SpotPairs;
use barograph_domain::{Instrument, InstrumentName, Metric, Span, Stamp, StreamDecl, StreamIndex, Ts, leg};
use barograph_venues::table::MetricTarget;
use barograph_venues::{policy, symbols};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Files, streams and declarations of an import.
#[derive(Debug)]
pub struct ImportPlan {
    pub(crate) files: Arc<Vec<PlannedFile>>,
    pub(crate) streams: Vec<StreamDecl>,
    pub(crate) failed: Vec<FailedFile>,
    pub(crate) skipped: Vec<String>,
    instruments: Vec<Instrument>,
    policy: String,
    /// Streams of spot prices, and the contracts' streams that repeat them.
    pub(crate) legs: Vec<(StreamIndex, StreamIndex)>,
}

/// One stream as it is printed before an import.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Declaration {
    /// What the files are, as in `binance klines`.
    pub format: String,
    /// `binance-usdm:BTCUSDT bar 1m binance-usdm`.
    pub stream: String,
    /// What a row's time means.
    pub stamp: Stamp,
    /// Time between rows.
    pub cadence: Span,
    /// How long after its close or stamp a row was known; zero for recordings, which are known at receipt.
    pub delay: Span,
    /// Recorded live: known at receipt.
    pub at_receipt: bool,
    /// Running funding whose rows do not say for how many hours a rate is.
    pub without_interval: bool,
    /// Number of files that feed it.
    pub files: usize,
}

const NO_INTERVAL: &str = "; no column says how many hours a rate is for: taken from the settlements heard of its market, 8 h assumed \
                           until then (name one with interval_h=<column>)";

impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { format, stream, stamp, cadence, delay, files, .. } = self;
        let known = if self.at_receipt { "at receipt".to_owned() } else { format!("{delay} after it") };
        let plural = if *files == 1 { "" } else { "s" };
        write!(
            f,
            "{stream}: stamp {}, every {cadence}, known {known} ({format}, {files} file{plural})",
            stamp_word(*stamp)
        )?;
        if self.without_interval {
            f.write_str(NO_INTERVAL)?;
        }
        Ok(())
    }
}

/// Looks into files and folders, in any order.
///
/// # Errors
/// A path that cannot be read, options that contradict each other, or not one file that can be imported.
pub fn plan(paths: &[PathBuf], options: &ImportOptions) -> Result<ImportPlan, Error> {
    plan_with(paths, options, &|_, _| {})
}

/// As [`plan`], reporting to `progress` how many files of how many have been looked into; from any thread.
///
/// # Errors
/// As [`plan`].
pub fn plan_with(
    paths: &[PathBuf],
    options: &ImportOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<ImportPlan, Error> {
    options.checked().map_err(Error::Usage)?;
    let FoundFiles { files, skipped } = walk::walk(paths)?;
    let mut failed = Vec::new();
    let mut jobs = Vec::new();
    let mut manifests = Manifests::default();
    for path in &files {
        match places(path) {
            Err(error) => failed.push(FailedFile { path: path.display().to_string(), error }),
            Ok(places) => match manifests.options_for(path, options.now) {
                Err(error) => failed.push(FailedFile { path: path.display().to_string(), error }),
                Ok(told) => {
                    let told = told.map_or_else(|| options.clone(), |m| options.or(&m));
                    jobs.extend(places.into_iter().map(|place| (place, told.clone())));
                }
            },
        }
    }
    let looked_at = files.len();
    let mut scanned = Vec::new();
    let mut policy = vec![options.policy_text()];
    let mut markets = BTreeMap::new();
    for ((place, told), result) in jobs.iter().zip(scan_all(&jobs, progress)) {
        match result {
            Err(error) => failed.push(FailedFile { path: place.shown.clone(), error }),
            Ok(found) if told.columns != options.columns && !found.is_mapped() => {
                let error = "has not all the columns that import.toml maps".to_owned();
                failed.push(FailedFile { path: place.shown.clone(), error });
            }
            Ok(found) => {
                policy.push(told.policy_text());
                for decl in found.file.decls.iter().flatten().flatten() {
                    markets.insert(decl.instrument.clone(), naming::market_of(&decl.instrument, told));
                }
                scanned.push(found);
            }
        }
    }
    if scanned.is_empty() {
        return Err(Error::Nothing { looked_at, failed });
    }
    if let (Some(map), true) = (&options.columns, !scanned.iter().any(Scanned::is_mapped)) {
        let wanted: Vec<&str> = map.wanted().collect();
        return Err(Error::Usage(format!("no file has all columns of --columns ({})", wanted.join(", "))));
    }
    if let Some(symbol) = &options.symbol {
        one_symbol(symbol, &scanned)?;
    }
    let mut files: Vec<PlannedFile> = scanned.into_iter().map(|s| s.file).collect();
    let instruments: Vec<Instrument> = markets
        .into_iter()
        .map(|(name, kind)| Instrument {
            kind,
            expiry: symbols::expiry(&name.symbol),
            ..Instrument::from_name(name, kind)
        })
        .collect();
    let (streams, legs) = bind(&mut files, &instruments, &options.spot_pairs)?;
    if !options.spot_pairs.is_empty() {
        policy.push(format!("spot_pairs {}", options.spot_pairs));
    }
    Ok(ImportPlan { files: Arc::new(files), streams, failed, skipped, instruments, policy: policy_text(&policy), legs })
}

impl ImportPlan {
    /// Declared streams, sorted; a [`StreamIndex`] is a position here, whatever the order of arguments.
    #[must_use]
    pub fn streams(&self) -> &[StreamDecl] {
        &self.streams
    }
    /// Markets, sorted by name.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
    /// Files that could not be planned; they are in the report, too.
    #[must_use]
    pub fn failed(&self) -> &[FailedFile] {
        &self.failed
    }
    /// What is declared about each stream, for printing.
    #[must_use]
    pub fn declarations(&self) -> Vec<Declaration> {
        let mut feeds: BTreeMap<&StreamDecl, (BTreeSet<&'static str>, usize, bool)> = BTreeMap::new();
        for file in self.files.iter() {
            let mut of_file: Vec<&StreamDecl> = file.decls.iter().flatten().flatten().collect();
            of_file.sort();
            of_file.dedup();
            for decl in of_file {
                let (formats, files, without_interval) = feeds.entry(decl).or_default();
                formats.insert(file.mapper.format());
                *files += 1;
                *without_interval |= decl.metric == Metric::FundingRate && file.mapper.lacks_interval();
            }
        }
        type Fed<'a> = (&'a StreamDecl, (BTreeSet<&'static str>, usize, bool));
        let declare = |(decl, (formats, files, without_interval)): Fed<'_>| Declaration {
            format: formats.into_iter().collect::<Vec<_>>().join(", "),
            stream: decl.label(),
            stamp: decl.stamp,
            cadence: decl.cadence,
            delay: decl.delay,
            at_receipt: decl.filled,
            without_interval,
            files,
        };
        feeds.into_iter().map(declare).collect()
    }
    /// The declared policy of stamps, cadences and delays with all overrides, as stable text; part of the configuration
    /// hash. Which files there are does not change it.
    #[must_use]
    pub fn policy_text(&self) -> &str {
        &self.policy
    }
    /// Bytes on disk, for a progress line.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        // A zip archive counts once, however many members it has.
        let mut seen = BTreeSet::new();
        self.files.iter().filter(|f| seen.insert(&f.place.path)).map(|f| f.bytes).sum()
    }
    /// When the first and the last row were known.
    #[must_use]
    pub fn known_span(&self) -> Option<(Ts, Ts)> {
        let first = self.files.iter().map(|f| f.known.0).min()?;
        let last = self.files.iter().map(|f| f.known.1).max()?;
        Some((first, last))
    }
    /// Starts reading. With a cut, rows known after it do not exist: nothing of them reaches a mapper.
    #[must_use]
    pub fn open(&self, cut: Option<Ts>) -> EventReader {
        EventReader::new(self, cut)
    }
}

/// A file, or the members of a zip archive.
fn places(path: &Path) -> Result<Vec<FilePlace>, String> {
    let shown = path.display().to_string();
    if !sniff::is_zip(path).map_err(|e| format!("cannot be read: {e}"))? {
        return Ok(vec![FilePlace { path: path.to_path_buf(), member: None, shown }]);
    }
    let members = source::members(path)?;
    if members.is_empty() {
        return Err("is a zip archive without a data file".to_owned());
    }
    let alone = members.len() == 1;
    let place = |member: source::ZipMember| {
        let shown = if alone { shown.clone() } else { format!("{shown}/{}", member.name) };
        FilePlace { path: path.to_path_buf(), member: Some(member), shown }
    };
    Ok(members.into_iter().map(place).collect())
}

/// Scans files on all cores; results in the order of jobs.
fn scan_all(
    jobs: &[(FilePlace, ImportOptions)],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Result<Scanned, String>> {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some((place, options)) = jobs.get(i) else { return done };
            done.push((i, scan::scan(place.clone(), options)));
            progress(finished.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len()).max(1);
    let mut all: Vec<(usize, Result<Scanned, String>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, result)| result).collect()
}

/// `--symbol` must not pour different markets into one.
fn one_symbol(asked: &str, scanned: &[Scanned]) -> Result<(), Error> {
    let base = |symbol: &String| {
        let name = InstrumentName::new("x", symbol).ok()?;
        Some(name.base_quote().map_or_else(|| symbol.clone(), |(base, _)| base))
    };
    // Files with rows of several symbols are filtered instead.
    let single = scanned.iter().filter(|s| s.own_symbols.len() == 1);
    let bases: BTreeSet<String> = single.flat_map(|s| &s.own_symbols).filter_map(base).collect();
    if bases.len() > 1 {
        let list: Vec<String> = bases.into_iter().collect();
        return Err(Error::Usage(format!(
            "--symbol {asked} would make one market of files that name {}; import them one symbol at a time",
            list.join(", ")
        )));
    }
    Ok(())
}

/// Spot prices and the contracts they are repeated to.
type Legs = Vec<(StreamIndex, StreamIndex)>;

/// Numbers the streams and sets for every mapper where its events go.
fn bind(
    files: &mut [PlannedFile],
    instruments: &[Instrument],
    pairs: &SpotPairs,
) -> Result<(Vec<StreamDecl>, Legs), Error> {
    let mut all: BTreeSet<StreamDecl> =
        files.iter().flat_map(|f| f.decls.iter().flatten().flatten()).cloned().collect();
    let repeated: Vec<(StreamDecl, StreamDecl)> = instruments
        .iter()
        .filter_map(|of| {
            let spot = &pairs.leg(of, instruments)?.name;
            let from = leg::priced_by(all.iter().filter(|d| d.instrument == *spot))?;
            Some((from.clone(), leg::as_stream(of, from)))
        })
        .collect();
    all.extend(repeated.iter().map(|(_, to)| to.clone()));
    let streams: Vec<StreamDecl> = all.into_iter().collect();
    let place =
        |decl: &StreamDecl| streams.binary_search(decl).ok().and_then(|at| u16::try_from(at).ok()).map(StreamIndex);
    let legs = repeated.iter().filter_map(|(from, to)| Some((place(from)?, place(to)?))).collect();
    if streams.len() > usize::from(u16::MAX) {
        return Err(Error::Usage(format!("{} streams are more than one run can take (65,535)", streams.len())));
    }
    for file in files {
        let target = |decl: &StreamDecl| {
            let position = streams.binary_search(decl).unwrap_or_default();
            MetricTarget { stream: StreamIndex(u16::try_from(position).unwrap_or(u16::MAX)), delay: decl.delay }
        };
        let targets: Vec<Option<Vec<MetricTarget>>> =
            file.decls.iter().map(|key| key.as_ref().map(|d| d.iter().map(target).collect())).collect();
        match &mut file.mapper {
            Mapper::Table(mapper) => mapper.bind(targets),
            Mapper::Recording(mapper) => {
                let stream = |key: &Option<Vec<MetricTarget>>| key.as_ref().and_then(|t| t.first()).map(|t| t.stream);
                mapper.bind(&targets.iter().map(stream).collect::<Vec<_>>());
            }
        }
    }
    Ok((streams, legs))
}

fn policy_text(overrides: &[String]) -> String {
    let lines: BTreeSet<&str> = overrides.iter().flat_map(|t| t.lines()).collect();
    let mut text = policy::text();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}
