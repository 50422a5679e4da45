//! Wide snapshots of files give the bits that the same states give one by one.

use crate::heard::{Heard, Rows, listen, rows_of, shipped};
use barograph_columns::{COLUMNS, catalogue};
use barograph_domain::InstrumentName;
use barograph_research::dataset::{DatasetRequest, record};
use barograph_research::load;
use core::fmt::Write as _;

fn wide(all: &[Heard]) -> String {
    let mut out = String::from("ts,known_ts,updates");
    for side in ["bid", "ask"] {
        (0..20).for_each(|k| write!(out, ",{side}_price_L{k},{side}_size_L{k}").unwrap());
    }
    for heard in all {
        let Heard::Book(at, sides, updates) = heard else { continue };
        write!(out, "\n{},{},{updates}", at.event.0, at.recv.0).unwrap();
        for side in sides {
            (0..20).for_each(|k| match side.get(k) {
                Some(level) => write!(out, ",{:?},{:?}", level.price, level.size).unwrap(),
                None => out.push_str(",,"),
            });
        }
    }
    out
}

#[test]
fn wide_snapshots_and_the_stream_of_states_are_equal_to_the_bit() {
    let market = "binance-usdm:BTCUSDT";
    let mut all = listen(market, &shipped(), (9_000, 20));
    // A file of states says nothing of trades.
    all.retain(|heard| matches!(heard, Heard::Book(..)));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("wide.csv");
    std::fs::write(&file, wide(&all)).unwrap();
    let again = listen(market, &file, (usize::MAX, 20));
    let streamed: Vec<Heard> = all
        .iter()
        .flat_map(|heard| match heard {
            Heard::Book(at, ..) => vec![Heard::Passed(at.recv), heard.clone()],
            other => vec![other.clone()],
        })
        .collect();
    let (batch, stream): (Rows, Rows) = (rows_of(&again, Some(0.1)), rows_of(&streamed, Some(0.1)));
    assert!(stream.len() > 40, "{} rows", stream.len());
    let n = stream.len().min(batch.len());
    assert!(stream.len() - n <= 1 && batch.len() - n <= 1, "{} and {}", stream.len(), batch.len());
    for ((t, a), (s, b)) in stream.iter().zip(&batch) {
        assert_eq!(t, s);
        let differs = (0..COLUMNS).find(|at| a.get(*at).map(f64::to_bits) != b.get(*at).map(f64::to_bits));
        assert_eq!(differs.map(|at| catalogue()[at].id), None, "{t}");
    }
    // And through the lake.
    let market = InstrumentName::parse(market).unwrap();
    let request = DatasetRequest {
        market: market.clone(),
        files: vec![file],
        lake: dir.path().join("lake"),
        tick: Some(0.1),
        contract_size: None,
    };
    record(&request, &mut |_, _| {}).unwrap();
    let frame = load(&request.lake, &market).unwrap().frame;
    for (t, row) in stream.iter().take(n) {
        let at = frame.row_at(*t).unwrap();
        let differs = (0..COLUMNS).find(|column| {
            frame.columns()[*column].get(at).map(f64::to_bits) != row.get(*column).ok().map(f64::to_bits)
        });
        assert_eq!(differs.map(|column| catalogue()[column].id), None, "{t} in the lake");
    }
}
