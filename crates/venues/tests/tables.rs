//! From a header and some rows to a meaning, and from a row to its numbers: the pure half of every table import.

use barograph_domain::{Metric, Payload, Span, Stamp, StreamIndex, Ts};
use barograph_venues::recognise::{TableDeclaration, recognise};
use barograph_venues::table::MetricTarget;
use barograph_venues::{EventSink, Hints, Layout, Owned, Reject, RejectReason, Row, Sample, TableMapper, sample};

const NOW: Ts = Ts::from_civil(2026, 11, 20, 0, 0, 0);

/// A table as text: a header or `-`, then rows.
fn table(header: &str, rows: &[&str]) -> Sample {
    let cell = |t: &str| if t.is_empty() { Owned::Empty } else { Owned::Text(t.to_owned()) };
    Sample {
        names: (header != "-").then(|| header.split(',').map(str::to_owned).collect()),
        rows: rows.iter().map(|r| r.split(',').map(cell).collect()).collect(),
        strict_width: true,
    }
}

fn meaning(path: &str, header: &str, rows: &[&str]) -> Result<(Layout, Option<Span>), String> {
    let sample = table(header, rows);
    let layout = recognise(&sample, &Hints::of(path), &TableDeclaration::default())?;
    let cadence = sample::cadence(&sample, &layout);
    Ok((layout, cadence))
}

fn check(
    path: &str,
    header: &str,
    rows: &[&str],
    format: &str,
    metrics: &[Metric],
    stamp: Stamp,
    cadence: Option<Span>,
) {
    let (layout, measured) = meaning(path, header, rows).unwrap_or_else(|e| panic!("{path} {header}: {e}"));
    assert_eq!((layout.format.spoken(), layout.shape.metrics().as_slice()), (format, metrics), "{path} {header}");
    assert_eq!((layout.clock.stamp, measured), (stamp, cadence), "{path} {header}");
}

#[test]
fn tables_are_told_apart_by_what_is_in_them() {
    use Metric::{Bar, FundingRateSettled, IndexPrice, MarkPrice, OpenInterest, PremiumIndex, Trade};
    let minute = Some(Span::mins(1));
    let kline = "1738368000000,1,2,1,2,5,1738368059999,9,1,1,1,0";
    check("x", "-", &[kline], "binance klines", &[Bar], Stamp::Open, minute);
    let flat = "1738368000000,1,2,1,2,0,1738368059999,0,1,0,0,0";
    check("markPriceKlines/x", "-", &[flat], "binance klines", &[MarkPrice], Stamp::Open, minute);
    check("indexPriceKlines/x", "-", &[flat], "binance klines", &[IndexPrice], Stamp::Open, minute);
    let tiny = "1738368000000,0.0001,0.0002,-0.0001,-0.0001,0,1738368059999,0,1,0,0,0";
    check("x", "-", &[tiny], "binance klines", &[PremiumIndex], Stamp::Open, minute);
    check("x", "-", &["7,1,2,7,7,1738368000000,true"], "binance archive aggTrades", &[Trade], Stamp::Instant, None);
    check("x", "-", &["7,1,2,2,1738368000000,true,true"], "binance archive trades", &[Trade], Stamp::Instant, None);
    let eight = Some(Span::hours(8));
    let funding = &["1735689600007,8,0.0001"];
    check("x", "-", funding, "binance archive fundingRate", &[FundingRateSettled], Stamp::Instant, eight);
    let rows = &["1735689600000,1", "1735689900000,2", "1735690200000,2", "1735691100000,2"];
    check("x", "t,oi", rows, "plain series", &[OpenInterest], Stamp::Instant, Some(Span::mins(5)));
    let rows = &["2025-01-01,1,1,1,1", "2025-01-02,1,1,1,1"];
    check("x", "Date,Open,High,Low,Close", rows, "plain candles", &[Bar], Stamp::Open, Some(Span::days(1)));
}

#[test]
fn a_wrong_first_row_does_not_hide_what_the_table_is() {
    let rows = &["oops,1,2,1,2,5,1738368059999,9,1,1,1,0", "1738368000000,1,2,1,2,5,1738368059999,9,1,1,1,0"];
    check("x", "-", rows, "binance klines", &[Metric::Bar], Stamp::Open, Some(Span::mins(1)));
}

#[test]
fn what_cannot_be_told_names_the_flag_that_decides() {
    let flat = &["1738368000000,1,2,1,2,0,1738368059999,0,1,0,0,0"][..];
    let full = &["1738368000000,1,2,1,2,5,1738368059999,9,1,1,1,0"][..];
    let trade = &["binance,BTCUSDT,1700000000000000,1700000000000000,7,buy,1,1"][..];
    let tardis = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount";
    for (path, header, rows, want) in [
        ("x", "-", flat, "--metric bar, mark_price, index_price or premium_index"),
        ("markPriceKlines/x", "-", full, "the name says mark_price, but the rows carry volume"),
        ("x", tardis, trade, "--metric trade or --metric liquidation"),
        ("x", "a,b", &["1,2"][..], "--columns time=<column>"),
        ("x", "exchange,symbol,timestamp,local_timestamp,asks[0].price", &["a,b,1,1,1"][..], "kind not used yet"),
        (
            "x",
            "timestamp,symbol,metric_name,value,source",
            &["1738368000000,BTCUSDT,my_signal,0.5,me"][..],
            "name themselves (column metric_name); signals of your own come in with: barograph signals import FILE. A series of a known metric is \
             read with --columns 'time=<column>,value=<column>' and --metric",
        ),
        ("x", "ts,metric,value", &["1738368000000,my_signal,0.5"][..], "(column metric); signals of your own"),
    ] {
        let error = meaning(path, header, rows).unwrap_err();
        assert!(error.contains(want), "{path} {header}: {error}");
    }
}

#[expect(clippy::panic_in_result_fn, reason = "a check of the test")]
/// Maps one row of a table that was recognised by `rows`.
fn map(header: &str, rows: &[&str], row: &str) -> Result<Vec<Payload>, Reject> {
    let (layout, cadence) = meaning("x", header, rows).unwrap_or_else(|e| panic!("{e}"));
    let count = layout.shape.metrics().len();
    let mut mapper = TableMapper::new(layout, cadence.unwrap_or(Span::mins(1)), NOW);
    let mut at = 0;
    let cells: Vec<(u32, u32)> = row
        .split(',')
        .map(|c| {
            let from = at;
            at += u32::try_from(c.len()).unwrap_or(0) + 1;
            (from, at - 1)
        })
        .collect();
    let row = Row::Text { line: row.as_bytes(), cells: &cells };
    let known = mapper.plan(&row);
    mapper.bind(vec![Some(vec![MetricTarget { stream: StreamIndex(0), delay: Span::secs(2) }; count])]);
    let mut sink = EventSink::new();
    mapper.map(&row, &mut sink)?;
    for event in &sink {
        assert_eq!(Ok(Some(event.event_ts)), known, "both passes agree on the stamp");
        assert_eq!(event.recv_ts, event.event_ts + Span::secs(2));
        assert_eq!(mapper.known_ts(&row), Ok(event.recv_ts));
    }
    Ok(sink.into_iter().map(|e| e.payload).collect())
}

#[test]
fn prices_are_parsed_once_and_to_the_last_bit() {
    let rows = &["1738368000000,1,1", "1738368300000,1,1"];
    for text in ["80424.539", "8064963864.475081", "0.1", "123456789.123456789", "7237005577332262213973186563043e-4"] {
        let got = map("t,oi,x", rows, &format!("1738368000000,{text},1"));
        assert_eq!(got, Ok(vec![Payload::Value(text.parse().unwrap_or(f64::NAN))]), "{text}");
    }
}

#[test]
fn nothing_of_a_wrong_row_comes_through() {
    let metrics = "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio";
    let good = "2025-01-01 00:05:00,BTCUSDT,5,1,1,1,1,1";
    assert_eq!(map(metrics, &[good], good).map(|p| p.len()), Ok(5));
    let last_is_wrong = "2025-01-01 00:05:00,BTCUSDT,5,1,1,1,1,-1";
    assert_eq!(map(metrics, &[good], last_is_wrong), Err(Reject::cell(RejectReason::Negative, 7)));
    assert_eq!(map(metrics, &[good], "2025-01-01 00:05:00,BTCUSDT,,,,,,").map(|p| p.len()), Ok(0), "all absent");
}
