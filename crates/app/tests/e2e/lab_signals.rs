//! A rule of the lab that declares signals: what it sees of them, and how its answer states which values those were.

use crate::support::data::slice;
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::path::Path;

const ASK: &str = "lab simulate BTCUSDT --rule-file rule.txt --fee VIP0=5 --data data";

fn recorded() -> Place {
    let place = Place::new();
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings/binance-usdm_btcusdt_20240718.gz");
    place.ok(&format!("lab dataset BTCUSDT --source {} --data data", shipped.display()));
    place
}

fn result(place: &Place, rule: &str, more: &str) -> Value {
    place.write("rule.txt", rule);
    json_lines(&place.ok(&format!("{ASK} {more} --json"))).remove(0)["result"].clone()
}

fn bring(place: &Place, rows: &[(Ts, Ts, &str, &str)]) {
    let line = |(at, known, value, source): &(Ts, Ts, &str, &str)| format!("{at},*,x.flow,{value},{source},{known}\n");
    let rows: String = rows.iter().map(line).collect();
    place.write("own.csv", &format!("timestamp,symbol,metric_name,value,source,known_ts\n{rows}"));
    place.ok("signals import own.csv --data data");
}

#[test]
fn a_declared_signal_counts_from_the_moment_it_was_known_and_the_answer_states_its_values() {
    let place = recorded();
    let plain = result(&place, "long when ofi > 0", "");
    assert_eq!(plain.get("signals"), None, "of market data alone");
    let [first, last] = [0, 1].map(|at| Ts::parse(plain["span"][at].as_str().unwrap()).unwrap());
    let rule = "signal x.flow within 10m\nlong when x.flow > 0\n";
    place.write("rule.txt", rule);
    place.run(ASK).exits(2).says("declares x.flow, and the data folder data has no such signal").says("signals import");
    // Values are brought into a folder that knows of markets.
    slice(&place.path("in"), &["ETHUSDT"], "2026-02-05", "2026-02-06");
    place.ok("collect --source in --data data");
    place.run(ASK).exits(2).says("declares x.flow, and the data folder data has no such signal");

    let known = first + Span::secs(60);
    bring(&place, &[(first - Span::mins(5), known, "1", "desk")]);
    let found = result(&place, rule, "");
    let from_then = result(&place, "long when ofi > 0", &format!("--from {known}"));
    assert_eq!(found["wanted"][0], from_then["rows"], "long on every row from the moment on, and on none before");
    let [used] = &found["signals"].as_array().unwrap()[..] else { panic!("one signal: {found}") };
    assert_eq!((&used["name"], &used["source"], &used["scope"]), (&json!("x.flow"), &json!("desk"), &json!("*")));
    assert_eq!((&used["revisions"], &used["stated"], &used["within_s"]), (&json!(1), &json!(1), &json!(600)));
    assert_eq!(used["assumed"], json!(0));
    place.write("rule.txt", rule);
    let text = place.ok(ASK);
    let words = "not of market data alone: x.flow from desk (*), present on 116 rows, 1 value;";
    assert!(text.contains(words) && text.contains("is stated by their owner"), "{text}");

    // What nobody could know changes nothing, not even the digest; what was known does.
    bring(&place, &[(last + Span::mins(1), last + Span::mins(1), "-9", "desk")]);
    assert_eq!(result(&place, rule, ""), found);
    bring(&place, &[(first, known + Span::secs(30), "-1", "desk")]);
    let revised = result(&place, rule, "");
    assert_eq!(revised["wanted"][0], json!(30), "until the next value was known");
    assert_ne!(revised["signals"][0]["digest"], used["digest"]);

    // Too old is absent, and so is a score of two values.
    let asked = |rule: &str| result(&place, rule, "")["wanted"][0].clone();
    assert_eq!(asked("signal x.flow within 1s; long when x.flow > 0"), json!(0));
    assert_eq!(asked("signal x.flow; long when x.flow.z_7d > -99"), json!(0));
    assert_eq!(asked("signal x.flow; long when x.flow.z_7d is missing"), plain["rows"]);

    // A source whose first value is known after the last row is none of them.
    bring(&place, &[(first, last + Span::mins(1), "1", "late")]);
    assert_eq!(result(&place, rule, ""), revised);

    // Two sources are never mixed.
    bring(&place, &[(first, first, "1", "other")]);
    place.write("rule.txt", rule);
    place.run(ASK).exits(2).says("x.flow comes from several sources, desk, other").says("signal x.flow from desk");
    assert_eq!(asked("signal x.flow from desk within 10m; long when x.flow > 0"), json!(30));
    place.write("rule.txt", "signal x.flow from nobody; long when x.flow > 0");
    place.run(ASK).exits(2).says("x.flow has no values from 'nobody' in this stretch; it has those of desk, other");
    place.write("rule.txt", "signal x.flow from late; long when x.flow > 0");
    place.run(ASK).exits(2).says("x.flow has no values from 'late' in this stretch; it has those of desk, other");
    place.write("rule.txt", "long when x.flow > 0");
    place.run(ASK).exits(2).says("line 1, character 11: 'x.flow' is not declared; put a line above it: signal x.flow");
}
