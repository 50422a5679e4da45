//! Position tiers, asked of doubles of three venues on loopback.

use crate::support::{Place, json_lines};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};

/// A venue that answers everything with one body, and what it was asked.
fn double(body: String) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (addr, (tell, asked)) = (listener.local_addr().unwrap(), sync_channel(16));
    // Ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| line.is_ok_and(|l| !l.is_empty())) {}
            tell.send(first.split(' ').nth(1).unwrap().to_owned()).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    (format!("http://{addr}"), asked)
}

#[test]
fn tiers_of_three_venues_are_printed_with_their_unit() {
    let place = Place::new();
    let bybit = json!({"retCode": 0, "retMsg": "OK", "result": {"list": [
        {"id": 1, "symbol": "BTCUSDT", "riskLimitValue": "2000000", "maintenanceMargin": "0.005", "initialMargin": "0.01", "maxLeverage": "100.00"},
        {"id": 2, "symbol": "BTCUSDT", "riskLimitValue": "4000000", "maintenanceMargin": "0.01", "initialMargin": "0.02", "maxLeverage": "50.00"},
    ]}});
    let okx = json!({"code": "0", "msg": "", "data": [{"tier": "1", "maxSz": "2500", "imr": "0.01", "mmr": "0.004", "maxLever": "100"}]});
    let level = json!([{"amount": "20", "leverage": "100", "maintenance_margin_rate": "0.005", "min_initial_margin_rate": "0.01"}]);
    let coinex = json!({"code": 0, "message": "OK", "data": [{"market": "BTCUSDT", "level": level}]});
    for (venue, more, body, path, first) in [
        (
            "bybit",
            "",
            bybit,
            "/v5/market/risk-limit?category=linear&symbol=BTCUSDT",
            ("bybit:BTCUSDT", 2e6, "quote", 0.005),
        ),
        (
            "okx",
            "--margin isolated",
            okx,
            "/api/v5/public/position-tiers?instType=SWAP&tdMode=isolated&instFamily=BTC-USDT",
            ("okx:BTC-USDT-SWAP", 2_500.0, "contracts", 0.004),
        ),
        ("coinex", "", coinex, "/v2/futures/position-level?market=BTCUSDT", ("coinex:BTCUSDT", 20.0, "base", 0.005)),
    ] {
        let (url, asked) = double(body.to_string());
        let line = format!("tiers BTCUSDT --venue {venue} {more} --endpoint {venue}={url}");
        let lines = json_lines(&place.ok(&format!("{line} --json")));
        assert_eq!(asked.recv().unwrap(), path);
        let (market, upto, unit, maintenance) = first;
        assert_eq!(
            (&lines[0]["market"], &lines[0]["unit"], &lines[0]["tier"]),
            (&market.into(), &unit.into(), &1.into())
        );
        assert_eq!((&lines[0]["upto"], &lines[0]["maintenance_margin"]), (&json!(upto), &json!(maintenance)));
        assert_eq!(lines[0]["margin"], if venue == "okx" { json!("isolated") } else { json!(null) });
        let text = place.ok(&line);
        assert!(
            text.starts_with(&format!("Position tiers of {market}")) && text.contains("venue liquidates"),
            "{text}"
        );
        assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    }
}

#[test]
fn what_cannot_be_asked_says_what_can() {
    let place = Place::new();
    place.run("tiers BTCUSDT --venue deribit").exits(2).says("choose one of bybit, okx, coinex");
    place.run("tiers BTCUSDT --venue bybit --margin isolated").exits(2).says("leave --margin out");
    place.run("tiers a&b=c --venue coinex").exits(2).says("is no market of coinex");
    let (url, _asked) = double(json!({"retCode": 10001, "retMsg": "symbol invalid", "result": {}}).to_string());
    place
        .run(&format!("tiers NOSUCH --venue bybit --endpoint bybit={url}"))
        .exits(3)
        .says("bybit refuses: symbol invalid");
}
