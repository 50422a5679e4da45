//! `watch` against a process that listens: piped, and in a terminal of its own.

use crate::support::http::Server;
use crate::support::process::Running;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use std::process::{Command, Stdio};

#[test]
fn the_board_is_watched_piped_and_in_a_terminal() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("up --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {}", sim.endpoint);
    let server = Server::of(place.start(&line));
    let url = format!("http://{}", server.addr);

    let text = place.ok(&format!("watch --url {url}"));
    for part in ["3 markets", "synthetic", "BTC/USDT", "ETH/USDT", "funding 8h"] {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
    assert!(!text.contains('\x1b'), "{text}");
    let rows = json_lines(&place.ok(&format!("watch --json --url {url}")));
    let names: Vec<_> = rows.iter().map(|row| row["instrument"].as_str().unwrap()).collect();
    assert_eq!(names, ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", "binance-usdm:SOLUSDT"]);
    assert!(rows.iter().all(|row| row["price"].is_null() || row["price"].is_f64()), "{rows:?}");

    terminal(&place, &url);
    place.run("watch --url http://127.0.0.1:1").exits(3).says("start one with: barograph up");
    place.run("watch --url https://box").exits(2).says("TLS is not spoken");
}

/// Pressed are Enter, which opens the first market, and `q` once its page is there.
fn terminal(place: &Place, url: &str) {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        barograph_testkit::skipped_part("in a terminal", "script(1), which makes one, is not installed");
        return;
    }
    let program = env!("CARGO_BIN_EXE_barograph");
    let keys = "(sleep 4; printf '\\r'; sleep 4; printf q; sleep 30)";
    let inner = format!("stty rows 24 cols 80; {program} watch --url {url}; echo ended=$?");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{keys} | script -qec '{inner}' /dev/null")]);
    command.env("TERM", "xterm").env("HOME", place.path("")).current_dir(place.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::of("watch in a terminal", command);
    running.out.wait_for("ended=0");
    let text = running.out.text();
    for part in ["BTC/USDT", "ETH/USDT", "synthetic", "Enter open", "binance-usdm:BTCUSDT"] {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
    let (entered, left) = (text.find("\x1b[?1049h"), text.rfind("\x1b[?1049l"));
    assert!(entered.is_some() && entered < left, "the screen of before comes back: {text}");
}
