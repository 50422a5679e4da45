//! `up` and `serve` on a PostgreSQL server: its tables say what the API says; while it is away reads say so and writing waits;
//! no end of either process loses anything that was shown.

use crate::support::data::{Mood, market, now};
use crate::support::http::{Server, address};
use crate::support::postgres::{Server as Postgres, shared};
use crate::support::sim::Sim;
use crate::support::{Place, json_lines, until};
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MARKETS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
/// SIGTERM until the end, whatever the database does: 5 s are promised (`live.stop_s` of `make bench`); a busy machine may take longer.
const STOP_MAX: Duration = Duration::from_secs(15);

/// A venue, a server and what is said to both.
struct Site {
    place: Place,
    sim: Sim,
    server: Postgres,
    url: String,
}

impl Site {
    fn new() -> Option<Self> {
        let server = Postgres::start(&[])?;
        let place = Place::new();
        let (sim, url) = (Sim::start(&place), server.schema());
        Some(Self { place, sim, server, url })
    }

    fn start(&self, line: &str) -> Server {
        Server::of(self.place.start_with(&format!("{line} --data data --listen 127.0.0.1:0"), &[("DB_URL", &self.url)]))
    }

    fn up(&self) -> Server {
        let symbols = MARKETS.join(",");
        self.start(&format!("up --symbols {symbols} --backfill 1d --endpoint {}", self.sim.endpoint))
    }

    /// Standard output of a command on the database that must end well.
    fn ok(&self, line: &str) -> String {
        self.place.run_with(line, &[("DB_URL", &self.url)]).exits(0).out
    }

    fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = Postgres::ask(&self.url, &format!("SET timezone = 'UTC'; {sql}"));
        rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect()
    }
}

fn path(symbol: &str, rest: &str) -> String {
    format!("/api/v1/markets/binance-usdm:{symbol}/{rest}")
}

/// Published minutes with their ids, as the database has them; `None` where it is away.
fn stored(server: &Server, symbol: &str) -> Option<BTreeMap<String, String>> {
    let reply = server.get(&path(symbol, "context/history?limit=1000"));
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    match reply.status {
        200 => Some(
            reply.json()["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| (text(&i["timestamp"]), text(&i["snapshot_id"])))
                .collect(),
        ),
        404 => Some(BTreeMap::new()),
        503 => None,
        other => panic!("{other}: {}", reply.text()),
    }
}

/// The newest minute in memory with its id.
fn shown(server: &Server, symbol: &str) -> Option<(String, String)> {
    let reply = server.get(&path(symbol, "context"));
    let json = (reply.status == 200).then(|| reply.json())?;
    Some((json["timestamp"].as_str()?.to_owned(), json["snapshot_id"].as_str()?.to_owned()))
}

/// What needs the database says 503 and when to come again; what is in memory is answered.
fn reads_say_that_the_database_is_away(server: &Server) {
    for rest in ["context/history", "features?start=2026-01-01", "metrics?metric_name=mark_price"] {
        let reply = until("503", || Some(server.get(&path("BTCUSDT", rest))).filter(|r| r.status == 503));
        let again: u32 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=30).contains(&again), "{again}");
        assert_eq!(reply.problem(), "not-ready", "{}", reply.text());
        assert!(!reply.text().contains("127.0.0.1"), "nothing about the server is told: {}", reply.text());
    }
    for path in ["/api/v1/markets", "/healthz", &path("BTCUSDT", "context")] {
        let reply = server.get(path);
        assert_eq!(reply.status, 200, "{path}: {}\n{}", reply.text(), server.process.err.text());
    }
}

#[test]
fn whatever_dies_nothing_that_was_stored_is_lost_and_the_tables_say_what_the_api_says() {
    let Some(site) = Site::new() else { return };
    let mut up = site.up();
    let first = until("a stored minute", || stored(&up, "BTCUSDT").filter(|s| !s.is_empty()));

    // The server dies. Minutes go on being made and shown, and are stored once it is back.
    site.server.kill();
    reads_say_that_the_database_is_away(&up);
    let last = first.keys().next_back().unwrap().clone();
    let shown = until("a minute made meanwhile", || shown(&up, "BTCUSDT").filter(|(ts, _)| *ts > last));
    site.server.up();
    until("what was made meanwhile", || stored(&up, "BTCUSDT").filter(|s| s.get(&shown.0) == Some(&shown.1)));
    let acknowledged: Vec<_> = MARKETS.map(|m| stored(&up, m).unwrap()).into();

    // The process dies.
    up.process.signal("KILL");
    up.process.wait(Duration::from_secs(10));
    let mut again = site.up();
    assert!(again.process.err.text().contains("going on from"), "{}", again.process.err.text());

    // It is asked to stop while the server is away: it does not wait, and says that something is left to do.
    site.server.kill();
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    again.process.signal("TERM");
    let code = again.process.wait(Duration::from_secs(30));
    assert!(begun.elapsed() < STOP_MAX, "it took {:?}", begun.elapsed());
    assert_eq!(code, Some(3), "{}", again.process.err.text());
    site.server.up();
    let mut last = site.up();
    std::thread::sleep(Duration::from_secs(3));
    last.process.signal("TERM");
    assert_eq!(last.process.wait(Duration::from_secs(30)), Some(0), "{}", last.process.err.text());
    let said = site.ok("verify determinism data");
    let equal: usize = said.strip_prefix("equal: ").and_then(|s| s.split(' ').next()).unwrap().parse().unwrap();
    assert!(equal >= 2 * MARKETS.len() && said.contains(" snapshot ids, hash "), "{said}");

    let mut server = site.start("serve");
    for (market, before) in MARKETS.iter().zip(&acknowledged) {
        let now = stored(&server, market).unwrap();
        assert!(before.iter().all(|(ts, id)| now.get(ts) == Some(id)), "{before:?} {now:?}");
        let minutes: Vec<Ts> = now.keys().map(|t| Ts::parse(t).unwrap()).collect();
        assert!(minutes.windows(2).all(|w| (w[1] - w[0]).as_secs() == 60), "{minutes:?}");
    }
    tables_say_what_the_api_says(&site, &server);
    let checked = json_lines(&site.ok("db check --hash --json")).remove(0);
    assert_eq!(checked["sound"], true, "{checked}");

    an_import_fills_only_minutes_that_were_not_published(&site, &server);

    // A reader outlives the server as well.
    site.server.down();
    reads_say_that_the_database_is_away(&server);
    server.process.err.wait_for("does not answer");
    std::thread::sleep(Duration::from_secs(3));
    site.server.up();
    until("the reader", || stored(&server, "BTCUSDT"));
    server.process.err.wait_for("the store answers again");
    let told = server.process.err.text();
    assert_eq!(told.matches("does not answer").count(), 1, "{told}");
}

/// Files of a market that was listened to, from hours before until now.
fn an_import_fills_only_minutes_that_were_not_published(site: &Site, server: &Server) {
    let before = stored(server, "BTCUSDT").unwrap();
    let end = now().floor(Span::mins(1));
    market(&site.place.path("in"), "BTCUSDT", Mood::Calm, (end - Span::hours(3), end));
    let done = site.place.run_with("collect --source in --data data", &[("DB_URL", &site.url)]).exits(0);
    assert!(done.err.contains("minutes of 1 market computed, in postgres://127.0.0.1:"), "{}", done.err);
    let after = until("the import", || stored(server, "BTCUSDT").filter(|s| s.len() > before.len() + 100));
    assert!(before.iter().all(|(ts, id)| after.get(ts) == Some(id)), "a published minute has changed");
    let first = before.keys().next().unwrap();
    assert!(after.keys().filter(|ts| *ts < first).count() > 100, "nothing was filled in before {first}");
}

#[test]
fn files_go_to_a_server_by_replay_and_collect_alike_and_db_tells_in_json() {
    let Some(server) = shared() else { return };
    let (place, one, two) = (Place::new(), server.schema(), server.schema());
    let end = Ts::from_civil(2026, 2, 5, 12, 0, 0);
    market(&place.path("in"), "BTCUSDT", Mood::Wild, (end - Span::hours(8), end));
    let said = place.run(&format!("replay in --hash --db-url {one}")).exits(0);
    assert!(said.err.contains("minutes of 1 market computed, in postgres://127.0.0.1:"), "{}", said.err);
    place.run_with("collect --source in", &[("DB_URL", &two)]).exits(0);
    place.ok("collect --source in --data folder");
    // The address is nobody's to know, and a replay writes only where its line says so.
    let again = place.run_with("replay in --json", &[("DB_URL", "postgres://nobody@127.0.0.1:1/none")]).exits(0);
    assert!(!again.err.contains("stored"), "{}", again.err);

    let one_line = |line: &str| json_lines(&place.ok(line)).remove(0);
    let hashes: Vec<Value> = [
        one_line(&format!("db check --hash --json --db-url {one}")),
        one_line(&format!("db check --hash --json --db-url {two}")),
        one_line("db check --hash --json --data folder"),
    ]
    .into_iter()
    .map(|checked| {
        assert_eq!((&checked["sound"], &checked["problems"]), (&true.into(), &Value::Array(Vec::new())), "{checked}");
        assert!(checked["counts"]["points"].as_u64().unwrap() > 1_000, "{checked}");
        checked["sha256"].clone()
    })
    .collect();
    assert!(hashes[0].is_string() && hashes.iter().all(|h| *h == hashes[0]), "{hashes:?}");

    let empty = server.schema();
    let made = one_line(&format!("db migrate --json --db-url {empty}"));
    let there = one_line(&format!("db migrate --json --db-url {one}"));
    assert_eq!((&made["migrated"], &made["version"]), (&true.into(), &there["version"]), "{made}, then {there}");
    assert!(made["version"].as_u64() > Some(1), "{made}");
    assert!(made["data"].as_str().unwrap().starts_with("postgres://127.0.0.1:"), "{made}");
    let pruned = one_line(&format!("db prune --days 1 --json --db-url {one}"));
    let names = ["books", "days", "points", "rows"];
    assert!(names.iter().all(|n| pruned[*n].is_u64()), "{pruned}");
    assert_eq!((&pruned["days"], &pruned["data"]), (&1.into(), &made["data"]), "{pruned}");
}

#[test]
fn a_demo_on_a_server_goes_on_live_and_stops() {
    let Some(site) = Site::new() else { return };
    let mut demo = site.place.start_with("demo --data data --listen 127.0.0.1:0", &[("DB_URL", &site.url)]);
    // Three months into a server's tables: 40 s where nothing else runs.
    demo.out.wait_long_for("stop with Ctrl-C", Duration::from_secs(480));
    let report = demo.out.text();
    let link = report.lines().find_map(|l| l.trim().strip_prefix("open ").map(str::trim)).unwrap();
    let mut server = Server { process: demo, addr: address(link) };
    // What was served from the store is let go of, and with it its connections to the database.
    until("the live half", || {
        server.get("/api/v1/feeds").json()["venues"].as_array().is_some_and(|venues| !venues.is_empty()).then_some(())
    });
    server.process.signal("TERM");
    assert_eq!(server.process.wait(STOP_MAX), Some(0), "{}", server.process.err.text());
}

/// Every point of a metric as the API has it, in microseconds.
fn points(server: &Server, symbol: &str, metric: &str) -> Vec<(i64, f64)> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&path(symbol, &format!("metrics?metric_name={metric}&limit=10000{cursor}")));
        for item in page["items"].as_array().unwrap() {
            let ts = Ts::parse(item["timestamp"].as_str().unwrap()).unwrap();
            all.push((ts.0.div_euclid(1_000), item["value"].as_f64().unwrap()));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// R3.42–R3.45, R4.37.
fn tables_say_what_the_api_says(site: &Site, server: &Server) {
    let pairs = |sql: &str| -> Vec<(i64, f64)> {
        site.ask(sql).iter().map(|r| (r[0].parse().unwrap(), r[1].parse().unwrap())).collect()
    };
    let us = "(extract(epoch FROM ts) * 1000000)::bigint";
    for symbol in MARKETS {
        let pair = symbol.replace("USDT", "/USDT");
        for metric in ["mark_price", "index_price", "funding_rate", "open_interest", "bar"] {
            let known = points(server, symbol, metric);
            let sql = format!(
                "SELECT {us}, value FROM market_metrics WHERE symbol = '{pair}' AND metric_name = '{metric}' ORDER BY ts"
            );
            are_the_last_of_their_minutes(&pairs(&sql), &known);
            assert_eq!(pairs(&sql), pairs(&sql.replace(&pair, symbol)), "{symbol} {metric}");
        }
        let sql = format!("SELECT {us}, funding_rate FROM futures_funding_rates WHERE symbol = '{symbol}' AND settled");
        assert_eq!(pairs(&format!("{sql} ORDER BY ts")), points(server, symbol, "funding_rate_settled"), "{symbol}");
        let want = points(server, symbol, "liquidation_usd");
        let sql = format!("SELECT {us}, value_usd FROM futures_liquidations WHERE symbol = '{pair}' ORDER BY ts");
        assert_eq!(pairs(&sql), want, "{symbol} liquidations");
        let index = points(server, symbol, "index_price");
        let rows = site.ask(&format!(
            "SELECT {us}, futures_price, spot_price, basis, basis_fraction, spot_source FROM futures_basis_history
             WHERE symbol = '{pair}'"
        ));
        assert!(rows.len() >= 2, "{rows:?}");
        let mut spot = Vec::new();
        for row in rows {
            let [f, x, basis, fraction] = [1, 2, 3, 4].map(|n| row[n].parse::<f64>().unwrap());
            spot.push((row[0].parse().unwrap(), x));
            assert!((basis - (f - x)).abs() < 1e-9 * f && (fraction - (f / x - 1.0)).abs() < 1e-12, "{row:?}");
            assert_eq!(row[5], "index", "nobody listens to the spot market");
        }
        spot.sort_by_key(|(at, _)| *at);
        are_the_last_of_their_minutes(&spot, &index);
        let books = site.ask(&format!(
            "SELECT count(*) > 2, bool_and(best_bid < best_ask AND best_bid = bid_prices[1] AND cardinality(ask_prices) > 5)
             FROM market_snapshots WHERE kind = 'order_book' AND symbol = '{symbol}'"
        ));
        assert_eq!(books, [["t", "t"]], "{symbol}");
        let klines = pairs(&format!(
            "SELECT {us}, close FROM market_snapshots WHERE kind = 'kline' AND symbol = '{symbol}' ORDER BY ts"
        ));
        are_the_last_of_their_minutes(&klines, &points(server, symbol, "bar"));
        regimes(site, server, symbol);
    }
}

/// Every row of a table holds the last point of its minute, and the newest minutes have one each.
#[track_caller]
fn are_the_last_of_their_minutes(rows: &[(i64, f64)], points: &[(i64, f64)]) {
    const MINUTE_US: i64 = 60_000_000;
    assert!(rows.len() >= 2, "{rows:?}");
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "{rows:?}");
    for (at, value) in rows {
        let last = points.iter().rfind(|(t, _)| at - MINUTE_US < *t && t <= at);
        assert_eq!(last.map(|(_, v)| v.to_bits()), Some(value.to_bits()), "at {at}: {value}, not {last:?}");
    }
    let newest = points.last().unwrap().0;
    assert!(newest - rows.last().unwrap().0 < 2 * MINUTE_US, "the table ends before the points do");
}

/// Each change of the published label of each axis, once.
fn regimes(site: &Site, server: &Server, symbol: &str) {
    let history = server.json(&path(symbol, "context/history?limit=1000"));
    for axis in ["risk", "trend", "volatility", "heat"] {
        let mut want: Vec<Vec<String>> = Vec::new();
        for item in history["items"].as_array().unwrap() {
            let label = item["regimes"][axis]["label"].as_str().unwrap();
            if want.last().is_none_or(|last| last[1] != label) {
                let before = want.last().map_or(String::new(), |last| last[1].clone());
                let us = Ts::parse(item["timestamp"].as_str().unwrap()).unwrap().0.div_euclid(1_000);
                want.push(vec![us.to_string(), label.to_owned(), before]);
            }
        }
        let found = site.ask(&format!(
            "SELECT (extract(epoch FROM ts) * 1000000)::bigint, regime, previous_regime FROM regimes
             WHERE symbol = '{symbol}' AND axis = '{axis}' ORDER BY ts"
        ));
        assert_eq!(found, want, "{symbol} {axis}");
    }
}
