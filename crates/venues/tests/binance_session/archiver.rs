//! Recordings with planted faults: the good file passes, and each difference of its twin is found and named.

use crate::rig::{Rig, config, data_of, perpetual, shared, status_of};
use barograph_domain::{MarketKind, Metric, Ts};
use barograph_venues::binance::archiver::{FaultKind, audit};
use barograph_venues::session::MarketSpec;

const MARCH_4: Ts = Ts::from_civil(2025, 3, 4, 0, 0, 0);
const APRIL_14: Ts = Ts::from_civil(2025, 4, 14, 0, 0, 0);

fn file(polarity: &str, what: &str) -> Option<String> {
    let bytes = shared(&format!("raw/binance-archiver/test_{polarity}_binance_{what}.csv.gz"))?;
    Some(String::from_utf8(bytes).unwrap())
}

/// The positive file has no fault; the negative one has those at those lines (as many comment lines as it has come first), and
/// every line in which the two differ is named.
fn check(what: &str, day: Ts, want: &[(usize, FaultKind)]) {
    let (Some(good), Some(bad)) = (file("positive", what), file("negative", what)) else { return };
    assert_eq!(audit(day, &good), [], "{what}");
    let found = audit(day, &bad);
    let got: Vec<(usize, FaultKind)> = found.iter().map(|f| (f.line, f.kind)).collect();
    assert_eq!(got, want, "{found:#?}");
    let differs = good.lines().zip(bad.lines()).enumerate().filter(|(_, (a, b))| a != b && !b.is_empty());
    for (at, (_, line)) in differs {
        assert!(found.iter().any(|f| f.line == at + 1), "line {}: {line}", at + 1);
    }
}

#[test]
fn planted_faults_of_spot_depth() {
    use FaultKind::{BadTime, EventAfterReceipt, EventTimeDiffers, OutsideDay, PriceNotAboveZero, SequenceJump};
    check(
        "difference_depth_stream_spot_trxusdt_04-03-2025",
        MARCH_4,
        &[
            (2, BadTime),
            (2, PriceNotAboveZero),
            (9, EventAfterReceipt),
            (9, SequenceJump),
            (10, EventTimeDiffers),
            (10_001, OutsideDay),
            (10_001, OutsideDay),
        ],
    );
}

/// The twin of this one is identical: nothing was planted.
#[test]
fn planted_faults_of_futures_depth() {
    check("difference_depth_stream_usd_m_futures_trxusdt_04-03-2025", MARCH_4, &[]);
}

#[test]
fn planted_faults_of_trades() {
    check("trade_stream_usd_m_futures_trxusdt_04-03-2025", MARCH_4, &[(2, FaultKind::PriceNotAboveZero)]);
}

/// A receive time of 1, and a last row that is commented out, so that the snapshot has an ask less than bids.
#[test]
fn planted_faults_of_snapshots() {
    let want = [(32, FaultKind::BadTime), (10_031, FaultKind::CommentedOut), (10_031, FaultKind::SnapshotCutShort)];
    check("depth_snapshot_spot_btcusdt_14-04-2025", APRIL_14, &want);
}

/// The same rows as frames, through the session: the good file is one unbroken book, the bad one is refused and lost where it
/// was broken.
#[test]
fn the_rows_as_frames() {
    for (polarity, what, id, faults, losses) in [
        ("positive", "difference_depth_stream_spot_trxusdt_04-03-2025", "binance-spot", vec![], 0),
        (
            "negative",
            "difference_depth_stream_spot_trxusdt_04-03-2025",
            "binance-spot",
            vec!["bad_time", "price_not_above_zero"],
            1,
        ),
        ("positive", "difference_depth_stream_usd_m_futures_trxusdt_04-03-2025", "binance-usdm", vec![], 0),
    ] {
        let Some(text) = file(polarity, what) else { return };
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split(',').collect()).collect();
        let futures = id == "binance-usdm";
        // Columns: receive, stream, type, event, (transaction), symbol, first, last, (previous), is ask, price, quantity.
        let at = |spot: usize| if futures { spot + 1 } else { spot };
        let spec = if futures { perpetual("TRXUSDT") } else { MarketSpec::bare("TRXUSDT", MarketKind::Spot) };
        let mut rig = Rig::new(id, config(id, vec![spec], &[Metric::Book]));
        rig.now = MARCH_4;
        rig.open_all(0);
        let tail = if futures { 9 } else { 7 };
        let (mut lost, mut frames, mut tops) = (0, 0, 0);
        for group in rows.chunk_by(|a, b| a[..tail] == b[..tail]) {
            let head = &group[0];
            let first: u64 = head[at(5)].parse().unwrap();
            let side = |ask: &str| -> String {
                let of = group.iter().filter(|r| r[tail] == ask);
                of.map(|r| format!(r#"["{}","{}"]"#, r[tail + 1], r[tail + 2])).collect::<Vec<_>>().join(",")
            };
            let more = if futures { format!(r#""T":{},"pu":{},"#, head[4], head[8]) } else { String::new() };
            let text = format!(
                r#"{{"e":"depthUpdate","E":{},{more}"s":"TRXUSDT","U":{first},"u":{},"b":[{}],"a":[{}]}}"#,
                head[3],
                head[at(6)],
                side("0"),
                side("1")
            );
            rig.now = Ts::from_epoch(head[0].parse().unwrap()).unwrap();
            let events = rig.on(0, &text);
            lost +=
                status_of(&events, Metric::Book).iter().filter(|s| s.until == barograph_domain::Status::OPEN).count();
            tops += data_of(&events, Metric::Book).len();
            frames += 1;
            if frames > 2
                && let Some(request) = rig.request("/depth")
            {
                // A snapshot just before this event, of two levels far away.
                let id = if futures { head[8].parse().unwrap() } else { first - 1 };
                let body = format!(r#"{{"lastUpdateId":{id},"bids":[["0.10000","1"]],"asks":[["0.90000","1"]]}}"#);
                tops += data_of(&rig.answer(request.id, 200, &body), Metric::Book).len();
            }
            rig.tick(0);
        }
        assert_eq!((rig.kinds(), lost), (faults, losses), "{polarity} {what}");
        assert!(frames > 500 && tops > 10, "{frames} frames, {tops} tops");
        assert!(rig.live(0));
    }
}
