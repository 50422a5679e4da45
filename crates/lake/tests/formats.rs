//! Every format, by a small file of its kind: what comes out, to the last digit.

use crate::common;
use barograph_domain::{Metric, Span, Stamp, Ts};
use barograph_lake::ImportOptions;
use barograph_venues::ColumnMap;
use common::{Folder, Imported, btc, gz, import, options, zip, zst};

/// One file in, lines out.
fn check(name: &str, bytes: impl AsRef<[u8]>, options: &ImportOptions, want: &[&str]) -> Imported {
    let folder = Folder::new();
    let path = folder.write(name, bytes);
    let got = import(&[path], options);
    assert_eq!(got.lines(), want, "{name}");
    assert_eq!(got.rejections(), Vec::<String>::new(), "{name}");
    assert_eq!(got.report.failed, [], "{name}");
    got
}

const HEADER: &str = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
const KLINES: &str = "1738368000000,100.1,101.5,99.9,100.3,12.5,1738368059999,1253.75,10,6,600,0\n\
                      1738368060000,100.3,100.4,100.2,100.4,0,1738368119999,0,0,0,0,0\n";
const BARS: [&str; 2] = [
    "2025-02-01T00:01:02Z 2025-02-01T00:01:00Z BTCUSDT bar 1m: 100.1 101.5 99.9 100.3 12.5 1253.75",
    "2025-02-01T00:02:02Z 2025-02-01T00:02:00Z BTCUSDT bar 1m: 100.3 100.4 100.2 100.4 0 0",
];

#[test]
fn klines_with_and_without_header_plain_and_packed() {
    let name = "data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2025-02-01";
    let with = format!("{HEADER}{KLINES}");
    check(&format!("{name}.csv"), KLINES, &options(), &BARS);
    check(&format!("{name}.csv"), &with, &options(), &BARS);
    check(&format!("{name}.csv"), with.replace('\n', "\r\n"), &options(), &BARS);
    check(&format!("{name}.csv"), format!("\u{feff}{with}"), &options(), &BARS);
    check(&format!("{name}.csv.gz"), gz(&with), &options(), &BARS);
    check(&format!("{name}.csv.zst"), zst(&with), &options(), &BARS);
    check(&format!("{name}.zip"), zip(&[("BTCUSDT-1m-2025-02-01.csv", &with)]), &options(), &BARS);
    check("BTCUSDT-1m-2025-02.zip", zip(&[("data.csv", &with)]), &btc(), &BARS);
    check("anything.bin", gz(gz(&with)), &btc(), &BARS);
}

#[test]
fn spot_stamps_in_microseconds_give_the_same_instants() {
    let micro = KLINES.replace("000,1", "000000,1").replace("059999", "059999999").replace("119999", "119999999");
    assert!(micro.starts_with("1738368000000000,100.1"), "{micro}");
    let name = "data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2025-02.csv";
    let got = check(name, micro, &options(), &BARS);
    assert_eq!(got.streams(), ["binance-spot:BTCUSDT bar 1m binance-spot"]);
}

#[test]
fn candles_without_volume_are_what_name_and_numbers_say() {
    let flat = KLINES.replace("12.5", "0").replace("1253.75", "0");
    let at = |kind: &str| format!("data/futures/um/daily/{kind}/BTCUSDT/1m/BTCUSDT-1m-2025-02-01.csv");
    for (kind, metric) in [("markPriceKlines", "mark_price"), ("indexPriceKlines", "index_price")] {
        let first = format!("2025-02-01T00:01:02Z 2025-02-01T00:01:00Z BTCUSDT {metric} 1m: 100.3");
        let second = format!("2025-02-01T00:02:02Z 2025-02-01T00:02:00Z BTCUSDT {metric} 1m: 100.4");
        check(&at(kind), &flat, &options(), &[&first, &second]);
    }
    let premium =
        "1738368000000,-0.0001,0.0002,-0.0003,-0.00042931,0,1738368059999,0,12,0,0,0\n".replace("-0.0003", "-0.0005");
    let want = ["2025-02-01T00:01:02Z 2025-02-01T00:01:00Z BTCUSDT premium_index 1m: -0.00042931"];
    check(&at("premiumIndexKlines"), &premium, &options(), &want);
    check("numbers around zero.csv", &premium, &btc(), &want);
    // A dead market is still a market when its folder says so.
    let folder = Folder::new();
    let got = import(&[folder.write(&at("klines"), &flat)], &options());
    assert_eq!(got.streams(), ["binance-usdm:BTCUSDT bar 1m binance-usdm"]);
}

#[test]
fn coin_margined_volume_is_turned_into_base_coin() {
    let name = "data/futures/cm/daily/klines/BTCUSD_PERP/1m/BTCUSD_PERP-1m-2025-02-01.csv";
    let row = "1738368000000,100.1,101.5,99.9,100.3,250,1738368059999,249.3,10,6,600,0\n";
    let want = ["2025-02-01T00:01:02Z 2025-02-01T00:01:00Z BTCUSD_PERP bar 1m: 100.1 101.5 99.9 100.3 249.3 25000"];
    check(name, row, &options(), &want);
}

#[test]
fn months_end_when_their_close_time_says() {
    let rows = "1735689600000000,1,2,1,2,5,1738367999999999,9,1,1,1,0\n1738368000000000,2,3,2,3,5,1740787199999999,9,1,1,1,0\n";
    let want = [
        "2025-02-01T00:00:02Z 2025-02-01T00:00:00Z BTCUSDT bar 30d: 1 2 1 2 5 9",
        "2025-03-01T00:00:02Z 2025-03-01T00:00:00Z BTCUSDT bar 30d: 2 3 2 3 5 9",
    ];
    check("data/spot/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2025-01.csv", rows, &options(), &want);
}

#[test]
fn archive_funding_keeps_jitter_and_interval() {
    let text =
        "calc_time,funding_interval_hours,last_funding_rate\n1735689600007,8,0.00010000\n1735704000000,4,-0.0002\n";
    let want = [
        "2025-01-01T00:01:00.007Z 2025-01-01T00:00:00.007Z BTCUSDT funding_rate_settled 8h: 0.0001 per 8h next -",
        "2025-01-01T04:01:00Z 2025-01-01T04:00:00Z BTCUSDT funding_rate_settled 8h: -0.0002 per 4h next -",
    ];
    check("BTCUSDT-fundingRate-2025-01.csv", text, &options(), &want);
    check("BTCUSDT-fundingRate-2025-01.csv", text.split_once('\n').unwrap().1, &options(), &want);
}

/// Months imported one by one are the months imported together: nothing a later file holds changes what an earlier one
/// declared, and no row's interval comes from rows after it.
#[test]
fn settled_funding_is_one_stream_whatever_its_interval() {
    let folder = Folder::new();
    let hour = 3_600_000_u64;
    let month = |name: &str, from: u64, step: u64| {
        let rows: String = (0..4).map(|n| format!("{},0.000{}\n", from + n * step * hour, n + 1)).collect();
        folder.write(name, format!("timestamp,funding_rate\n{rows}"))
    };
    let files = [
        month("a.csv", 1_735_689_600_000, 1),
        month("b.csv", 1_738_368_000_000, 8),
        month("c.csv", 1_740_787_200_000, 24),
    ];
    let together = import(&files, &btc());
    let alone: Vec<String> = files.iter().flat_map(|f| import(std::slice::from_ref(f), &btc()).lines()).collect();
    assert_eq!(together.lines(), alone);
    let label = "binance-usdm:BTCUSDT funding_rate_settled 8h binance-usdm";
    assert_eq!(together.streams(), [label]);
    let hours = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|l| l.split(" per ").nth(1).unwrap().split(' ').next().unwrap().to_owned()).collect()
    };
    let want = [["8h", "1h", "1h", "1h"], ["8h", "8h", "8h", "8h"], ["8h", "8h", "24h", "24h"]].concat();
    assert_eq!(hours(&alone), want);
    let said = ImportOptions { cadence: Some(Span::hours(1)), ..btc() };
    let got = import(&files[..1], &said);
    assert_eq!(got.streams(), [label.replace("8h", "1h")]);
    assert_eq!(hours(&got.lines()), ["1h"; 4]);
    let archive = "BTCUSDT-fundingRate-2025-01.csv";
    let four = import(&[folder.write(archive, "1735689600000,4,0.0001\n1735704000000,4,0.0002\n")], &options());
    assert_eq!(four.streams(), [label]);
    assert_eq!(hours(&four.lines()), ["4h"; 2], "each settlement carries its own interval");
}

#[test]
fn rest_pages_of_funding_know_special_settlements() {
    let page = r#"[{"symbol":"XAUUSDT","fundingTime":1791302400002,"fundingRate":"-0.00000743","markPrice":""},
        {"symbol":"XAUUSDT","fundingTime":1791310000000,"fundingRate":"0.004","markPrice":"1","rateType":"Special"},
        {"rateType":"Regular","symbol":"XAUUSDT","fundingTime":1791331200002,"fundingRate":"","markPrice":"1"},
        {"rateType":"Regular","symbol":"XAUUSDT","fundingTime":1791360000001,"fundingRate":"0.0001","markPrice":"1"}]
        [{"symbol":"XAUUSDT","fundingTime":1791388800000,"fundingRate":"0.0001","markPrice":"1","rateType":"Regular"}]"#;
    let usdm = ImportOptions { venue: Some("binance-usdm".into()), ..options() };
    let stream = "XAUUSDT funding_rate_settled 8h:";
    let want = [
        format!("2026-10-06T16:01:00.002Z 2026-10-06T16:00:00.002Z {stream} -0.00000743 per 8h next -"),
        format!("2026-10-06T18:07:40Z 2026-10-06T18:06:40Z {stream} 0.004 per -h next - special"),
        format!("2026-10-07T08:01:00.001Z 2026-10-07T08:00:00.001Z {stream} 0.0001 per 8h next -"),
        format!("2026-10-07T16:01:00Z 2026-10-07T16:00:00Z {stream} 0.0001 per 8h next -"),
    ];
    let got = check("funding.json", page, &usdm, &want.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(got.report.unused.len(), 1, "the row without a rate is absence");
}

#[test]
fn metrics_are_five_series_and_empty_cells_are_absence() {
    let text = "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n\
        2023-11-14 00:05:00,BTCUSDT,80424.539,2934227437.9,1.09,1.37,1.08,0.56\n\
        2023-11-14 00:10:00,BTCUSDT,80390.219,2931348945.6,\"\",,1.07,\n";
    let at = |m: &str| format!("2023-11-14T00:{m}:00Z BTCUSDT");
    let (a, b) = (format!("2023-11-14T00:06:00Z {}", at("05")), format!("2023-11-14T00:11:00Z {}", at("10")));
    let want = [
        format!("{a} open_interest 5m: 80424.539"),
        format!("{a} top_trader_account_ratio 5m: 1.09"),
        format!("{a} top_trader_position_ratio 5m: 1.37"),
        format!("{a} long_short_ratio 5m: 1.08"),
        format!("{a} taker_volume_ratio 5m: 0.56"),
        format!("{b} open_interest 5m: 80390.219"),
        format!("{b} long_short_ratio 5m: 1.07"),
    ];
    check("BTCUSDT-metrics-2023-11-14.csv", text, &options(), &want.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn metrics_labels_are_moved_from_the_switch_on() {
    let day = |rows: &[(&str, &str)]| -> String {
        rows.iter().map(|(at, oi)| format!("2026-06-{at}:00,BTCUSDT,{oi},1,,,,\n")).collect()
    };
    let old = day(&[("24 23:55", "10"), ("25 00:00", "11")]);
    let new = day(&[("25 00:00", "12"), ("25 00:05", "13")]);
    let want = [
        "2026-06-24T23:56:00Z 2026-06-24T23:55:00Z BTCUSDT open_interest 5m: 10",
        "2026-06-25T00:01:00Z 2026-06-25T00:00:00Z BTCUSDT open_interest 5m: 11",
        "2026-06-25T00:06:00Z 2026-06-25T00:05:00Z BTCUSDT open_interest 5m: 12",
        "2026-06-25T00:11:00Z 2026-06-25T00:10:00Z BTCUSDT open_interest 5m: 13",
    ];
    let folder = Folder::new();
    folder.write("BTCUSDT-metrics-2026-06-24.csv", &old);
    folder.write("BTCUSDT-metrics-2026-06-25.csv", &new);
    assert_eq!(import(&[folder.path()], &options()).lines(), want);
    check("binance-usdm_joined.csv", format!("{old}{new}"), &options(), &want);
}

#[test]
fn archive_trades_and_liquidations() {
    let trades = "3477883836,83119.40,0.246,8153673197,8153673215,1791383683361,false\n3477883837,83119.3,0.1,1,1,1791383683361,true\n";
    let want = [
        "2026-10-07T14:34:44.361Z 2026-10-07T14:34:43.361Z BTCUSDT trade 1s: 83119.4 x 0.246 Some(Long) #3477883836",
        "2026-10-07T14:34:44.361Z 2026-10-07T14:34:43.361Z BTCUSDT trade 1s: 83119.3 x 0.1 Some(Short) #3477883837",
    ];
    let at = |kind: &str| format!("data/futures/um/daily/{kind}/BTCUSDT/BTCUSDT-{kind}-2026-10-07.csv");
    check(&at("aggTrades"), trades, &options(), &want);
    let single = "7,83119.40,0.246,20447.4,1791383683361,false\n8,83119.3,0.1,8311.93,1791383683361,true\n";
    let want = want.map(|l| l.replace("#3477883836", "#7").replace("#3477883837", "#8"));
    check(&at("trades"), single, &options(), &want.iter().map(String::as_str).collect::<Vec<_>>());
    let liquidations = "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,accumulated_fill_quantity\n\
        1711836000123,SELL,LIMIT,IOC,0.75,69000,69500.5,FILLED,0.1,0.75\n1711836001000,BUY,LIMIT,IOC,2,69000,0,NEW,0,0.5\n";
    let want = [
        "2024-03-30T22:00:01.123Z 2024-03-30T22:00:00.123Z BTCUSDT liquidation_usd 1s: Long 69500.5 x 0.75",
        "2024-03-30T22:00:02Z 2024-03-30T22:00:01Z BTCUSDT liquidation_usd 1s: Short 69000 x 0.5",
    ];
    let got = check(&at("liquidationSnapshot"), liquidations, &options(), &want);
    // Words of the position instead of the order that closed it (S7).
    let positions = liquidations.replace("SELL", "long").replace("BUY", "Short");
    check(&at("liquidationSnapshot"), &positions, &options(), &want);
    assert_eq!(got.plan.streams()[0].kind, barograph_domain::Kind::Sampled);
}

#[test]
fn tardis_files_are_known_at_receipt() {
    let ticker = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price,mark_price\n\
        binance-futures,BTCUSDT,1700000000000000,1700000000123456,1700006400000000,0.0001,,1000.5,36000,36001.5,36002.5\n\
        binance-futures,BTCUSDT,1700000001000000,1700000001123456,,,,,36000,,36003\n";
    let (a, b) =
        ("2023-11-14T22:13:20.123456000Z 2023-11-14T22:13:20Z", "2023-11-14T22:13:21.123456000Z 2023-11-14T22:13:21Z");
    let want = [
        format!("{a} BTCUSDT mark_price 1s: 36002.5"),
        format!("{a} BTCUSDT index_price 1s: 36001.5"),
        format!("{a} BTCUSDT funding_rate 1s: 0.0001 per 8h next 2023-11-15T00:00:00Z"),
        format!("{a} BTCUSDT open_interest 1s: 1000.5"),
        format!("{b} BTCUSDT mark_price 1s: 36003"),
    ];
    let got = check("x.csv", ticker, &options(), &want.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(got.plan.streams().iter().all(|d| d.filled && d.delay == Span::ZERO));
    assert_eq!(got.streams()[0], "binance-usdm:BTCUSDT mark_price 1s binance-usdm");

    let rows = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
        binance-futures,BTCUSDT,1700000000000000,1700000000200000,42,sell,36000.5,0.25\n";
    let trade = "2023-11-14T22:13:20.200Z 2023-11-14T22:13:20Z BTCUSDT trade 1s: 36000.5 x 0.25 Some(Short) #42";
    let closed = "2023-11-14T22:13:20.200Z 2023-11-14T22:13:20Z BTCUSDT liquidation_usd 1s: Long 36000.5 x 0.25";
    check("binance-futures_trades_2023-11-14_BTCUSDT.csv.gz", gz(rows), &options(), &[trade]);
    check("binance-futures_liquidations_2023-11-14_BTCUSDT.csv", rows, &options(), &[closed]);
    check("x.csv", rows.replace(",42,", ",,"), &options(), &[closed]);
    let said = ImportOptions { metric: Some(Metric::Trade), ..options() };
    check("x.csv", rows, &said, &[trade]);
}

#[test]
fn freqtrade_json_takes_pair_and_kind_from_its_name() {
    let at = |file: &str| format!("user_data/data/binance/futures/{file}");
    let rows = "[[1738368000000,100.1,101.5,99.9,100.3,12.5],[1738368300000,100.3,100.4,100.2,100.4,1]]";
    let want = [
        "2025-02-01T00:05:02Z 2025-02-01T00:05:00Z BTCUSDT bar 5m: 100.1 101.5 99.9 100.3 12.5 -",
        "2025-02-01T00:10:02Z 2025-02-01T00:10:00Z BTCUSDT bar 5m: 100.3 100.4 100.2 100.4 1 -",
    ];
    check(&at("BTC_USDT_USDT-5m-futures.json.gz"), gz(rows), &options(), &want);
    let mark = "[[1738368000000,100.1,101.5,99.9,100.3,0],[1738396800000,100.3,100.4,100.2,100.4,0]]";
    let want = [
        "2025-02-01T08:00:02Z 2025-02-01T08:00:00Z BTCUSDT mark_price 8h: 100.3",
        "2025-02-01T16:00:02Z 2025-02-01T16:00:00Z BTCUSDT mark_price 8h: 100.4",
    ];
    check(&at("BTC_USDT_USDT-8h-mark.json"), mark, &options(), &want);
    let funding = "[[1738368000007,0.0001,0,0,0,0],[1738396800000,-0.00002,0,0,0,0]]";
    let want = [
        "2025-02-01T00:01:00.007Z 2025-02-01T00:00:00.007Z BTCUSDT funding_rate_settled 8h: 0.0001 per 8h next -",
        "2025-02-01T08:01:00Z 2025-02-01T08:00:00Z BTCUSDT funding_rate_settled 8h: -0.00002 per 8h next -",
    ];
    check(&at("BTC_USDT_USDT-1h-funding_rate.json"), funding, &options(), &want);
    let spot = import(&[Folder::new().write_kept("data/binance/BTC_USDT-5m.json", rows)], &options());
    assert_eq!(spot.streams(), ["binance-spot:BTCUSDT bar 5m binance-spot"]);
}

#[test]
fn plain_candles_under_many_names() {
    let want = BARS.map(|l| l.replace(" 1253.75", " -").replace(" 0 0", " 0 -"));
    let want: Vec<&str> = want.iter().map(String::as_str).collect();
    for header in [
        "timestamp,open,high,low,close,volume",
        "Date;Open;High;Low;Close;Volume",
        "t,o,h,l,c,v",
        ",open,high,low,close,vol",
    ] {
        for stamps in [
            ["2025-02-01 00:00:00", "2025-02-01 00:01:00"],
            ["1738368000", "1738368060"],
            ["2025-02-01T01:00:00+01:00", "2025-02-01T00:01:00Z"],
        ] {
            let text = format!(
                "{header}\n{},100.1,101.5,99.9,100.3,12.5\n{},100.3,100.4,100.2,100.4,0\n",
                stamps[0], stamps[1]
            );
            let text = if header.contains(';') { text.replace(',', ";") } else { text };
            check("candles.csv", text, &btc(), &want);
        }
    }
}

#[test]
fn stamps_at_the_close_are_used_as_they_stand() {
    let text = "timestamp,open,high,low,close\n2025-02-01 00:01:00,1,2,1,2\n2025-02-01 00:02:00,2,2,2,2\n";
    let close = ImportOptions { stamp: Some(Stamp::Close), delays: vec![(Metric::Bar, Span::secs(10))], ..btc() };
    let want = [
        "2025-02-01T00:01:10Z 2025-02-01T00:01:00Z BTCUSDT bar 1m: 1 2 1 2 - -",
        "2025-02-01T00:02:10Z 2025-02-01T00:02:00Z BTCUSDT bar 1m: 2 2 2 2 - -",
    ];
    check("x.csv", text, &close, &want);
}

#[test]
fn series_people_keep() {
    let oi = "t,oi,oi_usd\n1764547500000,89832.175,8064963864.475081\n1764547800000,89353.369,7961197535.8251\n";
    let want = [
        "2025-12-01T00:06:00Z 2025-12-01T00:05:00Z BTCUSDT open_interest 5m: 89832.175",
        "2025-12-01T00:11:00Z 2025-12-01T00:10:00Z BTCUSDT open_interest 5m: 89353.369",
    ];
    check("oi.csv", oi, &btc(), &want);
    let usd = ImportOptions { source: Some("hyperliquid".into()), ..btc() };
    let got = check(
        "x.csv",
        "timestamp,oi_usd\n2026-01-01,5e8\n2026-01-02,5.1e8\n",
        &usd,
        &[
            "2026-01-01T00:01:00Z 2026-01-01T00:00:00Z BTCUSDT open_interest_usd 1d: 500000000",
            "2026-01-02T00:01:00Z 2026-01-02T00:00:00Z BTCUSDT open_interest_usd 1d: 510000000",
        ],
    );
    assert_eq!(got.plan.streams()[0].kind, barograph_domain::Kind::Proxy);
    let funding = "Symbol,Date,Funding Rate\nBTC-USDT,2020-01-01 03:00:00.000,-0.00012359\nBTC-USDT,2020-01-01 11:00:00.000,0.0001\n";
    let want = [
        "2020-01-01T03:01:00Z 2020-01-01T03:00:00Z BTCUSDT funding_rate_settled 8h: -0.00012359 per 8h next -",
        "2020-01-01T11:01:00Z 2020-01-01T11:00:00Z BTCUSDT funding_rate_settled 8h: 0.0001 per 8h next -",
    ];
    let usdm = ImportOptions { venue: Some("binance-usdm".into()), ..options() };
    check("x.csv", funding, &usdm, &want);
}

#[test]
fn a_column_map_reads_what_nobody_else_writes() {
    let text = "when;exch;coin;px_o;px_h;px_l;px_c\n1738368000;Binance;BTC;1;2;1;2\n1738368000;Bybit;BTC;9;9;9;9\n1738368060;binance;BTC;2;3;2;3\n1738368060;Binance;ETH;7;7;7;7\n";
    let map = "time=when,open=px_o,high=px_h,low=px_l,close=px_c";
    let map = ColumnMap::parse(map).unwrap().with_filter("exch=Binance,coin=BTC").unwrap();
    let mapped = ImportOptions { columns: Some(map), ..btc() };
    let want = [
        "2025-02-01T00:01:02Z 2025-02-01T00:01:00Z BTCUSDT bar 1m: 1 2 1 2 - -",
        "2025-02-01T00:02:02Z 2025-02-01T00:02:00Z BTCUSDT bar 1m: 2 3 2 3 - -",
    ];
    let got = check("x.csv", text, &mapped, &want);
    assert_eq!(got.report.unused.values().sum::<u64>(), 2, "rows of others are left out and counted");

    let by_number = ColumnMap::parse("time=#1,value=#2,metric=index_price").unwrap();
    let mapped = ImportOptions { columns: Some(by_number), cadence: Some(Span::mins(1)), ..btc() };
    let want = ["2025-02-01T00:01:02Z 2025-02-01T00:01:00Z BTCUSDT index_price 1m: 7.25"];
    check("x.csv", "1738368060,7.25\n", &mapped, &want);
}

#[test]
fn a_map_with_venue_and_symbol_columns_gives_a_market_each() {
    let text =
        "ts,venue,symbol,rate,hours\n1738368000,okx,BTC-USDT-SWAP,0.0001,8\n1738368000,hyperliquid,BTC,0.00001,1\n";
    let map = ColumnMap::parse("time=ts,venue=venue,symbol=symbol,rate=rate,interval_h=hours").unwrap();
    let mapped = ImportOptions { columns: Some(map), ..options() };
    let (at, name) = ("2025-02-01T00:01:00Z 2025-02-01T00:00:00Z", "funding_rate_settled 8h");
    let want =
        [format!("{at} BTC {name}: 0.00001 per 1h next -"), format!("{at} BTC-USDT-SWAP {name}: 0.0001 per 8h next -")];
    let got = check("x.csv", text, &mapped, &want.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(got.plan.instruments().len(), 2);
}

/// However a flag, a name or a cell spells it, one market of Binance is one market; other venues' dashes are their own.
#[test]
fn spellings_of_one_symbol_are_one_market() {
    let folder = Folder::new();
    let bar = |n: u64| format!("{},1,1,1,1\n", 1_738_368_000 + n * 60);
    let flagged = folder.write("x.csv", format!("timestamp,open,high,low,close\n{}{}", bar(0), bar(1)));
    let markets = |path: &std::path::PathBuf, venue: &str, symbol: Option<&str>| -> Vec<String> {
        let symbol = symbol.map(Into::into);
        let asked = ImportOptions { venue: Some(venue.into()), symbol, ..options() };
        let got = import(std::slice::from_ref(path), &asked);
        got.plan.instruments().iter().map(|i| i.name.to_string()).collect()
    };
    for symbol in ["btcusdt", "BTC/USDT", "BTC-USDT", "BTCUSDT"] {
        assert_eq!(markets(&flagged, "binance-usdm", Some(symbol)), ["binance-usdm:BTCUSDT"], "{symbol}");
    }
    assert_eq!(markets(&flagged, "okx", Some("BTC-USDT-SWAP")), ["okx:BTC-USDT-SWAP"]);
    let names = ["btcusdt", "BTC-USDT", "BTCUSDT", "ETH/USDT", "ETHUSDT"];
    let rows: String = (0..10).map(|n| format!("{},{},{n}\n", 1_738_368_000 + n / 5 * 300, names[n % 5])).collect();
    let cells = folder.write("y.csv", format!("timestamp,symbol,open_interest\n{rows}"));
    let both = ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT"];
    assert_eq!(markets(&cells, "binance-usdm", None), both);
    assert_eq!(markets(&cells, "binance-usdm", Some("eth-usdt")), both[1..], "the flag picks among the rows");
}

#[test]
fn recordings_keep_their_receive_time() {
    let lines = concat!(
        r#"1721347020984480942 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}}"#,
        "\n",
        r#"1721347021080832061 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":498,"s":"BTCUSDT","b":"63943.90","B":"46.371","a":"63944.00","A":"0.095","T":1721347022507,"E":1721347022507}}"#,
        "\n",
        r#"1721347021281597601 {"lastUpdateId":4984028384061,"E":1721347022759,"T":1721347022750,"bids":[["63943.90","46.372"]],"asks":[]}"#,
        "\n",
        r#"1721347021300000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1721347022800,"T":1721347022799,"s":"BTCUSDT","t":77,"p":"63944.0","q":"0.01","X":"MARKET","m":false}}"#,
        "\n",
    );
    let want = [
        "2024-07-18T23:57:01.080832061Z 2024-07-18T23:57:02.507Z BTCUSDT best_bid_ask 1s: 63943.9 / 63944",
        "2024-07-18T23:57:01.300Z 2024-07-18T23:57:02.799Z BTCUSDT trade 1s: 63944 x 0.01 Some(Long) #77",
    ];
    let got = check("unnamed.gz", gz(lines), &options(), &want);
    assert_eq!(got.plan.instruments()[0].name.to_string(), "binance-usdm:BTCUSDT", "told by the frames");
    assert_eq!(got.report.unused.values().sum::<u64>(), 2);
}

#[test]
fn a_manifest_beside_the_data_says_what_flags_would() {
    let folder = Folder::new();
    folder.write("a/oi.csv", "timestamp,x\n1738368000000,5\n1738371600000,6\n");
    folder.write(
        "import.toml",
        "version = 1\n[[file]]\npath = \"a/oi.csv\"\nvenue = \"binance-usdm\"\nsymbol = \"BTCUSDT\"\nmetric = \"open_interest_usd\"\n\
         source = \"hyperliquid\"\nstamp = \"open\"\ncadence = \"1h\"\ndelay = \"90s\"\ncolumns = { timestamp = \"timestamp\", value = \"x\" }\n",
    );
    let want = [
        "2025-02-01T01:01:30Z 2025-02-01T01:00:00Z BTCUSDT open_interest_usd 1h: 5",
        "2025-02-01T02:01:30Z 2025-02-01T02:00:00Z BTCUSDT open_interest_usd 1h: 6",
    ];
    let whole = import(&[folder.path()], &options());
    assert_eq!(whole.lines(), want);
    let alone = import(&[folder.path().join("a/oi.csv")], &options());
    assert_eq!((alone.lines(), alone.plan.policy_text()), (whole.lines(), whole.plan.policy_text()));
    folder.write("a/oi.csv", "timestamp,open_interest\n1738368000000,5\n1738371600000,6\n");
    let error = barograph_lake::plan(&[folder.path()], &options()).unwrap_err().to_string();
    assert!(error.contains("has not all the columns that import.toml maps"), "{error}");
    folder.write("a/oi.csv", "timestamp,x\n1738368000000,5\n1738371600000,6\n");
    let said = ImportOptions { delays: vec![(Metric::OpenInterestUsd, Span::ZERO)], ..options() };
    assert_eq!(
        import(&[folder.path()], &said).events[0].recv_ts,
        Ts::from_civil(2025, 2, 1, 1, 0, 0),
        "flags come first"
    );
}

#[test]
fn a_manifest_that_cannot_be_read_is_named_on_one_line() {
    let folder = Folder::new();
    folder.write("a\nb/oi.csv", "timestamp,x\n1738368000000,5\n");
    folder.write("a\nb/import.toml", "version = 2\nfile = []\n");
    let error = barograph_lake::plan(&[folder.path()], &options()).unwrap_err().to_string();
    assert!(error.contains(r"a\nb/import.toml: version 2 is not known"), "{error}");
}

#[test]
fn what_is_declared_is_printed_and_hashed() {
    let folder = Folder::new();
    let path = folder.write("BTCUSDT-fundingRate-2025-01.csv", "1735689600007,8,0.0001\n1735718400000,8,0.0001\n");
    let plain = import(std::slice::from_ref(&path), &options());
    let declared = plain.plan.declarations();
    let want = "binance-usdm:BTCUSDT funding_rate_settled 8h binance-usdm: stamp instant, every 8h, known 1m after it (binance archive fundingRate, 1 file)";
    assert_eq!(declared.iter().map(ToString::to_string).collect::<Vec<_>>(), [want]);
    let later = ImportOptions { delays: vec![(Metric::FundingRateSettled, Span::mins(5))], ..options() };
    let changed = import(&[path], &later);
    assert_ne!(plain.plan.policy_text(), changed.plan.policy_text());
    assert!(changed.plan.policy_text().contains("override funding_rate_settled delay=5m"));
}
