//! A perpetual and its spot market out of a lake as one vector.

use barograph_columns::pair::{PAIR_BASIS, PAIR_COLUMNS};
use barograph_domain::leg::SpotPairs;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_research::dataset::{DatasetRequest, record};
use barograph_research::load_pair;
use core::fmt::Write as _;
use std::path::Path;

const BEGIN: Ts = Ts::from_civil(2026, 2, 5, 14, 0, 0);

fn import(lake: &Path, market: &str, mid: f64, seconds: core::ops::Range<i64>) {
    let market = InstrumentName::parse(market).unwrap();
    let mut books = String::from("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n");
    for second in seconds {
        let t = (BEGIN + Span::secs(second) + Span::millis(300)).0;
        writeln!(books, "{t},{t},{},1,{},1", mid - 1.0, mid + 1.0).unwrap();
    }
    let file = lake.join(format!("{}.csv", market.symbol));
    std::fs::write(&file, books).unwrap();
    let request =
        DatasetRequest { market, files: vec![file], lake: lake.to_path_buf(), tick: None, contract_size: None };
    record(&request, &mut |_, _| {}).unwrap();
}

#[test]
fn the_vector_of_a_pair_is_found_by_either_of_its_markets() {
    let dir = tempfile::tempdir().unwrap();
    import(dir.path(), "binance-usdm:BTCUSDT", 1_010.0, 0..60);
    import(dir.path(), "coinbase:BTC-USD", 1_000.0, 0..30);
    let pairs = SpotPairs::parse("binance-usdm:BTCUSDT=coinbase:BTC-USD").unwrap();
    let name = |text: &str| InstrumentName::parse(text).unwrap();
    let by = |text: &str| load_pair(dir.path(), &name(text), &pairs).unwrap();
    let (future, spot) = (by("binance-usdm:BTCUSDT"), by("coinbase:BTC-USD"));
    assert_eq!((&future.future, &future.spot), (&spot.future, &spot.spot));
    assert_eq!(future.rows.frame, spot.rows.frame);
    let frame = &future.rows.frame;
    assert_eq!(frame.columns().len(), PAIR_COLUMNS);
    let get = |id: &str, second: i64| frame.column(id).unwrap().get(frame.row_at(BEGIN + Span::secs(second)).unwrap());
    assert_eq!((get("fut_mid_price", 20), get("spot_mid_price", 20)), (Some(1_010.0), Some(1_000.0)));
    assert_eq!(get(PAIR_BASIS, 20), Some(1_010.0 / 1_000.0 - 1.0));
    assert_eq!((get("fut_mid_price", 50), get("spot_mid_price", 50), get(PAIR_BASIS, 50)), (Some(1_010.0), None, None));
    let refused = load_pair(dir.path(), &name("binance-usdm:BTCUSDT"), &SpotPairs::NONE).unwrap_err().to_string();
    assert!(refused.contains("no other half"), "{refused}");
}
