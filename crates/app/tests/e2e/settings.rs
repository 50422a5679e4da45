//! Settings in both languages, original keys, secrets; data gaps reported by a watching `freshness`.

use crate::support::data::{Mood, market, now};
use crate::support::{Place, json_lines};
use barograph_domain::Span;
use serde_json::Value;

fn shown(place: &Place, env: &[(&str, &str)], key: &str) -> Value {
    let out = place.run_with("config show --json", env).exits(0).out;
    json_lines(&out).into_iter().find(|l| l["key"] == key).unwrap_or_else(|| panic!("{key} is not shown: {out}"))
}

const ORIGINAL: &str = "\
# as the original has it
market_monitoring:
  enabled: true
  futures_markets: [BTC/USDT, ETH/USDT]
  min_volume_24h: 250000
  max_concurrent_checks: 7
  futures_data_collection:
    funding_rate_interval: 300
    liquidation_check_interval: 90
    orderbook_snapshot_interval: 30
EXCHANGES: [binanceus, bybit]
LIQUIDATION_CFG:
  cascade_threshold_usd: 500000
book: absolute
";

#[test]
fn original_yaml_sets_our_settings_and_nothing_of_it_is_dropped() {
    let place = Place::new();
    place.write("barograph.yaml", ORIGINAL);
    for (key, value, line) in [
        ("symbols", "BTC/USDT,ETH/USDT", 4),
        ("market_type", "futures", 4),
        ("min_volume_24h", "250000", 5),
        ("max_concurrent_checks", "7", 6),
        ("poll_interval", "90s", 9),
        ("book_interval", "30s", 10),
        ("venues", "binance-us,bybit", 11),
        ("book", "absolute", 14),
    ] {
        let found = shown(&place, &[], key);
        assert_eq!((&found["value"], &found["origin"]), (&value.into(), &format!("barograph.yaml:{line}").into()));
    }
    let kept = shown(&place, &[], "LIQUIDATION_CFG.cascade_threshold_usd");
    assert_eq!((&kept["value"], &kept["sets"]), (&"500000".into(), &"detectors.cascade_total".into()));
    assert_eq!(kept["origin"], "barograph.yaml:13");
    assert!(kept["meaning"].as_str().unwrap().contains("over the rule book's"), "{kept}");
    assert_eq!(shown(&place, &[], "market_monitoring.enabled")["sets"], "monitoring");
    // The same as tables of TOML, and people see what a key means.
    std::fs::remove_file(place.path("barograph.yaml")).unwrap();
    place.write("barograph.toml", "SYMBOLS = [\"SOL/USDT\"]\n[FUNDING_CFG]\nanomaly_z_threshold = 2.5\n");
    assert_eq!(shown(&place, &[], "symbols")["value"], "SOL/USDT");
    let people = place.ok("config show");
    let at = people.find("FUNDING_CFG.anomaly_z_threshold = 2.5 (barograph.toml:3)").unwrap();
    assert!(people[at..].lines().nth(1).unwrap().contains("funding that is an anomaly"), "{people}");
}

/// File name, text, words of the refusal.
const WRONG: &[(&str, &str, &str)] = &[
    ("barograph.yaml", "bok: absolute\n", "unknown key `bok` in barograph.yaml:1 — did you mean `book`?"),
    (
        "barograph.yaml",
        "market_monitoring:\n  enabeld: true\n",
        "unknown key `market_monitoring.enabeld` in barograph.yaml:2 — did you mean `market_monitoring.enabled`?",
    ),
    ("barograph.yml", "symbols: [BTCUSDT\n", "barograph.yml:2:"),
    ("barograph.yaml", "book: [a, b]\n", "`book` must be a text or a whole number"),
    ("barograph.toml", "book_interval = \"1500ms\"\n", "book_interval (barograph.toml:1): "),
    ("barograph.toml", "basis_interval = \"90s\"\n", "'90s' is not a whole number of 1m"),
    ("barograph.toml", "keep_journal_days = 99999999\n", "is more than 36500 days"),
    ("barograph.toml", "[FUNDING_CFG]\nanomaly = 1\n", "unknown key `FUNDING_CFG.anomaly` in barograph.toml:2"),
    (
        "barograph.yaml",
        "detection:\n  thresholds:\n    premium_deviation_threshold: 3\n",
        "barograph.yaml:3: `detection.thresholds.premium_deviation_threshold`: 'premium' is 3; it lies between 0.0001 and 1",
    ),
    ("barograph.toml", "db_url = \"mysql://me:secret@db/x\"\n", "write postgres://"),
    (
        "barograph.toml",
        "redis = \"rediss://:secret@cache\"\n",
        "redis (barograph.toml:1): TLS to Redis is not built in",
    ),
    (
        "barograph.toml",
        "narrative_url = \"http://api.example/v1\"\n",
        "over http:// the key and the facts could be read",
    ),
    ("barograph.toml", "narrative_url = \"https://me:secret@api.example/v1\"\n", "have no place in it"),
    ("barograph.toml", "redis = \":secret@cache:6379\"\n", "write redis://host:6379"),
];

#[test]
fn what_a_file_gets_wrong_is_named_with_its_line() {
    for (name, text, words) in WRONG {
        let place = Place::new();
        place.write(name, text);
        let done = place.run("config show").exits(2).says(words);
        assert!(!done.err.contains("secret"), "{}", done.err);
    }
    let place = Place::new();
    place.write("barograph.toml", "");
    place.write("barograph.yaml", "");
    place.run("config show").exits(2).says("both barograph.toml and barograph.yaml are here");
    place.run("config show --config barograph.yaml").exits(0);
}

#[test]
fn secrets_are_read_and_never_shown() {
    let place = Place::new();
    let server = "postgres://me:hidden@127.0.0.1:1/baro";
    let env = [("DB_URL", server), ("OPENAI_API_KEY", "sk-hidden")];
    let all = place.run_with("config show", &env).exits(0);
    assert!(!all.out.contains("hidden") && !all.err.contains("hidden"), "{}", all.out);
    let found = shown(&place, &env, "db_url");
    assert_eq!(
        (&found["value"], &found["origin"]),
        (&"postgres://me:***@127.0.0.1:1/baro".into(), &"environment DB_URL".into())
    );
    let key = shown(&place, &env, "narrative_key");
    assert_eq!((&key["value"], &key["origin"]), (&"***".into(), &"environment OPENAI_API_KEY".into()));
    let both = [("DB_URL", server), ("BAROGRAPH_DB_URL", "postgres://db/other")];
    assert_eq!(shown(&place, &both, "db_url")["origin"], "environment BAROGRAPH_DB_URL");
    let mirror = [("BAROGRAPH_REDIS", "redis://me:hidden@cache/2")];
    assert_eq!(shown(&place, &mirror, "redis")["value"], "redis://me:***@cache:6379/2");
    // It is what commands use: nothing answers there, and the password stays out of the message.
    for line in ["db check", "db migrate", "markets"] {
        let done = place.run_with(&format!("{line} --data data"), &env[..1]).exits(3);
        assert!(!done.err.contains("hidden") && !place.path("data").exists(), "{line}: {}", done.err);
    }
    // S7: `db migrate` takes the address as the third original gave it, too.
    for line in [format!("db check --db-url {server}"), format!("db migrate {server}")] {
        let done = place.run(&format!("{line} --data data")).exits(3);
        assert!(!done.err.contains("hidden") && !place.path("data").exists(), "{line}: {}", done.err);
    }
    place.run("db migrate mysql://me:hidden@db/x --data data").exits(2).says("the URL: ");
}

#[test]
fn s7_db_migrate_takes_the_address_of_a_server_without_a_flag() {
    let Some(server) = crate::support::postgres::shared() else { return };
    let (place, url) = (Place::new(), server.schema());
    let made = json_lines(&place.ok(&format!("db migrate {url} --json --data data"))).remove(0);
    assert_eq!(made["migrated"], true, "{made}");
    assert!(!place.path("data").exists(), "there, and not here");
    place.run(&format!("db check --db-url {url} --data data")).exits(0);
}

#[test]
fn a_dotenv_that_is_not_read_is_told_before_anything_is_listened_to() {
    let place = Place::new();
    place.write(".env", "WEBHOOKS_ALL=https://h.example/hidden\nDB_URL=postgres://me:hidden@127.0.0.1:1/baro\n");
    // Nobody answers there: what is looked at is said before.
    let line = "up --symbols BTCUSDT --no-serve --data data --endpoint binance-usdm=http://127.0.0.1:1";
    let mut up = place.start(line);
    let told = up.err.wait_for(".env is not read");
    assert!(told.contains("DB_URL, WEBHOOKS_ALL are not set in the environment"), "{told}");
    assert!(told.contains("set -a; . ./.env; set +a") && !told.contains("hidden"), "{told}");
    up.kill();
    let env = [("WEBHOOKS_ALL", "https://h.example/hidden"), ("DB_URL", "postgres://me:hidden@127.0.0.1:1/baro")];
    let set = place.run_with("config show", &env).exits(0);
    assert!(!set.err.contains(".env"), "what a shell has set needs no word: {}", set.err);
    place.run_with("config show", &env[..1]).exits(0).says(".env is not read, and DB_URL is not set");
}

#[test]
fn a_data_gap_over_two_hours_is_told_once_and_its_end_once() {
    let place = Place::new();
    let start = now() - Span::hours(9);
    let grow = |end| {
        market(&place.path("in"), "BTCUSDT", Mood::Calm, (start, end));
        place.ok("collect --source in --data data");
    };
    grow(now() - Span::mins(200));
    let mut watch = place.start("freshness --continuous --interval 1 --data data");
    let told = watch.err.wait_for("data gap over 2 h: binance-usdm:BTCUSDT mark_price");
    assert!(told.starts_with("barograph: [MKT] ") && told.contains("3 h "), "{told}");
    // Two more looks say nothing new about it.
    watch.err.wait_for("are older than 5 min");
    watch.err.wait_for("are older than 5 min");
    grow(now() - Span::secs(10));
    let ended = watch.err.wait_for("data gap over 2 h has ended: binance-usdm:BTCUSDT mark_price");
    assert!(ended.starts_with("barograph: [MKT] "), "{ended}");
    let all = watch.err.text();
    assert_eq!(all.matches("data gap over 2 h: binance-usdm:BTCUSDT mark_price").count(), 1, "{all}");
    assert!(watch.kill(), "it had ended: {all}");
}
