//! The ledger as a table for other tools: one row per forecast, with references and outcome, as CSV or Parquet, and one per event that
//! was asked and not forecast and per count of a day's windows, so that the scorecard can be made from the file: column `kind` says which.
//!
//! Names are those of verification §7. Times are nanoseconds since 1970 in Parquet and ISO
//! 8601 in CSV; an absent value is null, and empty in CSV. Numbers have all their digits.

use crate::cli::ForecastFormat;
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::{Axis, Ts};
use barograph_lake::table_out::{ParquetOut, TableColumn};
use barograph_lake::whole_file::WholeFile;
use barograph_query::scores::{BaseView, ForecastView, LedgerLine, NotIssuedView};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Rows per piece of a Parquet file.
const PIECE: usize = 50_000;

/// One column.
enum Cell {
    Word(Option<String>),
    Number(Option<f64>),
    Count(Option<i64>),
    Moment(Option<Ts>),
}

fn word(text: &str) -> Cell {
    Cell::Word(Some(text.to_owned()))
}

fn maybe(text: Option<&str>) -> Cell {
    Cell::Word(text.map(str::to_owned))
}

/// Names and cells of a row.
fn cells(v: &ForecastView, logic: &str) -> Vec<(&'static str, Cell)> {
    let four = |of: Option<[f64; 4]>, at: usize| Cell::Number(of.map(|all| all[at]));
    vec![
        ("kind", word("forecast")),
        ("forecast_id", word(&v.forecast_id)),
        ("event_id", word(v.event_id)),
        ("event_version", Cell::Count(Some(v.event_version.into()))),
        ("symbol", word(&v.symbol)),
        ("subject", maybe(v.subject.as_deref())),
        ("axis", maybe(v.axis)),
        ("label", word(&v.label)),
        ("raw_label", word(&v.raw_label)),
        ("issued_ts", Cell::Moment(Some(v.issued_ts))),
        ("resolve_after", Cell::Moment(Some(v.resolve_after))),
        ("probability", Cell::Number(v.probability)),
        ("class_0", four(v.classes, 0)),
        ("class_1", four(v.classes, 1)),
        ("class_2", four(v.classes, 2)),
        ("class_3", four(v.classes, 3)),
        ("calibration", word(v.calibration)),
        ("calibration_scope", maybe(v.calibration_scope)),
        ("abstain_reason", maybe(v.abstain_reason)),
        ("cases", Cell::Count(Some(v.cases.into()))),
        ("separate", Cell::Count(Some(v.separate.into()))),
        ("state_at_issue", Cell::Count(v.state_at_issue.map(i64::from))),
        ("climatology", Cell::Number(v.climatology)),
        ("climatology_0", four(v.climatology_classes, 0)),
        ("climatology_1", four(v.climatology_classes, 1)),
        ("climatology_2", four(v.climatology_classes, 2)),
        ("climatology_3", four(v.climatology_classes, 3)),
        ("climatology_cases", Cell::Count(Some(v.climatology_cases.into()))),
        ("persistence", Cell::Number(v.persistence)),
        ("persistence_0", four(v.persistence_classes, 0)),
        ("persistence_1", four(v.persistence_classes, 1)),
        ("persistence_2", four(v.persistence_classes, 2)),
        ("persistence_3", four(v.persistence_classes, 3)),
        ("persistence_cases", Cell::Count(Some(v.persistence_cases.into()))),
        ("classifier_id", word(&v.classifier_id)),
        ("logic_version", word(logic)),
        ("input_digest", word(&v.input_digest)),
        ("resolved_at", Cell::Moment(v.resolved_at)),
        ("outcome", Cell::Count(v.outcome.map(i64::from))),
        ("resolution_reason", maybe(v.resolution_reason)),
        ("evidence_0", Cell::Number(v.evidence[0].map(f64::from))),
        ("evidence_1", Cell::Number(v.evidence[1].map(f64::from))),
        ("not_issued_reason", maybe(None)),
        ("revised_at", Cell::Moment(v.revised_at)),
        ("revised_outcome", Cell::Count(v.revised_outcome.map(i64::from))),
        ("base_windows", Cell::Count(None)),
        ("base_moved", Cell::Count(None)),
    ]
}

/// Cells of something that was not forecast: what was asked, when and why not.
fn cells_not_issued(v: &NotIssuedView, logic: &str) -> Vec<Cell> {
    let known = |name: &str| match name {
        "kind" => word("not_issued"),
        "event_id" => word(v.event.id()),
        "event_version" => Cell::Count(Some(v.event.version().into())),
        "symbol" => word(&v.symbol),
        "axis" => maybe(v.event.axis().map(Axis::name)),
        "issued_ts" => Cell::Moment(Some(v.issued_ts)),
        "logic_version" => word(logic),
        "not_issued_reason" => word(v.reason.id()),
        name => empty(name),
    };
    NAMES.into_iter().map(known).collect()
}

/// Cells of a day's windows of a market.
fn cells_base(v: &BaseView, logic: &str) -> Vec<Cell> {
    let event = ForecastEvent::AlertMove1h;
    let known = |name: &str| match name {
        "kind" => word("base"),
        "event_id" => word(event.id()),
        "event_version" => Cell::Count(Some(event.version().into())),
        "symbol" => word(&v.symbol),
        "issued_ts" => Cell::Moment(Some(v.issued_ts)),
        "logic_version" => word(logic),
        "base_windows" => Cell::Count(Some(v.windows.into())),
        "base_moved" => Cell::Count(Some(v.moved.into())),
        name => empty(name),
    };
    NAMES.into_iter().map(known).collect()
}

/// Nothing, of the kind that a column holds.
fn empty(name: &str) -> Cell {
    match name {
        "resolve_after" | "resolved_at" | "revised_at" => Cell::Moment(None),
        "cases" | "separate" | "state_at_issue" | "climatology_cases" | "persistence_cases" | "outcome"
        | "revised_outcome" | "base_windows" | "base_moved" => Cell::Count(None),
        name if NUMBERS.iter().any(|n| name.starts_with(n)) => Cell::Number(None),
        _ => Cell::Word(None),
    }
}

/// What names of columns of numbers begin with.
const NUMBERS: [&str; 5] = ["probability", "class_", "climatology", "persistence", "evidence_"];

/// Where rows go.
enum Out {
    Csv { file: BufWriter<File>, whole: WholeFile, begun: bool },
    Parquet { out: Option<Box<ParquetOut>>, rows: Vec<Vec<Cell>> },
}

/// A file on its way; it appears whole or not at all.
pub(crate) struct ForecastFile {
    out: Out,
    path: PathBuf,
    logic: String,
}

impl ForecastFile {
    pub(crate) fn create(path: &Path, format: ForecastFormat, logic: &str) -> io::Result<Self> {
        let out = match format {
            ForecastFormat::Csv => {
                let (whole, file) = WholeFile::begin(path)?;
                Out::Csv { file: BufWriter::new(file), whole, begun: false }
            }
            ForecastFormat::Parquet => {
                ParquetOut::offered()?;
                Out::Parquet { out: None, rows: Vec::new() }
            }
        };
        Ok(Self { out, path: path.to_owned(), logic: logic.to_owned() })
    }

    pub(crate) fn push(&mut self, line: &LedgerLine) -> io::Result<()> {
        let row: Vec<Cell> = match line {
            LedgerLine::Forecast(view) => cells(view, &self.logic).into_iter().map(|(_, cell)| cell).collect(),
            LedgerLine::NotIssued(view) => cells_not_issued(view, &self.logic),
            LedgerLine::Base(view) => cells_base(view, &self.logic),
        };
        match &mut self.out {
            Out::Csv { file, begun, .. } => {
                header(file, begun)?;
                writeln!(file, "{}", row.iter().map(text).collect::<Vec<_>>().join(","))
            }
            Out::Parquet { rows, .. } => {
                rows.push(row);
                if rows.len() >= PIECE { self.flush() } else { Ok(()) }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Out::Parquet { out, rows } = &mut self.out else { return Ok(()) };
        let columns = columns_of(core::mem::take(rows));
        if let Some(file) = out {
            return file.write(columns);
        }
        let named: Vec<(&str, TableColumn)> = NAMES.iter().copied().zip(columns.iter().cloned()).collect();
        out.insert(Box::new(ParquetOut::create(&self.path, &named)?)).write(columns)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        // Programs read a table without rows, and fail at a file without a header.
        if let Out::Csv { file, begun, .. } = &mut self.out {
            header(file, begun)?;
        }
        if matches!(&self.out, Out::Parquet { rows, .. } if !rows.is_empty()) {
            self.flush()?;
        }
        match self.out {
            Out::Csv { file, whole, .. } => whole.finish(&file.into_inner().map_err(io::IntoInnerError::into_error)?),
            Out::Parquet { out: Some(out), .. } => out.finish(),
            Out::Parquet { out: None, .. } => Err(io::Error::other("there is no forecast to write")),
        }
    }
}

/// The line of names, before the first row.
fn header(file: &mut BufWriter<File>, begun: &mut bool) -> io::Result<()> {
    if !core::mem::replace(begun, true) {
        writeln!(file, "{}", NAMES.join(","))?;
    }
    Ok(())
}

/// Names of the columns, in the order of [`cells`].
const NAMES: [&str; 47] = [
    "kind",
    "forecast_id",
    "event_id",
    "event_version",
    "symbol",
    "subject",
    "axis",
    "label",
    "raw_label",
    "issued_ts",
    "resolve_after",
    "probability",
    "class_0",
    "class_1",
    "class_2",
    "class_3",
    "calibration",
    "calibration_scope",
    "abstain_reason",
    "cases",
    "separate",
    "state_at_issue",
    "climatology",
    "climatology_0",
    "climatology_1",
    "climatology_2",
    "climatology_3",
    "climatology_cases",
    "persistence",
    "persistence_0",
    "persistence_1",
    "persistence_2",
    "persistence_3",
    "persistence_cases",
    "classifier_id",
    "logic_version",
    "input_digest",
    "resolved_at",
    "outcome",
    "resolution_reason",
    "evidence_0",
    "evidence_1",
    "not_issued_reason",
    "revised_at",
    "revised_outcome",
    "base_windows",
    "base_moved",
];

/// Rows as columns.
fn columns_of(rows: Vec<Vec<Cell>>) -> Vec<TableColumn> {
    let mut columns: Vec<TableColumn> = Vec::new();
    for row in rows {
        for (at, cell) in row.into_iter().enumerate() {
            if columns.len() == at {
                columns.push(match cell {
                    Cell::Word(_) => TableColumn::Words(Vec::new()),
                    Cell::Number(_) => TableColumn::Numbers(Vec::new()),
                    Cell::Count(_) => TableColumn::Counts(Vec::new()),
                    Cell::Moment(_) => TableColumn::Moments(Vec::new()),
                });
            }
            match (&mut columns[at], cell) {
                (TableColumn::Words(all), Cell::Word(x)) => all.push(x),
                (TableColumn::Numbers(all), Cell::Number(x)) => all.push(x),
                (TableColumn::Counts(all), Cell::Count(x)) => all.push(x),
                (TableColumn::Moments(all), Cell::Moment(x)) => all.push(x.map(|t| t.0)),
                _ => {}
            }
        }
    }
    columns
}

/// A cell of a CSV file. No value of ours holds a comma, a quotation mark or a line break but a market's own name, which is quoted
/// where it does.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Word(Some(w)) if w.contains([',', '"', '\n', '\r']) => format!("\"{}\"", w.replace('"', "\"\"")),
        Cell::Word(w) => w.clone().unwrap_or_default(),
        Cell::Number(x) => x.map_or_else(String::new, |x| x.to_string()),
        Cell::Count(n) => n.map_or_else(String::new, |n| n.to_string()),
        Cell::Moment(t) => t.map_or_else(String::new, |t| t.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::InstrumentName;
    use barograph_domain::forecast::{ForecastEvent, Forecaster, Issue, LedgerTick, NotIssuedReason, Stated};

    #[test]
    fn every_cell_has_its_name() {
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let issue = Issue {
            event: ForecastEvent::HighVol1h,
            market: 0,
            subject: None,
            forecaster: Forecaster::Rules,
            resolve_after: Ts(3_600_000_000_000),
            label: 3,
            raw_label: 0,
            state: Some(1),
            stated: Stated::Probability(0.1),
            scope: None,
            cases: 5,
            separate: 2,
            input_digest: 7,
        };
        let tick = LedgerTick { markets: vec![market.clone()].into(), ..LedgerTick::default() };
        let row = cells(&ForecastView::of(&tick, &issue, &market, "v0"), "v0");
        assert_eq!(row.iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
        let line: Vec<String> = row.iter().map(|(_, cell)| text(cell)).collect();
        assert_eq!(line[2..5], ["hv_1h", "1", "binance-usdm:BTCUSDT"]);
        assert_eq!((line[7].as_str(), line[11].as_str(), line[38].as_str()), ("HIGH_VOL", "0.1", ""));
        let (event, reason) = (ForecastEvent::Squeeze4h, NotIssuedReason::NoSide);
        let not = NotIssuedView { event, symbol: market.to_string(), issued_ts: Ts(0), reason };
        let kind = core::mem::discriminant::<Cell>;
        let other = cells_not_issued(&not, "v0");
        let (symbol, issued_ts) = (market.to_string(), Ts(0));
        let base = cells_base(&BaseView { symbol, issued_ts, windows: 288, moved: 30 }, "v0");
        for ((name, cell), (_, of_forecast)) in NAMES.iter().zip(&base).zip(&row) {
            assert_eq!(kind(cell), kind(of_forecast), "{name}");
        }
        for ((name, cell), (_, of_forecast)) in NAMES.iter().zip(&other).zip(&row) {
            assert_eq!(kind(cell), kind(of_forecast), "{name}");
        }
        let said: Vec<String> = other.iter().map(text).filter(|t| !t.is_empty()).collect();
        let want =
            ["not_issued", "squeeze_4h", "1", "binance-usdm:BTCUSDT", "risk", "1970-01-01T00:00:00Z", "v0", "no_side"];
        assert_eq!(said, want);
    }
}
