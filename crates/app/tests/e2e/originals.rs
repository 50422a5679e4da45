//! The third and the fourth original as their users run them: their files, their commands, their questions in SQL and their
//! routes, against the built-in venue server. Questions go through `sqlite3` and `psql` where the machine has them.

use crate::support::http::Server;
use crate::support::postgres::shared;
use crate::support::receiver::Receiver;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(150);

/// The fourth original's settings, as its guide has them.
const FOURTH: &str = "EXCHANGES: [binanceusdm]\nSYMBOLS: [BTC/USDT, ETH/USDT]\nLIQUIDATION_CFG:\n  cascade_threshold_usd: 500000\n  \
                      velocity_window: 4\n  critical_velocity: 200000\nFUNDING_CFG:\n  anomaly_z_threshold: 2.0\n  \
                      reversal_threshold: 0.05\nVOLATILITY_CFG:\n  stable_threshold: 0.02\n  high_vol_threshold: 0.05\n  \
                      explosive_threshold: 0.10\n";

/// The third original's.
const THIRD: &str = "market_monitoring:\n  enabled: true\n  futures_markets: [BTC/USDT]\n  min_volume_24h: 10000\n  \
                     max_concurrent_checks: 5\n  futures_data_collection:\n    funding_rate_interval: 300\n    \
                     liquidation_check_interval: 60\n    basis_history_interval: 60\n    orderbook_snapshot_interval: 30\n\
                     detection:\n  thresholds:\n    funding_rate_std_deviation: 3.0\n    basis_anomaly_threshold: 0.02\n    \
                     liquidation_cascade_threshold: 5\n    position_concentration_threshold: 0.3\n    \
                     premium_deviation_threshold: 0.01\n";

/// Where the rows are.
enum Store<'a> {
    File(&'a Place),
    Server(String),
}

impl Store<'_> {
    /// Rows of a question, typed into the program people have.
    fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        let mut command = match self {
            Self::File(place) => {
                let mut command = Command::new("sqlite3");
                command.args(["-readonly", "-separator", "|"]).arg(place.path("data/barograph.db")).arg(sql);
                command
            }
            Self::Server(url) => {
                let mut command = Command::new("psql");
                command.args([url, "--no-psqlrc", "--tuples-only", "--no-align", "--field-separator", "|", "-c", sql]);
                command
            }
        };
        let done = command.output().unwrap();
        assert!(done.status.success(), "{sql}\n{}", String::from_utf8_lossy(&done.stderr));
        let out = String::from_utf8(done.stdout).unwrap();
        out.lines().filter(|l| !l.is_empty()).map(|l| l.split('|').map(str::to_owned).collect()).collect()
    }

    /// A day back from now, as each writes it.
    fn a_day_ago(&self) -> &'static str {
        match self {
            Self::File(_) => "datetime('now', '-1 day')",
            Self::Server(_) => "now() - interval '1 day'",
        }
    }
}

fn is_there(client: &str) -> bool {
    let there = Command::new(client).arg("--version").output().is_ok();
    if !there {
        barograph_testkit::skipped(&format!("{client} is not installed"));
    }
    there
}

#[track_caller]
fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn the_fourth_original_on_a_file() {
    if is_there("sqlite3") {
        let place = Place::new();
        fourth(&place, &Store::File(&place), &[]);
    }
}

#[test]
fn the_fourth_original_on_a_server() {
    let (Some(server), true) = (shared(), is_there("psql")) else { return };
    let (place, url) = (Place::new(), server.schema());
    fourth(&place, &Store::Server(url.clone()), &[("DB_URL", &url)]);
}

/// Its `.env`, settings, pipeline, webhooks, the questions of its troubleshooting page, the routes of its dashboard.
fn fourth(place: &Place, store: &Store<'_>, database: &[(&str, &str)]) {
    let sim = Sim::start(place);
    let receiver = Receiver::start();
    place.write(".env", &dotenv(&receiver, database));
    let text = std::fs::read_to_string(place.path(".env")).unwrap();
    // As a shell, a unit of systemd or a container takes it.
    let env: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let env = env.as_slice();
    place.write("barograph.yaml", FOURTH);
    webhooks(place, &receiver, env);
    let rules = place.run_with("rules show", env).exits(0).out;
    assert!(rules.contains("value = 0.02"), "VOLATILITY_CFG is in the book: {rules}");
    let line = format!("up --backfill 1d --endpoint {} --data data --listen 127.0.0.1:0", sim.endpoint);
    let up = Server::of(place.start_with(&line, env));
    let count = |sql: &str| -> i64 { store.ask(sql).first().map_or(0, |row| row[0].parse().unwrap()) };
    until("minutes of both markets", || {
        up.get("/api/v1/markets").status == 200
            && store.ask("SELECT 1 FROM market_metrics WHERE symbol = 'BTC/USDT' AND metric_name = 'mark_price'").len()
                > 1
    });
    for symbol in ["BTC/USDT", "BTCUSDT", "ETH/USDT"] {
        let latest = store.ask(&format!("SELECT ts, symbol, metric_name, value FROM market_metrics WHERE symbol = '{symbol}' ORDER BY ts DESC LIMIT 10"));
        assert_eq!(latest.len(), 10, "{symbol}");
        assert!(latest.windows(2).all(|pair| pair[0][0] >= pair[1][0]), "{latest:?}");
        let day = store.a_day_ago();
        assert!(count(&format!("SELECT count(*) FROM market_metrics WHERE symbol = '{symbol}' AND ts > {day}")) > 10);
        assert!(count(&format!("SELECT count(*) FROM futures_funding_rates WHERE symbol = '{symbol}'")) > 0);
        count(&format!("SELECT count(*) FROM futures_liquidations WHERE symbol = '{symbol}' AND ts > {day}"));
        let axes = store.ask(&format!("SELECT DISTINCT axis FROM regimes WHERE symbol = '{symbol}' ORDER BY axis"));
        assert_eq!(axes, [["heat"], ["risk"], ["trend"], ["volatility"]], "{symbol}");
    }
    let twice = "SELECT count(*) FROM market_metrics GROUP BY ts, instrument, metric_name HAVING count(*) > 1";
    assert_eq!(store.ask(twice), Vec::<Vec<String>>::new());
    for route in ["/api/features", "/api/cascades?hours=24", "/api/volatility"] {
        let json = up.json(route);
        let listed =
            json["symbols"].as_array().map(|all| all.iter().map(|s| s["symbol"].as_str().unwrap()).collect::<Vec<_>>());
        // Cascades are of no market in particular.
        let wanted = (!route.starts_with("/api/cascades")).then(|| vec!["BTC/USDT", "ETH/USDT"]);
        assert_eq!(listed, wanted, "{route}: {json}");
    }
}

fn dotenv(receiver: &Receiver, database: &[(&str, &str)]) -> String {
    let addr = receiver.addr;
    let mut text = format!(
        "WEBHOOKS_CASCADE=http://{addr}/cascade\nWEBHOOKS_FUNDING=http://{addr}/funding\nWEBHOOKS_ALL=http://{addr}/all\n\
         WEBHOOKS_ALLOW_HTTP=true\nWEBHOOKS_ALLOW_PRIVATE=127.0.0.1:{}\n",
        addr.port()
    );
    for (name, value) in database {
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}

/// Each address of its lists hears a sample, in its envelope.
fn webhooks(place: &Place, receiver: &Receiver, env: &[(&str, &str)]) {
    let listed = place.run_with("alerts test", env).exits(0).out;
    for list in ["cascade", "funding", "all"] {
        let start = listed.find(&format!("env-{list}-")).unwrap_or_else(|| panic!("{list}: {listed}"));
        let name: String = listed[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let before = receiver.taken().len();
        place.run_with(&format!("alerts test {name}"), env).exits(0);
        let sample = receiver.taken()[before].json();
        for field in ["event_type", "symbol", "severity", "timestamp"] {
            assert!(sample[field].is_string(), "{list}: {sample}");
        }
    }
}

/// A market on which longs are closed by force: what happens reaches the address of the list and the table, as the original's
/// do; no sample is sent here.
fn told_of_liquidations(place: &Place, store: &Store<'_>, settings: &str, database: &[(&str, &str)]) -> Server {
    let receiver = Receiver::start();
    let sim = Sim::falling(place);
    let text = dotenv(&receiver, database);
    let env: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    place.write("barograph.yaml", settings);
    let line = "up --symbols BTC/USDT --backfill 0 --books off --data data --listen 127.0.0.1:0";
    let up = Server::of(place.start_with(&format!("{line} --endpoint {}", sim.endpoint), &env));
    let rows =
        "SELECT count(*) FROM futures_liquidations WHERE symbol = 'BTC/USDT' AND side = 'SELL' AND value_usd > 100000";
    until("liquidations in the table", || {
        // The table is there once the database is.
        up.get("/api/v1/markets").status == 200 && store.ask(rows) != [["0"]]
    });
    let told = |taken: &crate::support::receiver::Taken| {
        let json = taken.json();
        json["event_type"] == "LIQUIDATION_CASCADE" && json["symbol"] == "BTC/USDT" && json["severity"].is_string()
    };
    until("a cascade that nobody made up", || receiver.taken().iter().any(told));
    // Its process goes with its sim.
    drop(sim);
    up
}

#[test]
fn the_fourth_original_is_told_of_a_cascade_on_a_file() {
    if is_there("sqlite3") {
        let place = Place::new();
        told_of_a_cascade(&place, &Store::File(&place), &[]);
    }
}

#[test]
fn the_fourth_original_is_told_of_a_cascade_on_a_server() {
    let (Some(server), true) = (shared(), is_there("psql")) else { return };
    let (place, url) = (Place::new(), server.schema());
    told_of_a_cascade(&place, &Store::Server(url.clone()), &[("DB_URL", &url)]);
}

fn told_of_a_cascade(place: &Place, store: &Store<'_>, database: &[(&str, &str)]) {
    let up = told_of_liquidations(place, store, FOURTH, database);
    let cascades = up.json("/api/cascades?hours=24");
    assert!(cascades.to_string().contains("BTC/USDT"), "{cascades}");
}

#[test]
fn the_third_original_finds_forced_closes_in_its_table_on_a_file() {
    if is_there("sqlite3") {
        let place = Place::new();
        place.ok("db migrate --data data");
        told_of_liquidations(&place, &Store::File(&place), THIRD, &[]);
    }
}

#[test]
fn the_third_original_migrates_monitors_and_reads_its_tables_on_a_file() {
    if is_there("sqlite3") {
        let place = Place::new();
        third(&place, &Store::File(&place), "--data data", &[]);
    }
}

#[test]
fn the_third_original_migrates_monitors_and_reads_its_tables_on_a_server() {
    let (Some(server), true) = (shared(), is_there("psql")) else { return };
    let (place, url) = (Place::new(), server.schema());
    third(&place, &Store::Server(url.clone()), &format!("--db-url {url}"), &[("DB_URL", &url)]);
}

fn third(place: &Place, store: &Store<'_>, database: &str, env: &[(&str, &str)]) {
    place.write("barograph.yaml", THIRD);
    let made = json_lines(&place.ok(&format!("db migrate --json {database}"))).remove(0);
    assert_eq!(made["migrated"], true, "{made}");
    let tables = ["futures_funding_rates", "futures_liquidations", "futures_basis_history", "market_snapshots"];
    for table in tables {
        assert_eq!(store.ask(&format!("SELECT count(*) FROM {table}")), [["0"]], "{table} is there and empty");
    }
    let sim = Sim::start(place);
    let line = format!("up --backfill 1d --books on --endpoint {} --data data --listen 127.0.0.1:0", sim.endpoint);
    let up = Server::of(place.start_with(&line, env));
    until("a row in three of its tables", || {
        ["futures_funding_rates", "futures_basis_history", "market_snapshots"]
            .iter()
            .all(|t| store.ask(&format!("SELECT count(*) FROM {t} WHERE symbol = 'BTCUSDT'")) != [["0"]])
    });
    let basis = store.ask(
        "SELECT symbol, spot_source, CASE WHEN abs(basis_fraction - (futures_price / spot_price - 1)) < 1e-12 THEN 'is' ELSE 'is not' END
         FROM futures_basis_history WHERE symbol = 'BTC/USDT' ORDER BY ts DESC LIMIT 1",
    );
    assert_eq!(basis, [["BTC/USDT", "index", "is"]], "no spot market is recorded, and the row says so");
    let health = up.get("/api/v1/markets/binance-usdm:BTCUSDT/metrics?metric_name=liquidation_usd");
    assert_eq!(health.status, 200, "{}", health.text());
    let json = health.json();
    let empty = json["items"].as_array().unwrap().is_empty();
    assert_eq!(json["reason"].is_string(), empty, "{json}");
}

/// Packages install the program under the names of the originals' commands too.
#[test]
fn a_link_with_the_name_of_an_original_command_is_that_command() {
    let place = Place::new();
    for (name, command) in [
        ("collect_derivatives_metrics", "collect"),
        ("collect-derivatives-metrics", "collect"),
        ("generate_market_context", "context"),
        ("monitor_context_freshness", "freshness"),
        ("analyze-futures-market", "analyze"),
    ] {
        let link = place.path(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_barograph"), &link).unwrap();
        let done = Command::new(&link).arg("--help").env_clear().output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success() && text.contains(&format!("Usage: barograph {command} ")), "{name}: {text}");
        // A mistake is answered as the command itself answers it.
        let done = Command::new(&link).arg("--nonsense").env_clear().output().unwrap();
        let text = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(2) && text.contains("--nonsense"), "{name}: {text}");
    }
    let other = place.path("anything-else");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_barograph"), &other).unwrap();
    let done = Command::new(&other).args(["collect", "--help"]).env_clear().output().unwrap();
    assert!(done.status.success(), "any other name takes a command");
}
