//! `lake`: books, trades and feature rows as Parquet; the journal in the forms other tools read.

use crate::cli::lab::LakeArgs;
use crate::cli::lake::CompactArgs;
use crate::cli::{Export, Lake};
use crate::config::Settings;
use crate::failure::{Failure, chain};
use barograph_domain::Ts;
use barograph_lake::export::export_hftbacktest;
use barograph_lake::layers::{HourAbsence, LakeConfig, LakeMarket, absent_hours, compact, list};
use barograph_live::replay::journal_folder;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

pub(crate) fn run(command: &Lake, settings: &Settings, json: bool) -> Result<(), Failure> {
    match command {
        Lake::Ls(args) => ls(args, settings, json),
        Lake::Check(args) => match &args.at {
            Some(at) => super::lake_copies::check(at, args.folder.as_deref(), settings, json),
            None => check(&args.place, settings, json),
        },
        Lake::Push(args) => super::lake_copies::push(args, settings, json),
        Lake::Pull(args) => super::lake_copies::pull(args, settings, json),
        Lake::Compact(args) => compact_all(args, settings, json),
        Lake::Gold(args) => super::lake_gold::run(args, settings, json),
        Lake::Follow(args) => super::lake_follow::run(args, settings, json),
        Lake::Import(args) => super::lab::dataset(args, settings, json),
        Lake::Export(args) => export(args, settings, json),
    }
}

/// Refuses a time that ends before it begins.
pub(super) fn in_order(from: Option<Ts>, until: Option<Ts>) -> Result<(), Failure> {
    match from.zip(until) {
        Some((from, until)) if from > until => {
            Err(Failure::usage(format!("--from {from} is after --until {until}; exchange them")))
        }
        _ => Ok(()),
    }
}

/// Gives a whole file its name; where that fails nothing is left of it.
pub(super) fn put_in_place(temporary: &Path, path: &Path) -> Result<(), Failure> {
    std::fs::rename(temporary, path).map_err(|e| {
        drop(std::fs::remove_file(temporary));
        Failure::writing(path)(e)
    })
}

/// Folder of the lake: what was given, else the data folder.
pub(super) fn root(args: &LakeArgs, settings: &Settings) -> PathBuf {
    of_folder(args.lake.as_ref(), settings)
}

/// The same where only the folder is at hand.
pub(super) fn of_folder(lake: Option<&PathBuf>, settings: &Settings) -> PathBuf {
    lake.unwrap_or(&settings.data).clone()
}

fn ls(args: &LakeArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let root = root(args, settings);
    let listings = list(&root)?;
    if listings.is_empty() {
        return Err(no_lake(&root));
    }
    let mut out = std::io::stdout().lock();
    for l in &listings {
        let LakeMarket { exchange, symbol, timeframe } = &l.market;
        if json {
            let range = l.span.map(|(first, last)| [first, last]);
            let line = serde_json::json!({ "layer": l.layer, "table": l.table, "exchange": exchange, "symbol": symbol, "timeframe": timeframe, "hours": l.hours, "open": l.open, "range": range, "rows": l.rows, "bytes": l.bytes, "gaps": l.gaps, "faults": l.faults.len() });
            writeln!(out, "{line}")?;
            continue;
        }
        let table = format!("{}/{}", l.layer.word(), l.table);
        let name = format!("{exchange}:{symbol}{}", timeframe.as_ref().map(|t| format!(" {t}")).unwrap_or_default());
        let range = l.span.map(|(first, last)| format!("{first} to {last}")).unwrap_or_default();
        let open = if l.open > 0 { format!(", {} under way", l.open) } else { String::new() };
        let (rows, bytes) = (l.rows, kib(l.bytes));
        writeln!(
            out,
            "{table:20} {name:28} {rows:>9} rows {bytes:>9} KiB  {} hour{}{open}, {} gap{}  {range}",
            l.hours,
            if l.hours == 1 { "" } else { "s" },
            l.gaps,
            if l.gaps == 1 { "" } else { "s" }
        )?;
    }
    let faults: Vec<_> = listings.iter().flat_map(|l| &l.faults).collect();
    for fault in &faults {
        writeln!(std::io::stderr(), "barograph: {fault}; its rows are not counted")?;
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::No(format!("{} could not be read", hours_of(faults.len())))) }
}

fn hours_of(n: usize) -> String {
    if n == 1 { "1 hour".to_owned() } else { format!("{n} hours") }
}

fn no_lake(root: &Path) -> Failure {
    Failure::usage(format!(
        "{} holds no lake; name its folder with --lake; recordings come into one by: barograph lake import MARKET --source FILE",
        root.display()
    ))
}

fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1_024)
}

fn check(args: &LakeArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let root = root(args, settings);
    let listings = list(&root)?;
    if listings.is_empty() {
        return Err(no_lake(&root));
    }
    let hours: u64 = listings.iter().map(|l| l.hours).sum();
    let open: u64 = listings.iter().map(|l| l.open).sum();
    let findings = barograph_lake::layers::check(&root)?;
    let absent = absent_hours(&root)?;
    let n = findings.len();
    let mut out = std::io::stdout().lock();
    if json {
        let findings: Vec<_> = findings.iter().map(|f| serde_json::json!({ "path": f.path, "what": f.what })).collect();
        let absent: Vec<_> = absent
            .iter()
            .map(|a| {
                let LakeMarket { exchange, symbol, .. } = &a.market;
                serde_json::json!({ "layer": a.layer, "table": a.table, "exchange": exchange, "symbol": symbol, "from": a.from, "until": a.until, "hours": a.count(), "why": absence(a.why) })
            })
            .collect();
        let line = serde_json::json!({ "hours": hours, "under_way": open, "findings": findings, "absent": absent });
        writeln!(out, "{line}")?;
    } else {
        findings.iter().try_for_each(|f| writeln!(out, "{f}"))?;
        // Those that were taken away are among the findings.
        absent.iter().filter(|a| a.why != HourAbsence::TakenAway).try_for_each(|a| writeln!(out, "{a}"))?;
        if n == 0 {
            let open = if open > 0 { format!(", {open} of them under way") } else { String::new() };
            writeln!(out, "{hours} hours read{open}: every row is as its manifest says")?;
        }
    }
    if n == 0 {
        return Ok(());
    }
    Err(Failure::No(format!("{n} finding{}", if n == 1 { "" } else { "s" })))
}

const fn absence(why: HourAbsence) -> &'static str {
    match why {
        HourAbsence::Declared => "declared",
        HourAbsence::Quiet => "quiet",
        HourAbsence::TakenAway => "taken_away",
    }
}

fn compact_all(args: &CompactArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let config = LakeConfig::import(root(&args.place, settings));
    if list(&config.root)?.is_empty() {
        return Err(no_lake(&config.root));
    }
    let report = compact(&config, args.close.then(crate::clock::now))?;
    let mut out = std::io::stdout().lock();
    for (path, why) in &report.left {
        writeln!(std::io::stderr(), "barograph: {} is left as it is: {why}", path.display())?;
    }
    if json {
        let line = serde_json::json!({ "hours": report.hours, "files_removed": report.files_removed, "bytes_before": report.bytes_before, "bytes_after": report.bytes_after, "closed": report.closed });
        writeln!(out, "{line}")?;
    } else {
        let (before, after) = (kib(report.bytes_before), kib(report.bytes_after));
        writeln!(
            out,
            "{} hours made one file each ({before} KiB in {} files before, {after} KiB now), {} hours under way closed",
            report.hours, report.files_removed, report.closed
        )?;
    }
    match report.left.len() {
        0 => Ok(()),
        1 => Err(Failure::No("1 hour was left as it is".to_owned())),
        n => Err(Failure::No(format!("{n} hours were left as they are"))),
    }
}

fn export(args: &Export, settings: &Settings, json: bool) -> Result<(), Failure> {
    in_order(args.from, args.until)?;
    if args.format == "minutes" {
        return super::lake_minutes::run(args, settings, json);
    }
    if args.every.is_some() || !args.features.is_empty() {
        return Err(Failure::usage(
            "--every and --feature choose among stored minutes; give --format minutes with them",
        ));
    }
    match args.format.as_str() {
        "hftbacktest" if args.sources.is_empty() => {}
        "hftbacktest" => {
            return Err(Failure::usage(
                "--source: the lines of a journal are exported; files can be with --format hftbacktest-npy",
            ));
        }
        "hftbacktest-npy" => return super::lake_events::run(args, settings, json),
        other => {
            let known = "there are hftbacktest, hftbacktest-npy and minutes";
            return Err(Failure::usage(format!("format '{other}': {known}")));
        }
    }
    let root = journal_folder(&settings.data);
    if !root.is_dir() {
        return Err(Failure::usage(format!(
            "{} holds no journal; one is written by: barograph up",
            settings.data.display()
        )));
    }
    let (venue, symbol) = args.symbol.split_once(':').unwrap_or((settings.default_venue.as_str(), &args.symbol));
    let path = args.out.clone().unwrap_or_else(|| format!("{}.gz", symbol.to_lowercase()).into());
    let temporary = path.with_extension("part");
    let file = std::fs::File::create(&temporary).map_err(|e| {
        Failure::usage(format!("cannot write {}: {e}; choose another place with --out", path.display()))
    })?;
    let mut file = BufWriter::new(file);
    let done = export_hftbacktest(&root, venue, symbol, (args.from, args.until), &mut file)
        .map_err(|e| Failure::usage(chain(&e)))
        .and_then(|report| {
            file.flush().and_then(|()| file.get_ref().sync_all()).map_err(Failure::writing(&path))?;
            Ok(report)
        });
    let report = match done {
        Ok(report) if report.lines > 0 => report,
        other => {
            std::fs::remove_file(&temporary)?;
            other?;
            return Err(Failure::No(format!("the journal has nothing of {venue}:{symbol} in that time")));
        }
    };
    put_in_place(&temporary, &path)?;
    if venue == "coinbase" {
        writeln!(
            std::io::stderr(),
            "messages of Coinbase as they were received; hftbacktest has no converter for them, but reads --format hftbacktest-npy"
        )?;
    }
    for missing in &report.missing {
        writeln!(std::io::stderr(), "barograph: {missing}; the export has a hole there")?;
    }
    let mut out = std::io::stdout().lock();
    if json {
        let span = report.span.map(|(from, until)| [from, until]);
        let line = serde_json::json!({ "file": path, "lines": report.lines, "snapshots": report.snapshots, "trades": report.trades, "span": span, "bytes": report.bytes, "repeated": report.repeated, "failed_snapshots": report.failed_snapshots, "missing": report.missing });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{}: {} lines, {} of them depth snapshots, {} aggregate trades as trades",
            path.display(),
            report.lines,
            report.snapshots,
            report.trades
        )?;
    }
    Ok(())
}
