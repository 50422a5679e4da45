//! Other people's tools read the same rows, of the same types, and only the files they need.

use crate::layers::support::{BEGIN, all_hours, book};
use barograph_domain::Span;
use barograph_lake::layers::{
    BookWriter, CellSlice, CellType, FeatureHead, FeatureWriter, GoldPrediction, GoldSignal, LakeColumn, LakeConfig,
    LakeMarket, LakeQuery, LakeReader, LakeTable, PartitionWriter, PredictionWriter, ResearchName, SignalWriter,
    TradeWriter, WideTrade, hours,
};
use barograph_testkit::skipped;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names that readers have to unescape; the last is one that a venue really has.
const SYMBOLS: [&str; 3] = ["BTCUSDT", "BTC/USDT:USDT+1 %", "币安人生USDT"];

/// The hour of which one partition is asked for: the second.
const SOME_HOUR: u32 = 14;

fn python() -> Option<PathBuf> {
    let Some(named) = std::env::var_os("PEERS_PYTHON") else {
        skipped("PEERS_PYTHON does not name a Python with polars, duckdb and pyarrow");
        return None;
    };
    Some(named.into())
}

/// Books, trades, features, bars, signals and predictions of three markets over two hours.
fn fill(root: &Path) {
    for (at, symbol) in SYMBOLS.into_iter().enumerate() {
        let market = || LakeMarket::new("binance-usdm", symbol);
        // One of them as a live writer leaves it before compaction.
        let config = || LakeConfig { compact_on_close: at != 0, ..LakeConfig::live(root) };
        let (mut writer, _) = BookWriter::open(config(), market()).unwrap();
        for book in (0..500).map(|i| book(i, Span(40_000_001))) {
            writer.push(&book.head, book.bids.iter().copied(), book.asks.iter().copied()).unwrap();
        }
        writer.into_partition().finish().unwrap();
        let (mut writer, _) = TradeWriter::open(config(), market()).unwrap();
        for i in 0..400 {
            let ts = BEGIN + Span(50_000_003).times(i);
            let sequence = u64::try_from(i).unwrap();
            let trade = WideTrade {
                ts,
                known_ts: ts,
                sequence,
                price: 0.1 * i as f64,
                size: 1e-8,
                is_buy: i % 3 == 0,
                gap: None,
            };
            writer.push(&trade).unwrap();
        }
        writer.into_partition().finish().unwrap();
        features(config(), market());
        bars(config(), market().with_timeframe("1s"));
        signals(config(), market());
        predictions(config(), market());
    }
}

fn features(config: LakeConfig, market: LakeMarket) {
    let ids: Vec<String> = (0..197).map(|i| format!("f{i}")).collect();
    let names: Vec<ResearchName<'_>> =
        ids.iter().enumerate().map(|(i, id)| ResearchName { id, category: i % 90 == 3 }).collect();
    let (mut writer, _) = FeatureWriter::open(config, market, &names).unwrap();
    for second in 0..20_i64 {
        let ts = BEGIN + Span::secs(second);
        let reason_mask = u16::try_from(second * 3_000).unwrap();
        let head = FeatureHead { ts, known_ts: ts + Span::millis(200), row_valid: second > 2, reason_mask, gap: None };
        let cell = |i: usize| (!(i + usize::try_from(second).unwrap()).is_multiple_of(5)).then_some(i as f64);
        writer.push(&head, (0..197).map(cell)).unwrap();
    }
    writer.into_partition().finish().unwrap();
}

fn bars(config: LakeConfig, market: LakeMarket) {
    let table = LakeTable::bars(vec![LakeColumn::nullable("vol_regime", CellType::Text)]).unwrap();
    let (mut writer, _) = PartitionWriter::open(config, table, market).unwrap();
    let ts: Vec<_> = (0..20).map(|i| BEGIN + Span::secs(i)).collect();
    let price: Vec<f64> = (0..20).map(f64::from).collect();
    let maybe: Vec<Option<f64>> = price.iter().map(|p| (*p > 3.0).then_some(*p)).collect();
    let trades: Vec<Option<u64>> = (0..20).map(|i| (i != 7).then_some(u64::MAX - i)).collect();
    let source = ["trades"; 20];
    let regime: Vec<Option<&str>> = (0..20).map(|i| (i % 4 > 0).then_some("HÖHER")).collect();
    let (ts, price, maybe) = (CellSlice::Moment(&ts), CellSlice::F64(&price), CellSlice::OptionF64(&maybe));
    let texts = (CellSlice::Text(&source), CellSlice::OptionText(&regime));
    let cells = [
        ts,
        ts,
        price,
        price,
        price,
        price,
        price,
        maybe,
        CellSlice::OptionU64(&trades),
        maybe,
        maybe,
        texts.0,
        texts.1,
    ];
    writer.append(&cells).unwrap();
    writer.finish().unwrap();
}

/// Labels and readings of twenty moments: a word, a number, or why there is none.
fn signals(config: LakeConfig, market: LakeMarket) {
    let (mut writer, _) = SignalWriter::open(config, market).unwrap();
    for i in 0..20_i64 {
        let ts = BEGIN + Span::secs(i);
        let bare = GoldSignal { ts, known_ts: ts + Span::millis(200), signal: "", value: None, word: None };
        let number = (i % 4 > 0).then_some(i as f64 * 0.1);
        let why = number.is_none().then_some("warming");
        writer.push(&GoldSignal { signal: "risk_label", word: Some("NORMAL"), ..bare }).unwrap();
        writer.push(&GoldSignal { signal: "realized_vol_1h", value: number, word: why, ..bare }).unwrap();
    }
    writer.into_partition().finish().unwrap();
}

/// Predictions of two targets, one by classes, with moments ahead of their rows and answers that are missing.
fn predictions(config: LakeConfig, market: LakeMarket) {
    let (mut writer, _) = PredictionWriter::open(config, market).unwrap();
    for i in 0..20_i64 {
        let ts = BEGIN + Span::secs(i);
        let (known_ts, label_end) = (ts + Span(200_000_001), ts + Span::secs(5));
        for (target, class) in [("dir_5s", None), ("vol_regime_5m", Some(0)), ("vol_regime_5m", Some(255))] {
            let value = (i % 6 != 2).then_some(0.05 * i as f64);
            let model = if i % 2 == 0 { "gbm" } else { "линейная" };
            writer.push(&GoldPrediction { ts, known_ts, model, target, label_end, class, value }).unwrap();
        }
    }
    writer.into_partition().finish().unwrap();
}

/// What every reader has to see of a table, from our own reader.
fn expected(root: &Path, table: &LakeTable) -> Value {
    let query = LakeQuery { table: Some(table.name().to_owned()), ..LakeQuery::default() };
    let all = hours(root, &query).unwrap();
    let files: usize = all.iter().map(|h| h.files().unwrap().len()).sum();
    let mut there = vec![0; table.columns().len()];
    let mut sums = vec![0.0; table.columns().len()];
    let mut rows = 0;
    for batch in LakeReader::new(all, None) {
        let batch = batch.unwrap();
        rows += batch.rows();
        for ((column, there), sum) in table.columns().iter().zip(&mut there).zip(&mut sums) {
            let array = batch.record_batch().column_by_name(&column.name).unwrap();
            *there += batch.rows() - array.null_count();
            if let Some(numbers) = batch.numbers(&column.name) {
                *sum += numbers.iter().flatten().sum::<f64>();
            }
        }
    }
    let some = LakeQuery { symbol: Some(SYMBOLS[1].to_owned()), ..query };
    let some: Vec<_> = hours(root, &some).unwrap().into_iter().filter(|h| h.folder.ends_with("hour=14")).collect();
    let columns: Vec<Value> = table
        .columns()
        .iter()
        .zip(there)
        .zip(sums)
        .map(|((column, there), sum)| {
            let word = format!("{:?}", column.cells).to_lowercase();
            json!({ "name": column.name, "type": word, "there": there, "sum": sum })
        })
        .collect();
    let (some_files, some_rows) = some.iter().fold((0, 0), |(files, rows), hour| {
        let manifest = hour.manifest().unwrap().unwrap();
        (files + manifest.files.len(), rows + manifest.rows)
    });
    assert!(some_rows > 0);
    let some = json!({ "symbol": SYMBOLS[1], "hour": SOME_HOUR, "rows": some_rows, "files": some_files });
    json!({ "rows": rows, "files": files, "columns": columns, "symbols": SYMBOLS, "some": some })
}

#[test]
fn polars_duckdb_and_pyarrow_read_the_same() {
    let Some(python) = python() else { return };
    let root = tempfile::tempdir().unwrap();
    fill(root.path());
    let ids: Vec<String> = (0..197).map(|i| format!("f{i}")).collect();
    let names: Vec<ResearchName<'_>> =
        ids.iter().enumerate().map(|(i, id)| ResearchName { id, category: i % 90 == 3 }).collect();
    let tables = [
        LakeTable::orderbook(),
        LakeTable::trades(),
        LakeTable::features(&names).unwrap(),
        LakeTable::bars(vec![LakeColumn::nullable("vol_regime", CellType::Text)]).unwrap(),
        LakeTable::signals(),
        LakeTable::predictions(),
    ];
    let place = |t: &LakeTable| format!("{}/{}", t.layer().word(), t.name());
    let want: Map<String, Value> = tables.iter().map(|t| (place(t), expected(root.path(), t))).collect();
    assert_eq!(all_hours(root.path()).len(), 6 * 3 * 2);
    let file = root.path().join("expected.json");
    std::fs::write(&file, serde_json::to_vec(&want).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layers/readers.py");
    let said = Command::new(python).arg(script).arg(root.path()).arg(&file).output().unwrap();
    println!("{}", String::from_utf8_lossy(&said.stdout));
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
