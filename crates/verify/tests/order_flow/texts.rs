//! What people read of each pattern, read by a person once; and what a record holds as evidence.

use super::{alerts_of, class};

use barograph_domain::alert::{AlertChange, Datum};
use barograph_domain::{Alert, Pattern, Span};
use barograph_engine::detect::explain::{limits, story, title};
use barograph_engine::detect::meaning::meaning;
use barograph_engine::order_flow::FlowThresholds;
use barograph_verify::injected::usual::UsualSizes;
use barograph_verify::injected::weeks::{WeeksPlan, weeks};
use barograph_verify::injected::{START, plan};

fn of_books(pattern: Pattern) -> Vec<Alert> {
    let (class, seed) = (class("thin"), 11);
    let untouched = UsualSizes::measure(class, seed, Span::hours(1));
    let warm = Span::mins(5 * 60 + 5);
    let plan = plan(pattern, (class, &untouched), 2.0, (START + warm, 2), false, 5);
    alerts_of(class, seed, warm + Span::mins(25), plan.acts)
}

fn of_hours(pattern: Pattern, warm: i64, days: i64) -> Vec<Alert> {
    let (episodes, seed, trades) = (u64::MAX, 4, 400.0);
    let plan = WeeksPlan { pattern, intensity: 2.0, look_alikes: false, episodes, warm, days, seed, trades };
    weeks(plan, &FlowThresholds::default(), &mut || {}).1
}

fn first(alerts: &[Alert], pattern: Pattern, change: AlertChange) -> &Alert {
    let of = |a: &&Alert| a.pattern == pattern && a.change == change;
    alerts.iter().find(of).unwrap_or_else(|| panic!("no {change:?} of {pattern:?} among {}", alerts.len()))
}

/// Everything that can be read of a pattern: its beginning in full, and that its end is said.
fn check(pattern: Pattern, alerts: &[Alert], head: &str, parts: &[&str]) {
    let opened = first(alerts, pattern, AlertChange::Opened);
    let said = story(opened, None);
    println!("{} | {said} | {}", title(opened), meaning(opened, 0.9).clears);
    assert_eq!(title(opened), head);
    for part in parts {
        assert!(said.contains(part), "'{part}' is not in '{said}'");
    }
    assert!(!said.contains("manipulat") && !said.contains("NaN") && !said.contains("inf"), "{said}");
    let closed = story(first(alerts, pattern, AlertChange::Closed), None);
    assert!(closed.starts_with("Ended after ") && !closed.contains("Pattern consistent"), "{closed}");
    let end = closed.split(". ").next().unwrap_or_default();
    assert!(
        closed[end.len()..].starts_with(". A book is published") || closed[end.len()..].starts_with(". Experimental"),
        "{closed}"
    );
    for s in &opened.statistics {
        assert!(s.u.is_some_and(|u| u.is_finite() && u > 0.0) && s.value.is_some(), "{s:?}");
    }
    assert!(opened.score > 30.0 && opened.score <= 93.75, "{}", opened.score);
    let count = |name: &str| match opened.datum(name) {
        Some(Datum::Words(words)) => words.len(),
        _ => 0,
    };
    assert!((1..=20).contains(&count("books")) && (1..=200).contains(&count("trades")));
    let of_books = matches!(pattern, Pattern::Spoofing | Pattern::Layering | Pattern::QuoteStuffing);
    assert_eq!(limits(opened).len(), 1 + usize::from(of_books));
    assert!(limits(opened).iter().any(|limit| limit.starts_with("Experimental: ")));
}

#[test]
fn large_orders_pulled() {
    let alerts = of_books(Pattern::Spoofing);
    let parts =
        ["large ", "within 1 min", "cancelled after", "Pattern consistent with spoofing.", "published in steps"];
    check(Pattern::Spoofing, &alerts, "Large orders pulled before they traded", &parts);
}

#[test]
fn stacks_pulled() {
    let alerts = of_books(Pattern::Layering);
    let parts = ["times within 2 min", "came at once", "Pattern consistent with layering."];
    check(Pattern::Layering, &alerts, "Stacked orders pulled together", &parts);
}

#[test]
fn floods() {
    let alerts = of_books(Pattern::QuoteStuffing);
    let parts = ["changes of the book within 1 s (alert at", "Pattern consistent with quote stuffing.", "Experimental"];
    check(Pattern::QuoteStuffing, &alerts, "Flood of quote changes", &parts);
}

#[test]
fn self_matched_trades() {
    let alerts = of_hours(Pattern::WashTrading, 2, 4);
    let parts =
        ["Equal buys and sells cancel each other out", "2 hours in a row", "Pattern consistent with wash trading."];
    check(Pattern::WashTrading, &alerts, "Trades that look self-matched", &parts);
}

#[test]
fn pumps() {
    let alerts = of_hours(Pattern::PumpAndDump, 8, 9);
    let parts = ["The price rose ", " in 5 min on ", "Pattern consistent with a pump and dump."];
    check(Pattern::PumpAndDump, &alerts, "Sharp rise on heavy buying", &parts);
    let fell = first(&alerts, Pattern::PumpAndDump, AlertChange::Updated);
    assert_eq!(title(fell), "Sharp rise on heavy buying, now given back");
    assert_eq!(fell.severity, barograph_domain::Severity::High);
}

#[test]
fn pressure_before_funding() {
    let alerts = of_hours(Pattern::FundingWindowPressure, 2, 4);
    let parts = ["in the last minute before funding", "was undone within 5 min", "Pattern consistent with pressure on"];
    check(Pattern::FundingWindowPressure, &alerts, "Pressure in the last minute before funding", &parts);
}
