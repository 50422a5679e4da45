//! `lab pair`: a perpetual and its spot market as one table (R3.17).

use super::lab::name;
use super::lake::root;
use crate::cli::lab::PairArgs;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_lake::table_out::{ParquetOut, TableColumn};
use barograph_research::load_pair;
use std::io::Write as _;

/// Rows written at once: 10,000 of 395 columns are 32 MB.
const AT_ONCE: usize = 10_000;

pub(super) fn run(args: &PairArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = name(&args.market, settings)?;
    let pair = load_pair(&root(&args.place, settings), &market, &settings.spot_pairs)?;
    let frame = &pair.rows.frame;
    let rows = |from: usize, until: usize| -> Vec<TableColumn> {
        let times = frame.times()[from..until].iter().map(|t| Some(t.0)).collect();
        let valid = (from..until).map(|row| Some(i64::from(frame.is_valid(row)))).collect();
        let numbers =
            frame.columns().iter().map(|c| TableColumn::Numbers((from..until).map(|row| c.get(row)).collect()));
        [TableColumn::Moments(times), TableColumn::Counts(valid)].into_iter().chain(numbers).collect()
    };
    let names = ["ts", "row_valid"].into_iter().chain(frame.names().iter().map(String::as_str));
    let like: Vec<(&str, TableColumn)> = names.zip(rows(0, 0)).collect();
    let mut out = ParquetOut::create(&args.out, &like).map_err(Failure::writing(&args.out))?;
    let mut from = 0;
    while from < frame.len() {
        let until = (from + AT_ONCE).min(frame.len());
        out.write(rows(from, until)).map_err(Failure::writing(&args.out))?;
        from = until;
    }
    out.finish().map_err(Failure::writing(&args.out))?;
    let mut shown = std::io::stdout().lock();
    let (n, columns, file) = (frame.len(), frame.columns().len(), args.out.display().to_string());
    if json {
        let (future, spot) = (pair.future.to_string(), pair.spot.to_string());
        let line = serde_json::json!({
            "future": future, "spot": spot, "rows": n, "columns": columns, "file": file, "data_digest": pair.rows.digest,
        });
        writeln!(shown, "{line}")?;
    } else {
        writeln!(shown, "{n} rows of {} with {} beside them, {columns} columns, in {file}", pair.future, pair.spot)?;
    }
    Ok(())
}
