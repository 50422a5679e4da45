//! Venues of one asset in one data set, and readings of other feeds as they were known.

use barograph_columns::{FeedMinute, FeedReading};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_research::dataset::{DatasetBeside, DatasetRequest, FeedSource, record_beside};
use barograph_research::{ResearchError, load};
use core::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

const BEGIN: Ts = Ts::from_civil(2026, 2, 5, 14, 0, 0);

/// Two minutes of a wide book whose mid moves with each state, and six of trades.
fn files(dir: &Path, name: &str, mid: f64, size: f64) -> Vec<PathBuf> {
    let mut books = String::from("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n");
    let mut trades = String::from("ts,known_ts,sequence,price,size,is_buy,gap\n");
    for n in 0_i32..720 {
        let t = BEGIN.0 + 500_000_000 * i64::from(n);
        let now = mid + f64::from(n % 4);
        writeln!(books, "{t},{},{},1,{},1", t + 5_000_000, now - 1.0, now + 1.0).unwrap();
        writeln!(trades, "{t},{},{n},{now},{size},true,false", t + 5_000_000).unwrap();
    }
    let paths = [dir.join(format!("{name}-books.csv")), dir.join(format!("{name}-trades.csv"))];
    std::fs::write(&paths[0], books).unwrap();
    std::fs::write(&paths[1], trades).unwrap();
    paths.to_vec()
}

/// A reading each minute, whose number is the minute's.
#[derive(Debug)]
struct EveryMinute;

impl FeedSource for EveryMinute {
    fn minutes(&self, _: &InstrumentName, from: Ts, until: Ts) -> Result<Vec<FeedMinute>, ResearchError> {
        let at = |n: i64| BEGIN + Span::mins(n);
        let reading = |n: i64| FeedReading { value: Ok(n as f64), anchor: at(n), age_max: Span::secs(300) };
        let one = |n: i64| FeedMinute {
            minute: at(n),
            known: at(n) + Span::millis(200),
            derivatives: Some([reading(n); 12]),
            session_vol_ratio: Some(FeedReading { value: Ok(10.0 * n as f64), ..reading(n) }),
        };
        Ok((-2..4).map(one).filter(|m| from <= m.known && m.known < until).collect())
    }
}

#[test]
fn rows_have_what_was_known_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let market = InstrumentName::parse("coinbase:BTC-USD").unwrap();
    let other = InstrumentName::parse("binance-spot:BTCUSDT").unwrap();
    let request = DatasetRequest {
        market: market.clone(),
        files: files(dir.path(), "own", 1_000.0, 1.0),
        lake: dir.path().join("lake"),
        tick: None,
        contract_size: None,
    };
    let beside = DatasetBeside {
        feeds: Some(Rc::new(EveryMinute)),
        recordings: vec![(other.clone(), files(dir.path(), "other", 1_010.0, 3.0))],
        ..DatasetBeside::default()
    };
    let report = record_beside(&request, &beside, &mut |_, _| {}).unwrap();
    assert!(report.rows > 350 && report.late == 0, "{report:?}");
    let frame = load(&request.lake, &market).unwrap().frame;
    let get = |id: &str, second: i64| frame.column(id).unwrap().get(frame.row_at(BEGIN + Span::secs(second)).unwrap());
    for (second, minute) in [(60, 0.0), (61, 1.0), (119, 1.0), (181, 3.0)] {
        assert_eq!(get("dv_basis", second), Some(minute), "second {second}");
        assert_eq!(get("sx_session_vol_ratio", second), Some(10.0 * minute), "second {second}");
    }
    // Both books move alike: of two venues the median lies between them.
    let mid = get("mid_price", 200).unwrap();
    let want = 1e4 * (mid / (mid + 5.0)).ln();
    assert!((get("vx_mid_dev_bps", 200).unwrap() - want).abs() < 1e-9);
    // Binance is the reference where nobody chose another.
    let before = get("mid_price", 199).unwrap();
    let moved = 1e4 * ((mid + 10.0) / (before + 10.0)).ln();
    assert!((get("vx_ref_ret_1s_bps", 200).unwrap() - moved).abs() < 1e-9);
    let share = get("vx_volume_share_300s", 330).unwrap();
    assert!((share - 0.25).abs() < 0.01, "{share}");
    assert_eq!(get("vx_volume_share_300s", 200), None, "not yet 300 s");
}

#[test]
fn seconds_of_a_silence_are_compared_too() {
    let dir = tempfile::tempdir().unwrap();
    let name = |text: &str| InstrumentName::parse(text).unwrap();
    let mut text = String::from("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n");
    for second in (0..10).chain(310..330) {
        let t = (BEGIN + Span::secs(second)).0;
        writeln!(text, "{t},{},999,1,{},1", t + 5_000_000, 1_001 + second % 2).unwrap();
    }
    let own = dir.path().join("own.csv");
    std::fs::write(&own, text).unwrap();
    let market = name("coinbase:BTC-USD");
    let request = DatasetRequest {
        market: market.clone(),
        files: vec![own],
        lake: dir.path().join("lake"),
        tick: None,
        contract_size: None,
    };
    let other = (name("binance-spot:BTCUSDT"), files(dir.path(), "other", 1_010.0, 3.0));
    let beside = DatasetBeside { recordings: vec![other], ..DatasetBeside::default() };
    record_beside(&request, &beside, &mut |_, _| {}).unwrap();
    let frame = load(&request.lake, &market).unwrap().frame;
    let get = |id: &str, second: i64| frame.column(id).unwrap().get(frame.row_at(BEGIN + Span::secs(second)).unwrap());
    let (mut both, mut compared) = (0, 0);
    for second in 2..320 {
        if get("mid_price", second).is_some() {
            both += 1;
            compared += u32::from(get("vx_mid_dev_bps", second).is_some());
        }
    }
    // A book of five seconds ago is none; the rows of those five are made when the silence ends, with all the others.
    assert!(both > 20 && compared == both, "{compared} of {both} seconds");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let own = files(dir.path(), "own", 1_000.0, 1.0);
    let request = DatasetRequest {
        market: InstrumentName::parse("coinbase:BTC-USD").unwrap(),
        files: own.clone(),
        lake: dir.path().join("lake"),
        tick: None,
        contract_size: None,
    };
    for (other, reference, why) in [
        ("binance-usdm:BTCUSDT", None, "cannot be compared with coinbase:BTC-USD"),
        ("binance-spot:ETHUSDT", None, "cannot be compared with coinbase:BTC-USD"),
        ("coinbase:BTC-USD", None, "another venue of the same asset is wanted"),
        ("coinbase:BTC-USDT", None, "another venue of the same asset is wanted"),
        ("binance-spot:BTCUSDT", Some("kraken:BTC-USD"), "no recording of it is given beside"),
    ] {
        let name = |text: &str| InstrumentName::parse(text).unwrap();
        let beside = DatasetBeside {
            recordings: vec![(name(other), own.clone())],
            reference: reference.map(name),
            ..DatasetBeside::default()
        };
        let refused = record_beside(&request, &beside, &mut |_, _| {}).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
        assert!(!request.lake.exists(), "nothing is begun");
    }
}
