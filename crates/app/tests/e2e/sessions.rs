//! Sessions as they are shown, and their multipliers as a rule book takes them back.

use crate::support::data::slice;
use crate::support::{Place, json_lines};

#[test]
fn sessions_are_shown_and_their_multipliers_go_into_a_book() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-01-20", "2026-02-07");
    place.ok("replay in --data data");
    let table = place.ok("sessions BTCUSDT --data data");
    let lines = json_lines(&place.ok("sessions BTCUSDT --data data --json"));
    for name in ["ASIAN", "LONDON", "NY", "ROLLOVER"] {
        assert!(table.contains(name) && lines.iter().any(|l| l["session"] == name), "{name}\n{table}");
    }
    assert!(table.lines().all(|l| l.chars().count() <= 80), "{table}");
    let base = lines.iter().filter_map(|l| l["base_multiplier"].as_f64());
    assert!(base.clone().all(|x| (1.0..=2.5).contains(&x)) && base.count() > 0, "{lines:?}");

    let printed = place.ok("sessions BTCUSDT --data data --toml");
    let numbers: Vec<&str> = printed.split("[session_multipliers]\n").nth(1).unwrap().lines().collect();
    assert!(printed.contains("session_base = \"seed\"") && numbers.len() == 4, "{printed}");
    assert!(numbers.iter().all(|l| l.split(" = ").nth(1).unwrap().parse::<f64>().is_ok()), "{printed}");
}
