//! From what was typed about files to an import plan, and the account printed before and after. What a file's name or text says
//! stays on its line.

use crate::cli::DeclaredArgs;
use crate::clock;
use crate::config::Settings;
use crate::failure::{Failure, chain};
use crate::term::number_of;
use barograph_domain::text::escape_control;
use barograph_domain::{InstrumentName, Ts};
use barograph_lake::{FailedFile, ImportOptions, ImportPlan, Report};
use barograph_venues::ColumnMap;
use std::io::Write as _;
use std::path::PathBuf;

/// A market as it was typed: venue:symbol, or a symbol of the default venue.
pub(crate) fn market_named(text: &str, settings: &Settings) -> Result<InstrumentName, Failure> {
    let named = match text.split_once(':') {
        Some((venue, symbol)) => InstrumentName::new(venue, symbol),
        None => InstrumentName::new(settings.default_venue.as_str(), text),
    };
    named.map_err(Failure::usage)
}

/// Import options as resolved.
pub(crate) fn options(
    declared: &DeclaredArgs,
    source: Option<&String>,
    settings: &Settings,
) -> Result<ImportOptions, Failure> {
    let columns = match &declared.columns {
        None => None,
        Some(text) => {
            let map = ColumnMap::parse(text).map_err(|e| Failure::usage(format!("--columns: {e}")))?;
            Some(match &declared.filter {
                None => map,
                Some(filter) => map.with_filter(filter).map_err(|e| Failure::usage(format!("--where: {e}")))?,
            })
        }
    };
    Ok(ImportOptions {
        venue: declared.venue.clone(),
        symbol: declared.symbol.clone(),
        market: declared.market,
        metric: declared.metric,
        stamp: declared.stamp,
        delays: declared.delays.clone(),
        cadence: declared.cadence,
        source: source.cloned(),
        columns,
        spot_pairs: settings.spot_pairs.clone(),
        ..ImportOptions::new(clock::now())
    })
}

/// Looks into the files.
pub(crate) fn plan(paths: &[PathBuf], options: &ImportOptions) -> Result<ImportPlan, Failure> {
    for path in paths {
        if !path.exists() {
            return Err(Failure::usage(format!(
                "there is no file or folder {}",
                escape_control(&path.display().to_string())
            )));
        }
    }
    barograph_lake::plan(paths, options).map_err(|e| match e {
        barograph_lake::Error::Nothing { looked_at, failed } if looked_at > 0 => nothing(looked_at, &failed),
        unread @ barograph_lake::Error::Path { .. } => Failure::usage(escape_control(&chain(&unread))),
        other => other.into(),
    })
}

/// Not one file could be used: each with its reason, as after an import that used some, and one sentence.
fn nothing(looked_at: usize, failed: &[FailedFile]) -> Failure {
    let plural = if looked_at == 1 { "" } else { "s" };
    match print_failed(failed, &mut std::io::stderr().lock()) {
        Ok(()) => Failure::usage(format!("nothing to import in {looked_at} file{plural}, see above")),
        Err(e) => e,
    }
}

fn print_failed(failed: &[FailedFile], err: &mut impl std::io::Write) -> Result<(), Failure> {
    for file in failed {
        writeln!(err, "failed {}: {}", escape_control(&file.path), escape_control(&file.error))?;
    }
    Ok(())
}

/// Declarations shown before the rest is only counted: a thousand markets would not be read by anyone.
const DECLARATIONS_SHOWN: usize = 24;

/// Prints what is declared about every stream, on standard error.
pub(crate) fn print_declarations(plan: &ImportPlan) -> Result<(), Failure> {
    let mut err = std::io::stderr().lock();
    let all = plan.declarations();
    for declaration in all.iter().take(DECLARATIONS_SHOWN) {
        writeln!(err, "reading {}", escape_control(&declaration.to_string()))?;
    }
    if all.len() > DECLARATIONS_SHOWN {
        writeln!(err, "reading … and {} more streams", all.len() - DECLARATIONS_SHOWN)?;
    }
    Ok(())
}

/// Prints what was read, refused and left out, on standard error.
pub(crate) fn print_report(report: &Report) -> Result<(), Failure> {
    let mut err = std::io::stderr().lock();
    for rejection in &report.rejected {
        writeln!(err, "rejected {} ({} in all)", escape_control(&rejection.example), rejection.count)?;
    }
    if report.disagreeing > 0 {
        let example = escape_control(report.disagreement.as_deref().unwrap_or("see the files"));
        let rule = "the file whose path sorts last counts, in one file the later line";
        writeln!(err, "disagreeing {example} ({} in all; {rule})", number_of(report.disagreeing, "row"))?;
    }
    print_failed(&report.failed, &mut err)?;
    let unused: u64 = report.unused.values().sum();
    let mut line = format!(
        "read {} from {}: {} of {} rejected",
        number_of(report.rows, "row"),
        number_of(report.files.len(), "file"),
        report.rejected_rows,
        report.rows
    );
    if report.already_seen > 0 {
        line.push_str(&format!(", {} already seen in another file", report.already_seen));
    }
    if unused > 0 {
        line.push_str(&format!(", {unused} without a use in this version"));
    }
    if !report.skipped.is_empty() {
        line.push_str(&format!(", {} without data skipped", number_of(report.skipped.len(), "file")));
    }
    writeln!(err, "{line}")?;
    Ok(())
}

/// Files that failed make the command fail at the end; what could be read has been used.
pub(crate) fn check_failed(report: &Report) -> Result<(), Failure> {
    match report.failed.len() {
        0 if report.accepted == 0 => Err(Failure::broken("not one row could be used")),
        0 => Ok(()),
        1 => Err(Failure::broken("1 file could not be read, see above; the rest was used")),
        n => Err(Failure::broken(format!("{n} files could not be read, see above; the rest was used"))),
    }
}

/// Is a row's minute inside what was asked for?
pub(crate) fn shown(ts: Ts, from: Option<Ts>, until: Option<Ts>) -> bool {
    from.is_none_or(|f| ts >= f) && until.is_none_or(|u| ts < u)
}
