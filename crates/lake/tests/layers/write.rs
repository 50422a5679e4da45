//! Rows written and read back; what is refused.

use crate::layers::support::{BEGIN, Book, all_hours, as_kept, book, books, folder, market, names, open, push};
use barograph_domain::{GapReason, Span, Ts};
use barograph_lake::layers::{
    CellSlice, CellType, FeatureHead, FeatureWriter, FloatEncoding, HourManifest, LakeColumn, LakeCompression,
    LakeConfig, LakeMarket, LakeQuery, LakeReader, LakeTable, LayerError, PartitionWriter, ResearchName, TradeWriter,
    WideTrade, check, hours, list,
};
use proptest::prelude::*;

const STEP: Span = Span::millis(40);

fn write(config: LakeConfig, n: u64, step: Span) -> Vec<Book> {
    let (mut writer, _) = open(config);
    let written: Vec<Book> = (0..n).map(|i| book(i, step)).collect();
    written.iter().for_each(|b| push(&mut writer, b));
    writer.into_partition().finish().unwrap();
    as_kept(written)
}

#[test]
fn books_come_back_whatever_the_layout_and_have_one_digest() {
    let mut digests = Vec::new();
    let live = |root: &std::path::Path| LakeConfig::live(root);
    let forms: [fn(LakeConfig) -> LakeConfig; 6] = [
        |c| c,
        |c| LakeConfig { compact_on_close: false, ..c },
        |c| LakeConfig { flush_every: Span(i64::MAX), compression: LakeCompression::Lz4, ..c },
        |c| LakeConfig { floats: FloatEncoding::ByteStreamSplit, flush_every: Span::millis(400), ..c },
        |c| LakeConfig { floats: FloatEncoding::Dictionary, compression: LakeCompression::Snappy, ..c },
        |c| LakeConfig { compression: LakeCompression::Uncompressed, ..c },
    ];
    for form in forms {
        let root = tempfile::tempdir().unwrap();
        let written = write(form(live(root.path())), 500, STEP);
        assert_eq!(books(root.path()), written);
        assert_eq!(check(root.path()).unwrap(), []);
        let manifests: Vec<HourManifest> =
            all_hours(root.path()).iter().map(|h| h.manifest().unwrap().unwrap()).collect();
        assert_eq!(manifests.iter().map(|m| m.rows).collect::<Vec<_>>(), [250, 250]);
        digests.push(manifests.into_iter().map(|m| (m.content_sha256, m.gaps)).collect::<Vec<_>>());
    }
    assert!(digests.windows(2).all(|w| w[0] == w[1]), "{digests:?}");
    let gaps = &digests[0][0].1;
    assert_eq!(gaps.len(), 5);
    assert_eq!((gaps[0].from, gaps[0].until), (BEGIN + STEP.times(48), BEGIN + STEP.times(49)));
    assert_eq!(gaps[0].reason, GapReason::SequenceJump.word());
}

#[test]
fn an_hour_has_parts_while_it_is_open_and_one_file_when_it_is_closed() {
    let root = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(LakeConfig::live(root.path()));
    (0..240).for_each(|i| push(&mut writer, &book(i, STEP)));
    let seen = names(&folder(root.path(), 13));
    let parts: Vec<&String> = seen.iter().filter(|n| n.starts_with("part-")).collect();
    assert_eq!(parts.len(), 9, "{seen:?}");
    assert_eq!(*parts[0], format!("part-{}.parquet", BEGIN.0));
    assert!(seen.contains(&"_open.json".to_owned()) && !seen.contains(&"_manifest.json".to_owned()));
    let rows = list(root.path()).unwrap();
    assert_eq!((rows[0].rows, rows[0].open, rows[0].hours), (225, 1, 1), "whole seconds are there");
    assert_eq!(check(root.path()).unwrap(), [], "a running writer is no finding");
    push(&mut writer, &book(260, STEP));
    assert_eq!(names(&folder(root.path(), 13)), ["_manifest.json".to_owned(), format!("hour-{}.parquet", BEGIN.0)]);
    let stats = writer.into_partition().finish().unwrap();
    assert_eq!((stats.rows, stats.hours), (241, 2));
    let rows = list(root.path()).unwrap();
    assert_eq!((rows[0].rows, rows[0].open, rows[0].hours, rows[0].gaps), (241, 0, 2, 4));
    assert_eq!(rows[0].range.unwrap().0, Ts::from_civil(2024, 8, 8, 13, 0, 0));
}

#[test]
fn rows_of_a_closed_hour_are_refused_and_the_writer_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let written = write(LakeConfig::live(root.path()), 500, STEP);
    let before = HourManifest::load(&folder(root.path(), 13)).unwrap();
    let (mut writer, opened) = open(LakeConfig::live(root.path()));
    assert_eq!(opened.unclosed, None);
    let late = book(3, STEP);
    let refused = writer.push(&late.head, late.bids.iter().copied(), late.asks.iter().copied()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a row of 2024-08-08T13:59:50.120Z belongs to an hour that is closed and never rewritten; rows from \
         2024-08-08T14:00:00Z on can be added"
    );
    let next = Book { head: barograph_lake::layers::BookHead { sequence: 0, ..book(180_000, STEP).head }, ..late };
    push(&mut writer, &next);
    let back = writer.push(&book(251, STEP).head, [], []).unwrap_err();
    assert!(matches!(back, LayerError::ClosedHour { .. }) && back.is_refusal(), "{back}");
    let twice = writer.push(&next.head, [], []).unwrap_err();
    assert_eq!(twice.to_string(), "rows are not in order: sequence 0 comes after 0");
    assert!(writer.push(&book(180_001, STEP).head, [(f64::NAN, 1.0)], []).is_err());
    writer.into_partition().finish().unwrap();
    assert_eq!(books(root.path()), [written, as_kept([next])].concat());
    assert_eq!(HourManifest::load(&folder(root.path(), 13)).unwrap(), before);
}

#[test]
fn a_partition_has_one_writer() {
    let root = tempfile::tempdir().unwrap();
    let (first, _) = open(LakeConfig::live(root.path()));
    let second = barograph_lake::layers::BookWriter::open(LakeConfig::live(root.path()), market()).unwrap_err();
    assert!(matches!(second, LayerError::Held { pid: Some(pid), .. } if pid == std::process::id()), "{second}");
    drop(first);
    open(LakeConfig::live(root.path()));
}

#[test]
fn columns_by_slices_are_the_same_rows() {
    let trades: Vec<WideTrade> = (0..700_u64)
        .map(|i| {
            let ts = BEGIN + Span::millis(30).times(i64::try_from(i).unwrap());
            let gap = (i % 300 == 299).then_some(GapReason::Silent);
            WideTrade { ts, known_ts: ts, sequence: i, price: i as f64, size: 0.5, is_buy: i % 3 == 0, gap }
        })
        .collect();
    let by_row = tempfile::tempdir().unwrap();
    let (mut writer, _) = TradeWriter::open(LakeConfig::live(by_row.path()), market()).unwrap();
    trades.iter().for_each(|t| writer.push(t).unwrap());
    writer.into_partition().finish().unwrap();
    let by_column = tempfile::tempdir().unwrap();
    let (mut writer, _) =
        PartitionWriter::open(LakeConfig::live(by_column.path()), LakeTable::trades(), market()).unwrap();
    for rows in [&trades[..1], &trades[1..650], &trades[650..]] {
        let ts: Vec<Ts> = rows.iter().map(|t| t.ts).collect();
        let sequence: Vec<u64> = rows.iter().map(|t| t.sequence).collect();
        let price: Vec<f64> = rows.iter().map(|t| t.price).collect();
        let size: Vec<f64> = rows.iter().map(|t| t.size).collect();
        let is_buy: Vec<bool> = rows.iter().map(|t| t.is_buy).collect();
        let gap: Vec<bool> = rows.iter().map(|t| t.gap.is_some()).collect();
        let cells = [
            CellSlice::Moment(&ts),
            CellSlice::Moment(&ts),
            CellSlice::U64(&sequence),
            CellSlice::F64(&price),
            CellSlice::F64(&size),
            CellSlice::Bool(&is_buy),
            CellSlice::Bool(&gap),
        ];
        writer.append(&cells).unwrap();
        let again = writer.append(&cells).unwrap_err();
        assert!(again.is_refusal(), "{again}");
    }
    writer.finish().unwrap();
    let said = |root: &std::path::Path| {
        all_hours(root).iter().map(|h| h.manifest().unwrap().unwrap().content_sha256).collect::<Vec<_>>()
    };
    assert_eq!(said(by_row.path()), said(by_column.path()));
    assert_eq!(said(by_row.path()).len(), 2);
}

#[test]
fn features_keep_categories_and_what_is_withheld() {
    let root = tempfile::tempdir().unwrap();
    let names = [
        ResearchName { id: "ofi", category: false },
        ResearchName { id: "sx_session", category: true },
        ResearchName { id: "vpin", category: false },
    ];
    let (mut writer, _) = FeatureWriter::open(LakeConfig::live(root.path()), market(), &names).unwrap();
    let head = |i: i64| FeatureHead {
        ts: BEGIN.ceil(Span::secs(1)) + Span::secs(i),
        known_ts: BEGIN + Span::secs(i + 1),
        row_valid: i % 2 == 0,
        reason_mask: 0x8001,
        gap: None,
    };
    for i in 0..20 {
        writer.push(&head(i), [Some(0.5), Some(3.0), (i % 2 == 0).then_some(-1.0)]).unwrap();
    }
    for bad in [[Some(f64::INFINITY), None, None], [None, Some(2.5), None], [None, Some(256.0), None]] {
        assert!(writer.push(&head(20), bad).unwrap_err().is_refusal());
    }
    assert!(writer.push(&head(20), [None, None]).unwrap_err().is_refusal());
    assert!(writer.push(&head(0), [None; 3]).unwrap_err().is_refusal());
    writer.into_partition().finish().unwrap();
    let wanted = ["vpin", "sx_session", "ts"];
    let mut rows = 0;
    for batch in LakeReader::new(all_hours(root.path()), Some(&wanted)) {
        let batch = batch.unwrap();
        let got: Vec<String> = batch.record_batch().schema().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(got, wanted);
        for row in 0..batch.rows() {
            assert_eq!(batch.numbers("vpin").unwrap().get(row), (rows % 2 == 0).then_some(-1.0));
            assert_eq!(batch.count("sx_session", row), Some(3));
            rows += 1;
        }
    }
    assert_eq!(rows, 20);
    let unknown = LakeReader::new(all_hours(root.path()), Some(&["nope"])).next().unwrap().unwrap_err();
    assert!(unknown.to_string().ends_with("it has no column 'nope'"), "{unknown}");
}

#[test]
fn bars_have_a_folder_for_their_length_and_texts() {
    let root = tempfile::tempdir().unwrap();
    let table = || LakeTable::bars(vec![LakeColumn::nullable("vol_regime", CellType::Text)]).unwrap();
    let none = PartitionWriter::open(LakeConfig::live(root.path()), table(), market()).unwrap_err();
    assert!(matches!(none, LayerError::Misuse(_)));
    for timeframe in ["1m", "5m"] {
        let market = market().with_timeframe(timeframe);
        let (mut writer, _) = PartitionWriter::open(LakeConfig::live(root.path()), table(), market).unwrap();
        let ts = [BEGIN, BEGIN + Span::mins(1)];
        let price = CellSlice::F64(&[1.5, 2.5]);
        let maybe = CellSlice::OptionF64(&[Some(3.0), None]);
        writer
            .append(&[
                CellSlice::Moment(&ts),
                CellSlice::Moment(&ts),
                price,
                price,
                price,
                price,
                price,
                maybe,
                CellSlice::OptionU64(&[None, Some(u64::MAX)]),
                maybe,
                CellSlice::MaskedF64(&[f64::NAN, 2.0], &[false, true]),
                CellSlice::Text(&["trades", "venue_candle"]),
                CellSlice::OptionText(&[Some("HIGH"), None]),
            ])
            .unwrap();
        writer.finish().unwrap();
    }
    let query = LakeQuery { timeframe: Some("5m".to_owned()), ..LakeQuery::default() };
    let found = hours(root.path(), &query).unwrap();
    assert_eq!(found.len(), 2);
    let end = "gold/bars/exchange=binance-usdm/symbol=BTCUSDT/timeframe=5m/year=2024/month=08/day=08/hour=14";
    assert!(found[1].folder.ends_with(end), "{found:?}");
    let batches: Vec<_> = LakeReader::new(found, None).map(Result::unwrap).collect();
    assert_eq!((batches[0].text("vol_regime", 0), batches[1].text("vol_regime", 0)), (Some("HIGH"), None));
    assert_eq!((batches[0].count("trades", 0), batches[1].count("trades", 0)), (None, Some(u64::MAX)));
    assert_eq!(
        (batches[0].numbers("vwap").unwrap().get(0), batches[1].text("source", 0)),
        (None, Some("venue_candle"))
    );
    assert_eq!(check(root.path()).unwrap(), []);
}

#[test]
fn hours_are_chosen_by_market_and_time() {
    let root = tempfile::tempdir().unwrap();
    for symbol in ["BTC/USDT", "ETH/USDT"] {
        let (mut writer, _) =
            TradeWriter::open(LakeConfig::import(root.path()), LakeMarket::new("okx", symbol)).unwrap();
        for i in 0..72 {
            let ts = Ts::from_civil(2024, 12, 30, 0, 0, 0) + Span::hours(i);
            let sequence = 1;
            let trade = WideTrade { ts, known_ts: ts, sequence, price: 1.0, size: 1.0, is_buy: true, gap: None };
            writer.push(&trade).unwrap();
        }
        writer.into_partition().finish().unwrap();
    }
    let count = |query: LakeQuery| hours(root.path(), &query).unwrap().len();
    let one = LakeQuery { symbol: Some("ETH/USDT".to_owned()), ..LakeQuery::default() };
    let year = Ts::from_civil(2025, 1, 1, 0, 0, 0);
    assert_eq!(count(LakeQuery::default()), 144);
    assert_eq!(count(one.clone()), 72);
    assert_eq!(count(LakeQuery { from: Some(year), ..one.clone() }), 24);
    assert_eq!(count(LakeQuery { until: Some(year), ..one.clone() }), 48);
    assert_eq!(count(LakeQuery { from: Some(year - Span(1)), until: Some(year + Span(1)), ..one }), 2);
    assert_eq!(count(LakeQuery { table: Some("orderbook".to_owned()), ..LakeQuery::default() }), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However rows are cut into parts, by interval or by hand, they and their digest are the same.
    #[test]
    fn cuts_do_not_matter(
        n in 1_u64..300, interval in 1_i64..5_000, step in 1_i64..200, by_hand in proptest::collection::vec(0_u64..300, 0..4)
    ) {
        let step = Span::millis(step);
        let whole = tempfile::tempdir().unwrap();
        let written = write(LakeConfig::import(whole.path()), n, step);
        let cut = tempfile::tempdir().unwrap();
        let (mut writer, _) = open(LakeConfig { flush_every: Span::millis(interval), ..LakeConfig::live(cut.path()) });
        for i in 0..n {
            push(&mut writer, &book(i, step));
            if by_hand.contains(&i) {
                writer.partition().flush().unwrap();
            }
        }
        writer.into_partition().finish().unwrap();
        prop_assert_eq!(books(cut.path()), written);
        let said = |root: &std::path::Path| {
            all_hours(root).iter().map(|h| h.manifest().unwrap().unwrap()).map(|m| (m.content_sha256, m.gaps)).collect::<Vec<_>>()
        };
        prop_assert_eq!(said(cut.path()), said(whole.path()));
    }
}
