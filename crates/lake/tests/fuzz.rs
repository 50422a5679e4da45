//! Whatever happens to a file on its way: an import may refuse it, never panic, never hang, never lose count of a row.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use crate::common;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use common::{Folder, btc, gz, options, try_import, zip, zst};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// Candles as a typed table.
fn table() -> RecordBatch {
    let price =
        |p: f64| Arc::new(Float64Array::from((0..300).map(|n| p + f64::from(n % 3)).collect::<Vec<_>>())) as ArrayRef;
    let stamps: Vec<i64> = (0..300).map(|n| 1_738_368_000_000 + n * 60_000).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("date", Arc::new(TimestampMillisecondArray::from(stamps).with_timezone("UTC"))),
        ("symbol", Arc::new(StringArray::from(vec!["BTCUSDT"; 300]))),
        ("open", price(100.0)),
        ("high", price(110.0)),
        ("low", price(90.0)),
        ("close", price(100.0)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn parquet() -> Vec<u8> {
    let table = table();
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties)).unwrap();
    writer.write(&table).unwrap();
    writer.into_inner().unwrap()
}

fn feather(packing: Option<CompressionType>) -> Vec<u8> {
    let table = table();
    let packed = IpcWriteOptions::default().try_with_compression(packing).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &table.schema(), packed).unwrap();
    writer.write(&table).unwrap();
    writer.into_inner().unwrap()
}

/// One small file of each format.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let klines: String = (0..30_u64)
        .map(|n| {
            let t = 1_738_368_000_000 + n * 60_000;
            format!("{t},100.1,102.5,99.25,101.0,{n}.5,{},500.125,1,1,1,0\n", t + 59_999)
        })
        .collect();
    let json =
        klines.lines().map(|l| format!("[{}]", l.replace(",100.1,", ",\"100.1\","))).collect::<Vec<_>>().join(",\n");
    let funding = r#"[{"symbol":"BTCUSDT","fundingTime":1735689600000,"fundingRate":"0.0001","markPrice":"","rateType":"Special"},
        {"symbol":"BTCUSDT","fundingTime":1735718400000,"fundingRate":"-0.0001","markPrice":"1"}]"#;
    let metrics = "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n\
        2026-06-24 23:55:00,BTCUSDT,80424.539,1,1.09,1.37,1.08,0.56\n2026-06-25 00:00:00,BTCUSDT,80390.219,1,\"\",,1.07,\n2026-06-25 00:00:00,BTCUSDT,80390,1,1,1,1,1\n";
    let ticker = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price\n\
        binance-futures,BTCUSDT,1700000000000000,1700000000123456,1700006400000000,0.0001,,1000.5,36000,36001.5,36002.5\n\
        binance-futures,ETHUSDT,1700000001000000,1700000001123456,,,,,36000,,36003\n";
    let recording = concat!(
        r#"1721347021080832061 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":498,"s":"BTCUSDT","b":"63943.90","B":"46","a":"63944.00","A":"0.095","T":1721347022507,"E":1}}"#,
        "\n",
        r#"1721347021300000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1721347022799,"s":"BTCUSDT","t":77,"p":"63944.0","q":"0.01","X":"MARKET","m":false}}"#,
        "\n",
        r#"1791383686100000000 [{"e":"markPriceUpdate","E":1791383686000,"s":"BTCUSDT","p":"83134.6","i":"83165.6","r":"0.00000253","T":1791388800000,"st":1}]"#,
        "\n",
        r#"1791383700100000000 {"e":"kline","E":1791383700013,"s":"BTCUSDT","k":{"t":1791383640000,"T":1791383699999,"o":"83070.8","c":"83142.9","h":"83143.0","l":"83070.7","v":"86.5","x":true,"q":"7193689.1"}}"#,
        "\n",
        r#"1791383700200000000 {"e":"forceOrder","E":1,"o":{"s":"BTCUSDT","S":"SELL","p":"82410.50","ap":"83051.20","z":"0.750","T":1791383690116}}"#,
        "\n",
    );
    let trades = "3477883836,83119.40,0.246,8153673197,8153673215,1791383683361,false\n3477883837,83119.3,0.1,1,1,1791383683362,true\n";
    vec![
        ("binance-usdm_btcusdt_1m.csv", klines.clone().into()),
        ("binance-usdm_btcusdt_1m.csv.gz", gz(&klines)),
        ("binance-usdm_btcusdt_1m.csv.zst", zst(&klines)),
        ("binance-usdm_btcusdt_1m.zip", zip(&[("binance-usdm_btcusdt_1m.csv", &klines), ("b.csv", "1")])),
        ("binance-usdm_btcusdt_1m.json", format!("[{json}]").into()),
        ("binance-usdm_funding.json", funding.into()),
        ("BTCUSDT-metrics.csv", metrics.into()),
        ("tardis.csv", ticker.into()),
        ("recording.txt", recording.into()),
        ("BTCUSDT-aggTrades-2026-10-07.csv", trades.into()),
        ("binance-usdm_x.parquet", parquet()),
        ("binance-usdm_x.feather", feather(None)),
        ("binance-usdm_y.feather", feather(Some(CompressionType::LZ4_FRAME))),
        (
            "plain_1m.csv",
            klines
                .lines()
                .map(|l| l.split(',').take(6).collect::<Vec<_>>().join(";") + "\n")
                .collect::<String>()
                .into(),
        ),
    ]
}

#[derive(Clone, Debug)]
enum Damage {
    Set(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let words = prop::sample::select(vec![
        "\"",
        ",",
        "\n",
        "\0",
        "-",
        "e308",
        "NaN",
        "9999999999999999999",
        "[",
        "]",
        "{",
        "}",
        "\u{feff}",
        "é",
        "1e-400",
        "-9223372036854775808",
        "\\",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<usize>(), 1_usize..60).prop_map(|(at, n)| Damage::Remove(at, n)),
        (any::<usize>(), 1_usize..200).prop_map(|(at, n)| Damage::Repeat(at, n)),
        (any::<usize>(), words).prop_map(|(at, w)| Damage::Insert(at, w.as_bytes().to_vec())),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

fn apply(mut bytes: Vec<u8>, all: &[Damage]) -> Vec<u8> {
    for one in all {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match one {
            Damage::Set(at, byte) => bytes[at % length] = *byte,
            Damage::Remove(at, n) => drop(bytes.drain(at % length..(at % length + n).min(length))),
            Damage::Repeat(at, n) => {
                let (from, until) = (at % length, (at % length + n).min(length));
                let again = bytes[from..until].to_vec();
                bytes.splice(until..until, again);
            }
            Damage::Insert(at, word) => drop(bytes.splice(at % length..at % length, word.iter().copied())),
            Damage::Cut(at) => bytes.truncate(at % length),
        }
    }
    bytes
}

/// Imports; [`try_import`] checks order and accounting.
fn survive(path: &PathBuf) {
    for options in [btc(), options()] {
        if let Err(e) = try_import(std::slice::from_ref(path), &options) {
            assert!(!e.to_string().is_empty());
        }
    }
}

#[test]
fn the_undamaged_files_are_fine() {
    for (name, bytes) in seeds() {
        let folder = Folder::new();
        let says_no_venue = name.starts_with("plain") || name.contains("aggTrades");
        let options = if says_no_venue { btc() } else { options() };
        let got = common::import(&[folder.write(name, bytes)], &options);
        assert_eq!(got.report.rejected_rows, 0, "{name}");
        assert!(!got.events.is_empty(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_refused_or_read_but_never_panic(
        which in any::<prop::sample::Index>(), damages in prop::collection::vec(damage(), 1..6)
    ) {
        let seeds = seeds();
        let (name, bytes) = which.get(&seeds);
        let folder = Folder::new();
        survive(&folder.write(name, apply(bytes.clone(), &damages)));
    }
}
