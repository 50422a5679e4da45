//! Which market leads, when to execute, and what a rule of one's own is worth, as a researcher asks it.

use crate::support::data::{Mood, market};
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

fn shipped() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings/binance-usdm_btcusdt_20240718.gz");
    path.display().to_string()
}

fn recorded() -> Place {
    let place = Place::new();
    place.ok(&format!("lab dataset BTCUSDT --source {} --data data", shipped()));
    place
}

/// Twenty minutes of a market whose mid moves each second by a drawn step; `late` seconds behind what the draws are.
pub(crate) fn walk(place: &Place, file: &str, market: &str, late: usize) {
    let mut text = String::from("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n");
    let mut state = 7_u64;
    let steps: Vec<f64> = (0..1_200)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
        })
        .collect();
    let mut mid = 1_000.0;
    for second in 0..1_200_usize {
        mid += second.checked_sub(late).map_or(0.0, |at| 4.0 * steps[at]);
        let at = Ts::parse("2026-01-05T00:00:00Z").unwrap() + Span::secs(i64::try_from(second).unwrap());
        let known = at + Span::millis(40);
        writeln!(text, "{},{},{:.3},50,{:.3},50", at.0, known.0, mid - 0.05, mid + 0.05).unwrap();
    }
    place.write(file, &text);
    place.ok(&format!("lab dataset {market} --source {file} --data data"));
}

fn one(text: &str) -> Value {
    json_lines(text).remove(0)
}

#[test]
fn the_market_that_moves_first_is_found_and_following_it_is_priced() {
    let place = Place::new();
    walk(&place, "a.csv", "binance-usdm:BTCUSDT", 0);
    walk(&place, "b.csv", "bybit:BTCUSDT", 3);
    let ask = "lab leadlag binance-usdm:BTCUSDT bybit:BTCUSDT --step 1s --data data";
    let found = one(&place.ok(&format!("{ask} --fee test=1 --json")));
    let step = &found["pairs"][0]["steps"][0];
    assert_eq!(
        (&step["finding"], &step["leader"], &step["lead_s"]),
        (&json!("leads"), &json!("binance-usdm:BTCUSDT"), &json!(3.0))
    );
    let follow = &step["follow"];
    assert_eq!(follow["follower"], "bybit:BTCUSDT");
    assert!(follow["trades"].as_u64().unwrap() > 20 && follow["net_bps"].as_f64().unwrap() > 0.0, "{follow}");
    let cost = follow["cost_bps"].as_f64().unwrap();
    assert!((cost - 3.0).abs() < 0.1, "a bp a side and a spread of one: {cost}");
    assert!(found["markets"][0]["delay_ms"] == json!(40.0));
    place.ok(&format!("{ask} --fee test=1")).contains("leads by 3 s").then_some(()).unwrap();
    let unsure = place.ok(&format!("{ask} --skew 3s"));
    assert!(unsure.contains("no longer than the clocks may differ"), "{unsure}");
    place.run("lab leadlag BTCUSDT BTCUSDT --data data").exits(2).says("a market is named twice");
    place.run("lab leadlag BTCUSDT okx:BTCUSDT --data data").exits(2).says("holds no books of okx:BTCUSDT");
    place
        .run(&format!("{ask} --confirm-from 2027-01-01T00:00:00Z"))
        .exits(2)
        .says("the second period has to begin when the first is over");
}

#[test]
fn orders_are_executed_by_every_policy_and_too_few_of_them_decide_nothing() {
    let place = Place::new();
    walk(&place, "a.csv", "binance-usdm:BTCUSDT", 0);
    let study = one(&place.ok("lab execution BTCUSDT --horizon 10s --every 4s --grid 2s --data data --json"));
    assert!(study["measured"].as_u64().unwrap() >= 200, "{study}");
    let policies = study["policies"].as_array().unwrap();
    let names: Vec<&str> = policies.iter().map(|p| p["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["twap", "immediate", "signal"]);
    for policy in policies {
        assert_eq!(policy["fill_ratio"], json!(1.0));
        assert!((policy["temporary_bps"].as_f64().unwrap() - 0.5).abs() < 0.05, "half the spread: {policy}");
        assert_eq!(policy["against_twap_band"].is_null(), policy["policy"] == "twap");
    }
    let few = place.ok("lab execution BTCUSDT --horizon 1m --data data");
    assert!(few.contains("not decided") && few.contains("a comparison needs 200; 3 h 20 min of recording"), "{few}");
    place.run("lab execution BTCUSDT --grid 10m --data data").exits(2).says("do not fit into an order");
    place.run("lab execution BTCUSDT --notional 0 --data data").exits(2).says("0 quote is no order");
    place.run("lab execution BTCUSDT --model gbm --data data").exits(2).says("holds no study of cost_buy_fwd_1m");
}

#[test]
fn a_rule_is_traded_through_the_recorded_book_with_its_costs_by_name() {
    let place = recorded();
    place.write("rule.txt", "long when ofi > 0 # more came to the bid\nshort when ofi < 0\n");
    let ask = "lab simulate BTCUSDT --rule-file rule.txt --fee VIP0=5 --data data";
    let answer = one(&place.ok(&format!("{ask} --json")));
    let r = &answer["result"];
    let wanted: u64 = r["wanted"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!((r["rows"].as_u64().unwrap(), wanted), (175, 175), "the last row leaves");
    let (all, long, short) = (&r["all"], &r["long"], &r["short"]);
    let n = |of: &Value| of["trades"].as_u64().unwrap();
    assert!(n(all) > 20 && n(long) + n(short) == n(all), "{r}");
    assert!(all["cost_bps"].as_f64().unwrap() > 10.0, "two sides of five, and the spread");
    let costs: f64 = r["costs"].as_array().unwrap().iter().map(|c| c[1].as_f64().unwrap()).sum();
    let equity = r["equity"].as_array().unwrap();
    assert_eq!(equity.len() as u64, n(all));
    assert!((equity.last().unwrap()[1].as_f64().unwrap() - r["net"].as_f64().unwrap()).abs() < 1e-12);
    assert!(costs > 0.0 && r["no_sharpe"].as_str().unwrap().contains("needs 30"));
    assert!(place.ok(ask).contains("no Sharpe ratio: 1 day; a Sharpe ratio needs 30"));

    // A stretch of it.
    let [first, last] = [0, 1].map(|at| Ts::parse(r["span"][at].as_str().unwrap()).unwrap());
    let (from, until) = (first + Span::secs(30), first + Span::secs(90));
    let part = &one(&place.ok(&format!("{ask} --from {from} --until {until} --json")))["result"];
    assert_eq!((&part["span"], &part["rows"]), (&json!([from, until - Span::secs(1)]), &json!(59)));
    let rest = &one(&place.ok(&format!("{ask} --until {until} --json")))["result"];
    assert_eq!(rest["span"], json!([first, until - Span::secs(1)]));
    place
        .run(&format!("{ask} --from {}", last + Span::secs(1)))
        .exits(2)
        .says("holds no rows of binance-usdm:BTCUSDT from");

    for until in [from, first] {
        let reversed = format!("{ask} --from {from} --until {until}");
        place.run(&reversed).exits(2).says(&format!("--until {until} is not after --from {from}"));
    }
    // The same text from another system's editor is the same rule.
    place.write("marked.txt", "\u{feff}long when ofi > 0 # more came to the bid\r\nshort when ofi < 0\r\n");
    let marked = one(&place.ok(&format!("{} --json", ask.replace("rule.txt", "marked.txt"))));
    assert_eq!(marked["result"], answer["result"]);
    // Settlements in a table of one's own are stored by the command that the refusal names, and count from then on.
    place.write("paid.csv", "when,paid\n2024-07-18T16:00:00Z,0.0001\n2024-07-19T00:00:00Z,0.0001\n");
    let refused = place.run(&format!("{ask} --funding paid.csv")).exits(2).err;
    assert!(!refused.contains("map them with"), "{refused}");
    let (_, command) = refused.trim().split_once("--funding: barograph ").unwrap();
    let command = command.replace("FILE", "paid.csv").replace("time=<column>", "time=when").replace("<column>", "paid");
    place.ok(&format!("{command} --data data"));
    let paid = one(&place.ok(&format!("{ask} --json")));
    assert_ne!(paid["result"]["funding"]["state"], "unknown", "{}", paid["result"]["funding"]);

    place.write("wrong.txt", "long when ofy > 0\nshort if ofi < 0\n");
    let wrong = "lab simulate BTCUSDT --rule-file wrong.txt --fee VIP0=5 --data data";
    place.run(wrong).exits(2).says("line 1, character 11: there is no column and no axis 'ofy' — did you mean 'ofi'?");
    place.run(wrong).exits(2).says("  short if ofi < 0\n        ^^");
    place.run("lab simulate BTCUSDT --rule-file rule.txt --data data").exits(2).says("--fee <TIER=BPS>");
    place
        .run("lab simulate BTCUSDT --rule-file none.txt --fee VIP0=5 --data data")
        .exits(2)
        .says("cannot read the rule");
}

#[test]
fn a_rule_sees_the_labels_of_the_data_folder_as_they_were_known() {
    let place = recorded();
    place.write("rule.txt", "long when risk is not missing\n");
    let ask = "lab simulate BTCUSDT --rule-file rule.txt --fee VIP0=5 --data data --lake data --json";
    place.run(ask).exits(2).says("no labels of binance-usdm:BTCUSDT");
    let at = |text: &str| Ts::parse(text).unwrap();
    let span = (at("2024-07-18T12:00:00Z"), at("2024-07-19T00:00:00Z"));
    market(&place.path("in"), "BTCUSDT", Mood::Calm, span);
    place.ok("collect --source in --data data");
    let r = &one(&place.ok(ask))["result"];
    assert!(r["wanted"][0].as_u64().unwrap() > 100 && r["all"]["trades"] == json!(1), "{r}");
    let axes: Vec<&str> = r["by_label"].as_array().unwrap().iter().map(|l| l["axis"].as_str().unwrap()).collect();
    assert_eq!(axes, ["risk", "trend", "volatility", "heat"]);
}
