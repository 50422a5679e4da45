//! `lake`: the journal in the forms other tools read.

use crate::cli::{Export, Lake};
use crate::config::Settings;
use crate::failure::{Failure, chain};
use barograph_lake::export::export_hftbacktest;
use barograph_live::replay::journal_folder;
use std::io::{BufWriter, Write as _};

pub(crate) fn run(command: &Lake, settings: &Settings, json: bool) -> Result<(), Failure> {
    match command {
        Lake::Export(args) => export(args, settings, json),
    }
}

fn export(args: &Export, settings: &Settings, json: bool) -> Result<(), Failure> {
    if args.format != "hftbacktest" {
        return Err(Failure::usage(format!("format '{}': there is hftbacktest", args.format)));
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
            file.flush()?;
            file.get_ref().sync_all()?;
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
    std::fs::rename(&temporary, &path)?;
    if venue == "coinbase" {
        writeln!(
            std::io::stderr(),
            "messages of Coinbase as they were received; hftbacktest has no converter for them"
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
