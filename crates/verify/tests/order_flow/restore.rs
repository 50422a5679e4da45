//! A market saved and restored at any moment goes on as if nothing had happened, and how time is cut into calls changes nothing.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use super::class;

use barograph_domain::alert::{AlertChange, AlertState};
use barograph_domain::{Alert, OpenExperimental, Pattern, Span};
use barograph_engine::order_flow::{FLOW_PATTERNS, FlowInput, FlowStream, FlowThresholds, OrderFlow};
use barograph_verify::injected::acts::LaidActs;
use barograph_verify::injected::made::{MarketClass, SCALE, play};
use barograph_verify::injected::usual::UsualSizes;
use barograph_verify::injected::{START, plan};

/// A market whose hours pass in a second of test, with thresholds that it reaches.
fn quick() -> (MarketClass, FlowThresholds) {
    let mut t = FlowThresholds::default();
    t.set("warm_hours", 1.0).unwrap();
    (class("middle"), t)
}

fn injected() -> LaidActs {
    let (class, _) = quick();
    let untouched = UsualSizes::measure(class, 7, Span::mins(20));
    plan(Pattern::Spoofing, (class, &untouched), 2.0, (START + Span::mins(10), 3), false, 3).acts
}

/// What is reported, and the state at the end, of a market that is saved and restored each so many inputs.
fn run(injected: &LaidActs, saved_each: Option<u64>, ticked: bool) -> (Vec<Alert>, OrderFlow) {
    let (class, t) = quick();
    let (mut flow, mut out, mut n) = (OrderFlow::new(SCALE), Vec::new(), 0);
    play(class, 7, Span::mins(50), &mut injected.clone(), |at, input| {
        n += 1;
        if ticked && n % 3 == 0 {
            flow.step(at, FlowInput::Tick, &t, &mut out);
        }
        if n == 20_000 {
            flow.step(at, FlowInput::Lost(FlowStream::Book), &t, &mut out);
        }
        flow.step(at, input, &t, &mut out);
        if saved_each.is_some_and(|each| n % each == 0) {
            let bytes = postcard::to_allocvec(&flow).unwrap();
            let back: OrderFlow = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(postcard::to_allocvec(&back).unwrap(), bytes, "what is restored saves to the same bytes");
            flow = back;
        }
    });
    (out, flow)
}

#[test]
fn save_restore_and_cut_change_nothing() {
    let injected = injected();
    let (alerts, whole) = run(&injected, None, false);
    assert!(alerts.iter().any(|a| a.pattern == Pattern::Spoofing), "there is something to get wrong: {}", alerts.len());
    for (each, ticked) in [(Some(1_999), false), (None, true)] {
        let (again, state) = run(&injected, each, ticked);
        assert_eq!(again, alerts);
        assert!(state == whole, "the state is the same after {each:?} {ticked}");
    }
}

/// A row has the open episodes of its records, but for the third of a day: what comes so often is no news.
#[test]
fn a_row_counts_what_is_open_and_not_daily() {
    let (class, t) = quick();
    let (mut flow, mut out) = (OrderFlow::new(SCALE), Vec::<Alert>::new());
    let (mut counted, mut left_out) = (0, 0);
    play(class, 7, Span::mins(50), &mut injected(), |at, input| {
        flow.step(at, input, &t, &mut out);
        let newest = |p: &Pattern| out.iter().rev().find(|a| a.pattern == *p);
        let open: Vec<&Alert> =
            FLOW_PATTERNS.iter().filter_map(newest).filter(|a| a.state != AlertState::Closed).collect();
        let before =
            |a: &Alert| out.iter().filter(|b| b.pattern == a.pattern && b.change == AlertChange::Opened).count() - 1;
        let rare: Vec<&&Alert> = open.iter().filter(|a| before(a) < 2).collect();
        let worst = rare.iter().rev().max_by_key(|a| a.severity).map(|a| a.pattern);
        let said = flow.open(at);
        assert_eq!((usize::from(said.count), said.first), (rare.len(), worst), "{at}");
        assert_eq!(flow.open(START), OpenExperimental::default(), "nothing had begun at {START}");
        (counted, left_out) = (counted + rare.len(), left_out + open.len() - rare.len());
    });
    assert!(counted > 100 && left_out > 100, "{counted} {left_out}");
}

/// A day is eight times three hours: what grows with hours are histograms, half of what is held here (the bench has the rest).
#[test]
fn a_market_stays_within_two_megabytes() {
    let (class, t) = quick();
    let class = MarketClass { step: Span::millis(250), ..class };
    let (mut flow, mut out) = (OrderFlow::new(SCALE), Vec::new());
    play(class, 7, Span::hours(3), &mut LaidActs::default(), |at, input| flow.step(at, input, &t, &mut out));
    let bytes = allocation_counter::measure(|| drop(core::hint::black_box(flow.clone()))).bytes_max;
    assert!((50_000..1_000_000).contains(&bytes), "{bytes}");
}
