//! Acceptance on injected truth (surveillance §9), on a few episodes of a made market; the bench `order_flow` measures all.

use super::{alerts_of, class};
use barograph_domain::{Pattern, Span};
use barograph_verify::injected::acts::LaidActs;
use barograph_verify::injected::usual::UsualSizes;
use barograph_verify::injected::{START, TruthScore, plan};

const WARM: Span = Span::mins(5 * 60 + 5);

fn check(pattern: Pattern, name: &str) {
    let (class, seed, count) = (class(name), 11, 12);
    let untouched = UsualSizes::measure(class, seed, Span::hours(1));
    let length = WARM + Span::secs(660 * count as i64);
    let background = alerts_of(class, seed, length, LaidActs::default());
    let run = |intensity: f64, look_alikes: bool| {
        let plan = plan(pattern, (class, &untouched), intensity, (START + WARM, count), look_alikes, 5);
        let alerts = alerts_of(class, seed, length, plan.acts);
        let scored = TruthScore::of(pattern, &plan.injections, &alerts, &background);
        println!(
            "{pattern:?} {name} {intensity} {look_alikes}: recall {:.2} precision {:.2} lenient {:.2} false {} background {} lead {:.1}",
            scored.recall().unwrap_or(0.0),
            scored.precision().unwrap_or(0.0),
            scored.lenient().unwrap_or(0.0),
            scored.false_alerts,
            scored.background,
            scored.lead(0.5).unwrap_or(0.0)
        );
        scored
    };
    let recalls: Vec<f64> = [0.5, 1.0, 2.0].into_iter().map(|i| run(i, false).recall().unwrap()).collect();
    assert!(recalls.is_sorted(), "{pattern:?}: {recalls:?}");
    let strong = run(2.0, false);
    assert!(strong.recall() >= Some(0.9) && strong.precision() >= Some(0.7), "{strong:?}");
    let like = run(2.0, true);
    assert!(like.recall() <= Some(0.05), "{like:?}");
}

#[test]
fn large_orders_that_are_taken_back_are_found() {
    check(Pattern::Spoofing, "middle");
}

#[test]
fn stacks_that_are_taken_back_are_found() {
    check(Pattern::Layering, "middle");
}

#[test]
fn floods_of_updates_are_found() {
    check(Pattern::QuoteStuffing, "thin");
}
