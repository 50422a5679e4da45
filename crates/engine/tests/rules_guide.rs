//! docs/rules.md: its examples are books that parse; thresholds, zones and shipped books are all named. Keys are held beside the parser.

use barograph_engine::detect::thresholds::KEYS;
use barograph_engine::rules::{RuleBook, SessionBase};
use barograph_engine::sessions::Zone;

const GUIDE: &str = include_str!("../../../docs/rules.md");

/// The TOML blocks of the guide, in order.
fn examples() -> Vec<&'static str> {
    GUIDE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_example_is_a_book() {
    let books: Vec<RuleBook> = examples().into_iter().map(|text| RuleBook::parse("rules.md", text).unwrap()).collect();
    assert_eq!(books.len(), 3);
    let [_, posture, sessions] = books.as_slice() else { unreachable!("three books") };
    assert_eq!(posture.postures().len(), 7);
    let london = sessions.sessions.hours[1];
    assert_eq!((london.zone, london.start, london.end, london.weekends), (Zone::Berlin, 480, 870, false));
    assert_eq!(sessions.session_multipliers[0].to_bits(), 1.2_f64.to_bits());
    assert!(matches!(sessions.session_base, SessionBase::Default));
}

#[test]
fn every_threshold_zone_and_book_is_in_the_guide() {
    let detectors = KEYS.iter().map(|k| format!("| `{}` |", k.name));
    let zones = Zone::NAMES.iter().map(|(name, _)| format!("`{name}`"));
    let books = RuleBook::SHIPPED.iter().map(|name| format!("`{name}`"));
    let missing: Vec<String> = detectors.chain(zones).chain(books).filter(|w| !GUIDE.contains(w.as_str())).collect();
    assert!(missing.is_empty(), "not in docs/rules.md: {missing:?}");
}
