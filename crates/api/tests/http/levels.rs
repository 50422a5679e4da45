//! Levels over HTTP: in pages, filtered, and never before they were known.

use super::client::Server;
use super::world::levels;
use barograph_domain::{LevelType, Ts};
use serde_json::Value;

const LEVELS: &str = "/api/v1/markets/binance-usdm:BTCUSDT/levels";

fn ids(answer: &Value) -> Vec<String> {
    answer["items"].as_array().unwrap().iter().map(|l| l["level_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn levels_come_in_pages_by_confirmation() {
    let server = Server::start();
    let all: Vec<String> = levels(None).into_iter().map(|l| l.level_id).collect();
    assert_eq!(ids(&server.json(LEVELS)), all);
    let (mut joined, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("{LEVELS}?limit=5{cursor}"));
        joined.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(joined, all);
    let first = server.json(LEVELS)["items"][3].clone();
    assert_eq!(
        (&first["type"], &first["side"], &first["timeframe"]),
        (&"BEARISH_OB".into(), &"SHORT".into(), &"15m".into())
    );
    assert_eq!(
        (&first["last_event"], &first["revision"], &first["kind"]),
        (&"BROKEN".into(), &1.into(), &"measured".into())
    );
    assert_eq!((&first["known_at"], &first["volume"]), (&"2026-02-05T00:30:00.200Z".into(), &Value::Null));
}

#[test]
fn filters_keep_what_was_asked_for() {
    let server = Server::start();
    type Keep = fn(&barograph_api::LevelView) -> bool;
    let cases: [(&str, Keep); 4] = [
        ("type=EQUAL_LOWS", |l| l.level_type == LevelType::EqualLows),
        ("timeframe=1h", |l| l.timeframe == "1h"),
        ("active=true", |l| l.mitigated_at.is_none()),
        ("type=BEARISH_OB,EQUAL_LOWS&timeframe=15m&active=true", |l| l.timeframe == "15m" && l.mitigated_at.is_none()),
    ];
    for (query, keep) in cases {
        let want: Vec<String> = levels(None).into_iter().filter(keep).map(|l| l.level_id).collect();
        assert!(!want.is_empty() && want.len() < 72);
        assert_eq!(ids(&server.json(&format!("{LEVELS}?{query}"))), want, "{query}");
    }
}

#[test]
fn nothing_shows_before_it_was_known() {
    let server = Server::start();
    for (as_of, last, used) in [
        ("2026-02-05T00:30:00Z", 2, false),
        ("2026-02-05T00:30:00.200Z", 3, false),
        ("2026-02-05T00:35:00Z", 3, false),
        ("2026-02-05T00:36:00Z", 3, true),
    ] {
        let page = server.json(&format!("{LEVELS}?as_of={as_of}"));
        assert_eq!(
            ids(&page),
            levels(Some(Ts::parse(as_of).unwrap())).into_iter().map(|l| l.level_id).collect::<Vec<_>>()
        );
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), last + 1, "{as_of}");
        assert_eq!(items.get(3).is_some_and(|l| !l["mitigated_at"].is_null()), used, "{as_of}");
    }
}
