//! A hole of weeks between two files is one hole: of the manifest, not of two million rows.

use crate::heard::{Heard, listen, rows_of, shipped};
use barograph_columns::place_of;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{LakeQuery, Layer, hours, unknown_times};
use barograph_lake::recorded::RecordStamps;
use barograph_research::dataset::{DatasetRequest, record};

/// A minute of a wide book, from a moment on.
fn minute(begin: Ts) -> String {
    let rows = (0..120).map(|n| {
        let t = begin.0 + 500_000_000 * n;
        format!("{t},{},{},1,{},2\n", t + 5_000_000, 100.0, 101.0 + f64::from(u8::try_from(n % 3).unwrap()))
    });
    format!("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n{}", rows.collect::<String>())
}

#[test]
fn a_hole_of_weeks_is_stated_and_gets_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    let begin = Ts::from_civil(2026, 2, 5, 14, 0, 0);
    let market = InstrumentName::parse("binance-spot:BTCUSDT").unwrap();
    for (n, away) in [Span::hours(2), Span::days(20)].into_iter().enumerate() {
        let files = [begin, begin + away].map(|t| {
            let path = dir.path().join(format!("{}.csv", t.0));
            std::fs::write(&path, minute(t)).unwrap();
            path
        });
        let lake = dir.path().join(format!("lake{n}"));
        let request =
            DatasetRequest { market: market.clone(), files: files.to_vec(), lake, tick: None, contract_size: None };
        let report = record(&request, &mut |_, _| {}).unwrap();
        assert!((118..=120 + 601).contains(&report.rows), "{} rows over {away}", report.rows);
        let query =
            LakeQuery { layer: Some(Layer::Silver), table: Some("features".to_owned()), ..LakeQuery::default() };
        let gaps: Vec<_> = unknown_times(&hours(&request.lake, &query).unwrap()).unwrap();
        let [gap] = &gaps[..] else { panic!("{gaps:?} over {away}") };
        assert!(gap.until - gap.from > away - Span::mins(13) && gap.until >= begin + away, "{gap:?} over {away}");
    }
}

#[test]
fn a_silence_behind_a_loss_has_a_reason_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let begin = Ts::from_civil(2026, 2, 5, 14, 0, 0);
    let again = begin + Span::mins(20);
    let silent = minute(again + Span::mins(15));
    let texts = [minute(begin), minute(again) + silent.split_once('\n').unwrap().1];
    let files: Vec<_> = (0..2).map(|n| dir.path().join(format!("{n}.csv"))).collect();
    files.iter().zip(texts).for_each(|(path, text)| std::fs::write(path, text).unwrap());
    let market = InstrumentName::parse("binance-spot:BTCUSDT").unwrap();
    let request = DatasetRequest { market, files, lake: dir.path().join("lake"), tick: None, contract_size: None };
    record(&request, &mut |_, _| {}).unwrap();
    let query = LakeQuery { layer: Some(Layer::Silver), table: Some("features".to_owned()), ..LakeQuery::default() };
    let gaps: Vec<_> =
        unknown_times(&hours(&request.lake, &query).unwrap()).unwrap().into_iter().map(|gap| gap.reason).collect();
    assert_eq!(gaps, ["missing_rows", "silent"]);
}

/// A trade that arrives after the row of its second counts there, for the rows that come.
#[test]
fn late_trades_count_at_their_own_second() {
    let mut all = listen("binance-usdm:BTCUSDT", &shipped(), (12_000, 20));
    let clean = rows_of(&all, None);
    let place = |id: &str| place_of(id).unwrap();
    let at = all.len() * 3 / 4;
    let trade = |heard: &Heard| if let Heard::Trade(at, trade) = heard { Some((*at, *trade)) } else { None };
    let (stamp, what) = all[at..].iter().find_map(trade).unwrap();
    // Three seconds late.
    let event = Ts(stamp.event.0 - 3_000_000_000);
    all.insert(all.iter().position(|h| trade(h) == Some((stamp, what))).unwrap(), {
        Heard::Trade(RecordStamps { event, recv: stamp.recv }, what)
    });
    let late = rows_of(&all, None);
    let own = event.ceil(Span::secs(1));
    let mut seen = [0_u32; 2];
    for ((t, a), (_, b)) in clean.iter().zip(&late) {
        let more = |id: &str| b.get(place(id)).ok().zip(a.get(place(id)).ok()).map(|(b, a)| b - a);
        assert!(more("tf_trade_count_1s").is_none_or(|n| n == 0.0), "{t}: its second had its row already");
        for (n, (id, seconds)) in [("tf_signed_volume_5s", 5), ("tf_trade_count_30s", 30)].into_iter().enumerate() {
            let counts = *t + Span::millis(200) >= stamp.recv && *t >= own && *t < own + Span::secs(seconds);
            let Some(d) = more(id) else { continue };
            assert_eq!(d != 0.0, counts, "{id} at {t}: {d}");
            seen[n] += u32::from(counts);
        }
    }
    assert!(seen[0] > 0 && seen[1] > 20, "{seen:?}");
}
