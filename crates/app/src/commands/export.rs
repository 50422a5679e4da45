//! `export`: stored minutes of a market as a Parquet file, with labels and readings.

use crate::cli::MinuteExportArgs;
use crate::commands::{own_run, reader, resolve};
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::table_out::{ParquetOut, TableColumn};
use barograph_store::{MinuteColumns, MinuteWish, Range, minute_columns};
use std::io::Write as _;
use std::path::PathBuf;

/// Minutes written at once.
const STRETCH: Span = Span::days(1);

pub(crate) fn run(args: &MinuteExportArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let reader = reader(settings)?;
    let known: Vec<InstrumentName> = reader.instruments(None)?.into_iter().map(|i| i.instrument.name).collect();
    let market = resolve(&known, settings, &args.market, false)?;
    let runs = reader.runs(None)?;
    let info = own_run(&runs, &market, settings, |book| {
        Failure::usage(format!("{market} has no minutes for book '{book}' yet"))
    })?;
    let there: Vec<&str> = info.spec.columns.features.iter().map(|f| f.id.as_str()).collect();
    if let Some(unknown) = args.features.iter().find(|id| !there.contains(&id.as_str())) {
        return Err(Failure::usage(format!(
            "there is no feature '{unknown}'; `barograph features` lists those there are"
        )));
    }
    let none = || Failure::No(format!("{market} has no minutes in that time"));
    let (first, last) = info.minutes.ok_or_else(none)?;
    let (start, end) = (args.from.unwrap_or(first).max(first), args.until.unwrap_or(Ts::MAX).min(Ts(last.0 + 1)));
    let all = || there.iter().map(|id| (*id).to_owned()).collect();
    let features = Some(if args.features.is_empty() { all() } else { args.features.clone() });
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.parquet", market.to_string().replace([':', '/'], "-"))));
    let cannot = |e: std::io::Error| {
        Failure::usage(format!("cannot write {}: {e}; choose another place with --out", path.display()))
    };
    let mut out: Option<ParquetOut> = None;
    let mut rows = 0;
    let days = |span: Span| u64::try_from(span.0.max(0) / STRETCH.0).unwrap_or(0) + 1;
    let mut progress = Progress::new(days(end - start), "exporting", Unit::Steps);
    let mut from = start;
    while from < end {
        let until = Ts((from.floor(STRETCH) + STRETCH).0.min(end.0));
        let wish =
            MinuteWish { range: Range { start: from, end: until }, every: args.every, features: features.clone() };
        let columns = minute_columns(reader.as_ref(), &info.spec.key, &wish)?;
        from = until;
        progress.set(days(from - start) - 1);
        if columns.ts.is_empty() {
            continue;
        }
        rows += columns.ts.len();
        let table = table(columns);
        let file = match &mut out {
            Some(file) => file,
            None => {
                let like: Vec<(&str, TableColumn)> =
                    table.iter().map(|(name, cells)| (name.as_str(), cells.clone())).collect();
                out.insert(ParquetOut::create(&path, &like).map_err(cannot)?)
            }
        };
        file.write(table.into_iter().map(|(_, cells)| cells).collect()).map_err(cannot)?;
    }
    drop(progress);
    out.ok_or_else(none)?.finish().map_err(cannot)?;
    let mut shown = std::io::stdout().lock();
    if json {
        let line = serde_json::json!({ "file": path, "market": market.to_string(), "rows": rows, "from": start, "until": end });
        return Ok(writeln!(shown, "{line}")?);
    }
    Ok(writeln!(
        shown,
        "{}: {rows} minutes of {market} from {start} to {last}",
        path.display(),
        last = Ts(end.0 - 1).floor(Span::mins(1))
    )?)
}

/// Names and cells, in the order of the Python module's table.
fn table(columns: MinuteColumns) -> Vec<(String, TableColumn)> {
    let moments = |all: Vec<Ts>| TableColumn::Moments(all.into_iter().map(|t| Some(t.0)).collect());
    let mut out = vec![
        ("ts".to_owned(), moments(columns.ts)),
        ("known_ts".to_owned(), moments(columns.known_ts)),
        ("price".to_owned(), TableColumn::Numbers(columns.price)),
    ];
    for (axis, words) in columns.labels {
        let words = words.into_iter().map(|w| Some(w.to_owned())).collect();
        out.push((format!("{axis}_label"), TableColumn::Words(words)));
    }
    out.extend(columns.readings.into_iter().map(|(id, all)| (id, TableColumn::Numbers(all))));
    out
}
