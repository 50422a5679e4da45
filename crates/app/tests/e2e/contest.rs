//! The contest: the same from scratch and in pieces, judged like the rules, and nothing used that has not earned it.

use crate::support::data::slice;
use crate::support::{Place, json_lines};
use serde_json::Value;

const MARKETS: [&str; 2] = ["BTCUSDT", "SOLUSDT"];
const FROM: &str = "2026-01-01";

fn contested(place: &Place, data: &str, until: &str) -> String {
    slice(&place.path("in"), &MARKETS, FROM, until);
    place.ok(&format!("collect --source in --data {data}"));
    place.ok(&format!("contest --json --data {data}"))
}

#[test]
fn contestants_are_judged_beside_the_rules_and_used_only_where_they_earned_it() {
    let place = Place::new();
    let found: Value = json_lines(&contested(&place, "data", "2026-02-12")).remove(0);
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 8 * 5, "eight events, the rules and four contestants");
    for row in rows {
        let who = row["forecaster"].as_str().unwrap();
        assert_eq!(row["verdict"].is_null(), who == "rules", "{row}");
        if let (Some(verdict), low) = (row["verdict"].as_str(), |of: &str| row[of]["low"].as_f64()) {
            let earned = low("over_persistence") > Some(0.0) && low("over_rules") > Some(0.0);
            assert_eq!(verdict == "may_be_used", earned && row["n"].as_u64() >= Some(500), "{row}");
        }
    }
    assert!(rows.iter().filter(|r| r["forecaster"] != "rules").any(|r| r["n"].as_u64() > Some(5_000)), "{found}");

    let text = place.ok("contest --event hv_1h --data data");
    assert!(text.contains("boosting") && text.lines().all(|l| l.chars().count() <= 80), "{text}");
    place.run("contest --event zone_reach_24h --data data").exits(2).says("only the rules forecast");

    // The same code scores all of them, and every step adds up.
    let card: Value =
        json_lines(&place.ok("scorecard --classifier boosting --window all --json --data data")).remove(0);
    assert!(card["logic_version"].as_str().unwrap().contains("~boosting."), "{}", card["logic_version"]);
    for row in card["rows"].as_array().unwrap().iter().filter(|r| r["denominators"]["asked"] != 0) {
        let d = &row["denominators"];
        let n = |key: &str| d[key].as_u64().unwrap();
        let sum = |key: &str| d[key].as_object().unwrap().values().map(|v| v.as_u64().unwrap()).sum::<u64>();
        assert_eq!(row["forecaster"], "boosting");
        assert_eq!(n("asked"), n("issued") + sum("not_issued"), "{row}");
        assert_eq!(n("issued"), n("waiting") + n("void") + n("unresolvable") + n("resolved"), "{row}");
        assert_eq!(n("resolved"), sum("abstained") + n("scored"), "{row}");
    }
    let forecasts = json_lines(&place.ok("forecasts --classifier hmm --event hv_1h --limit 5 --json --data data"));
    assert!(forecasts.len() == 5 && forecasts.iter().all(|f| f["classifier_id"] == "hmm"), "{forecasts:?}");
    place.run("scorecard --classifier oracle --data data").exits(2).says("Classifiers: rules, hmm");
    let rules = place.ok("scorecard --window all --data data");
    assert_eq!(place.ok("scorecard --classifier rules --window all --data data"), rules);

    // Two months are too few for any of them.
    place.write("barograph.toml", "[contest]\ncalm_4h = \"bocpd\"\n");
    place
        .run("serve --listen 127.0.0.1:0 --data data")
        .exits(2)
        .says("contest.calm_4h = \"bocpd\" is refused: its record says");
    place.write("barograph.toml", "contest = \"calm_4h=rules\"\n");
    place.ok("context BTCUSDT --data data");
    place.write("barograph.toml", "contest = \"calm_4h=oracle\"\n");
    place.run("context BTCUSDT --data data").exits(2).says("there is no classifier 'oracle'");
}

#[test]
fn a_contest_that_goes_on_ends_as_one_from_scratch_and_changes_nothing_twice() {
    let place = Place::new();
    contested(&place, "whole", "2026-02-04");
    let want = place.hash("whole");
    place.run("contest --data whole").exits(0).says("up to date");
    assert_eq!(place.hash("whole"), want);
    contested(&place, "pieces", "2026-01-28");
    contested(&place, "pieces", "2026-02-04");
    assert_eq!(place.hash("pieces"), want, "in two pieces");
    place.run("verify forecasts whole").exits(0).prints("heads of boosting equal: ");
    place.run("db check --data whole").exits(0);
    // Without a contest nothing is used but the rules.
    place.ok("collect --source in --data none");
    place.write("barograph.toml", "contest.hv_1h = \"hmm\"\n");
    place.run("context BTCUSDT --data none").exits(2).says("no contest has been run here");
    place.run("scorecard --classifier hmm --data none").exits(2).says("run: barograph contest");
}
