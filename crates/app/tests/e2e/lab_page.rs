//! A study on one page, and what was promised against what was measured.

use crate::lab_money::walk;
use crate::support::{Place, json_lines};
use serde_json::{Value, json};

const SETTINGS: &str = "--embargo 10s --folds 2 --rows-min 50 --model linear --data data";

#[test]
fn a_study_is_one_file_that_loads_nothing_and_goals_say_what_is_missing() {
    let place = Place::new();
    walk(&place, "a.csv", "binance-usdm:BTCUSDT", 0);
    place.run("lab report BTCUSDT --target dir_1s --data data").exits(2).says("holds no study of dir_1s");
    place.ok(&format!("lab train BTCUSDT --target dir_1s {SETTINGS}"));
    place.ok(&format!("lab backtest BTCUSDT --target dir_1s --fee VIP0=5 {SETTINGS}"));
    let said = place.ok("lab report BTCUSDT --target dir_1s --out page.html --data data");
    assert!(said.contains("without importance") && !said.contains("without an equity curve"), "{said}");
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    for part in
        ["Board", "Folds over time", "Reliability", "What calls were worth", "What data", "What it does not show"]
    {
        assert!(page.contains(&format!("<h2>{part}</h2>")), "{part}");
    }
    for outside in ["http:", "https:", "src=", "<link", "<script", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("<title>dir_1s of binance-usdm:BTCUSDT"));
    let open = page.matches("<svg").count();
    assert!(open >= 2 && open == page.matches("</svg>").count() && !page.contains("NaN"));

    let goals = json_lines(&place.ok("lab goals BTCUSDT --data data --json"));
    let of = |goal: &str| goals.iter().find(|g| g["goal"] == goal).unwrap();
    let names: Vec<&str> = goals.iter().map(|g| g["goal"].as_str().unwrap()).collect();
    assert_eq!(names, ["dir_1s", "dir_5s", "dir_30s", "dir_1m", "dir_5m", "sharpe_dir_1s", "vol_regime_fwd"]);
    let has =
        |goal: &Value, why: &str| goal["misses"].as_array().unwrap().iter().any(|m| m.as_str().unwrap().contains(why));
    assert!(has(of("dir_1s"), "2 folds where 5 are asked") && has(of("dir_1s"), "the hold-out was not opened"));
    assert!(has(of("sharpe_dir_1s"), "1 day out of sample where 90 are asked"), "{}", of("sharpe_dir_1s"));
    assert!(goals.iter().all(|g| g["reached"] == json!(false)));
    assert_eq!(of("dir_5m")["value"], Value::Null, "no number for what was not fitted");
    let table = place.ok("lab goals BTCUSDT --markdown --data data");
    assert_eq!(table.lines().count(), 9);
}
