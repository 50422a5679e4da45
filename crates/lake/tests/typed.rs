//! Parquet and Feather: types, packings, absent cells, columns that are no cells.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use crate::common;
use arrow_array::builder::{Float64Builder, ListBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{Field, Schema};
use barograph_lake::ImportOptions;
use barograph_venues::ColumnMap;
use common::{Folder, btc, import, options};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns.iter().map(|(n, a)| Field::new(*n, a.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, a)| a).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn parquet(batch: &RecordBatch, packing: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(packing).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn feather(batch: &RecordBatch, packing: Option<CompressionType>) -> Vec<u8> {
    let packed = IpcWriteOptions::default().try_with_compression(packing).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), packed).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

const HOUR: i64 = 3_600_000;
const START: i64 = 1_738_368_000_000;

fn candles() -> RecordBatch {
    let f = |v: [f64; 3]| Arc::new(Float64Array::from(v.to_vec())) as ArrayRef;
    batch(vec![
        ("open", f([1.0, 2.0, 3.0])),
        ("high", f([2.0, 3.0, 4.0])),
        ("low", f([1.0, 2.0, 3.0])),
        ("close", f([2.0, 3.0, f64::NAN])),
        ("volume", f([5.0, f64::NAN, 7.0])),
        (
            "timestamp",
            Arc::new(TimestampMillisecondArray::from(vec![START, START + HOUR, START + 2 * HOUR]).with_timezone("UTC")),
        ),
    ])
}

const WANT: [&str; 2] = [
    "2025-02-01T01:00:02Z 2025-02-01T01:00:00Z BTCUSDT bar 1h: 1 2 1 2 5 -",
    "2025-02-01T02:00:02Z 2025-02-01T02:00:00Z BTCUSDT bar 1h: 2 3 2 3 - -",
];

fn check(bytes: Vec<u8>, what: &str) {
    let folder = Folder::new();
    // The ending does not matter: the bytes say what they are.
    let path = folder.write("table.data", bytes);
    let got = import(std::slice::from_ref(&path), &btc());
    assert_eq!(got.lines(), WANT, "{what}");
    assert_eq!(
        got.rejections(),
        [format!("1 missing value: {}:3: close is empty", path.display())],
        "{what}: rows count from 1"
    );
}

#[test]
fn every_packing_of_both_formats() {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    for packing in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        zstd,
        Compression::LZ4_RAW,
        Compression::GZIP(Default::default()),
    ] {
        check(parquet(&candles(), packing), &format!("{packing:?}"));
    }
    for packing in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        check(feather(&candles(), packing), &format!("{packing:?}"));
    }
}

#[test]
fn an_index_of_pandas_naive_stamps_and_prices_as_text() {
    let text = |v: [&str; 2]| Arc::new(StringArray::from(v.to_vec())) as ArrayRef;
    let table = batch(vec![
        ("open", text(["1", "2"])),
        ("high", text(["2", "3"])),
        ("low", text(["1", "2"])),
        ("close", text(["2", "3"])),
        ("volume", text(["5", ""])),
        (
            "__index_level_0__",
            Arc::new(TimestampNanosecondArray::from(vec![START * 1_000_000, (START + HOUR) * 1_000_000])),
        ),
    ]);
    let folder = Folder::new();
    let got = import(&[folder.write("x.parquet", parquet(&table, Compression::SNAPPY))], &btc());
    assert_eq!(got.lines(), WANT);
}

#[test]
fn a_long_table_of_many_markets_is_read_through_a_map() {
    let mut venues = StringDictionaryBuilder::<Int32Type>::new();
    let mut lists = ListBuilder::new(Float64Builder::new());
    for venue in ["Binance", "Bybit", "Binance", "Binance"] {
        venues.append_value(venue);
        lists.append_value([Some(1.0), None]);
    }
    let decimal = Decimal128Array::from(vec![12_345, 1, 12_355, 0]).with_precision_and_scale(20, 3).unwrap();
    let stamps = [START, START, START + HOUR, START + HOUR].map(|ms| ms * 1_000);
    let table = batch(vec![
        ("levels", Arc::new(lists.finish())),
        ("ts", Arc::new(TimestampMicrosecondArray::from(stamps.to_vec()))),
        ("venue", Arc::new(venues.finish())),
        ("coin", Arc::new(StringArray::from(vec!["BTC", "BTC", "BTC", "ETH"]))),
        ("live", Arc::new(BooleanArray::from(vec![true, true, true, false]))),
        ("lot", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("oi", Arc::new(decimal)),
    ]);
    let map =
        ColumnMap::parse("time=ts,value=oi,metric=open_interest,where.venue=Binance,where.coin=BTC,where.live=true");
    let mapped = ImportOptions { columns: Some(map.unwrap()), ..btc() };
    let want = [
        "2025-02-01T00:01:00Z 2025-02-01T00:00:00Z BTCUSDT open_interest 1h: 12.345",
        "2025-02-01T01:01:00Z 2025-02-01T01:00:00Z BTCUSDT open_interest 1h: 12.355",
    ];
    for bytes in [parquet(&table, Compression::SNAPPY), feather(&table, None)] {
        let folder = Folder::new();
        let got = import(&[folder.write("x", bytes)], &mapped);
        assert_eq!((got.lines().as_slice(), got.report.unused.values().sum::<u64>()), (&want.map(String::from)[..], 2));
    }
}

#[test]
fn freqtrade_feather_says_funding_by_its_numbers() {
    let zero = || Arc::new(Float64Array::from(vec![0.0; 3])) as ArrayRef;
    let stamps = vec![START + 3, START + HOUR, START + 2 * HOUR];
    let table = batch(vec![
        ("date", Arc::new(TimestampMillisecondArray::from(stamps).with_timezone("UTC"))),
        ("open", Arc::new(Float64Array::from(vec![0.0001, -0.0001, 0.0002]))),
        ("high", zero()),
        ("low", zero()),
        ("close", zero()),
        ("volume", zero()),
    ]);
    let folder = Folder::new();
    let name = "hyperliquid/futures/BTC_USDC_USDC-1h-funding_rate.feather";
    let got = import(&[folder.write(name, feather(&table, Some(CompressionType::LZ4_FRAME)))], &options());
    assert_eq!(got.streams(), ["hyperliquid:BTC funding_rate_settled 8h hyperliquid"]);
    assert_eq!(
        got.lines()[1],
        "2025-02-01T01:01:00Z 2025-02-01T01:00:00Z BTC funding_rate_settled 8h: -0.0001 per 1h next -"
    );
}

#[test]
fn a_broken_table_keeps_the_batches_before_the_break() {
    let f = |from: f64| {
        Arc::new(Float64Array::from((0..20_000).map(|n| from + f64::from(n)).collect::<Vec<_>>())) as ArrayRef
    };
    let stamps: Vec<i64> = (0..20_000).map(|n| START + n * 60_000).collect();
    let table =
        batch(vec![("timestamp", Arc::new(TimestampMillisecondArray::from(stamps)) as ArrayRef), ("oi", f(1.0))]);
    let whole = parquet(&table, Compression::UNCOMPRESSED);
    let folder = Folder::new();
    let cut = folder.write("cut.parquet", &whole[..whole.len() - 100]);
    let error = barograph_lake::plan(&[cut], &btc()).unwrap_err().to_string();
    assert!(error.contains("not a readable parquet file"), "{error}");
    let got = import(&[folder.write("whole.parquet", whole)], &btc());
    assert_eq!(got.events.len(), 20_000);
}
