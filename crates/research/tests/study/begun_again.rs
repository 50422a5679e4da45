//! Commands without a study that are stopped and given again: what comes out is what an unbroken run says, and takes fewer steps than that.

use crate::world::{market, record, terms};
use barograph_domain::{InstrumentName, Span};
use barograph_lake::layers::{BookHead, BookWriter, LakeConfig, LakeMarket};
use barograph_research::execution::{ExecutionRequest, execution};
use barograph_research::leadlag::{LeadLagRequest, lead_lag};
use barograph_research::simulation::{SimulationRequest, simulated};
use barograph_study::money::rule::{RuleVocabulary, TradingRule};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// More rows than a simulation does between two points.
const DAYS: i64 = 150;

/// A call with how many steps it may take; what it says as JSON.
type LakeCommand<'a> = &'a dyn Fn(&mut dyn FnMut(usize, usize)) -> String;

fn hidden(lake: &Path) -> usize {
    let is_parts = |name: &str| name.starts_with('.') && name.ends_with(".parts");
    std::fs::read_dir(lake).unwrap().filter(|e| is_parts(&e.as_ref().unwrap().file_name().to_string_lossy())).count()
}

/// `stop` is the step at which the first call ends, as if it were killed.
fn check(lake: &Path, command: LakeCommand<'_>, stop: usize) {
    let counted = |most: usize| {
        let mut steps = 0;
        let said = catch_unwind(AssertUnwindSafe(|| {
            command(&mut |done, of| {
                assert!(done < of, "{done} of {of}");
                steps += 1;
                assert!(steps <= most, "stopped here");
            })
        }));
        (said.ok(), steps)
    };
    let (want, unbroken) = counted(usize::MAX);
    assert!(want.is_some() && hidden(lake) == 0, "nothing is left behind a result");
    assert_eq!(counted(stop).0, None, "{unbroken} steps are more than {stop}");
    assert_eq!(hidden(lake), 1);
    let (found, rest) = counted(usize::MAX);
    assert!(found == want, "{found:?} and not {want:?}");
    assert!(rest < unbroken && hidden(lake) == 0, "{rest} steps of {unbroken} were left");
}

fn recorded() -> tempfile::TempDir {
    let lake = tempfile::tempdir().unwrap();
    record(lake.path(), 0..DAYS);
    lake
}

#[test]
fn a_simulation_goes_on_with_its_position_and_its_trades() {
    let lake = recorded();
    let known = RuleVocabulary { columns: vec!["ofi".to_owned()], axes: Vec::new() };
    let rule = TradingRule::parse("long when ofi > 0; short when ofi < -0.5; keep when ofi < 0.1", &known).unwrap();
    let (terms, funding) = (terms(DAYS).trade, terms(DAYS).funding);
    let (lake, market, labels) = (lake.path(), market(), Vec::new());
    let asked = SimulationRequest {
        lake: lake.to_owned(),
        market,
        rule,
        labels,
        signals: Vec::new(),
        terms,
        funding,
        from: None,
        until: None,
        seed: 1,
    };
    let ask = |asked: &SimulationRequest, step: &mut dyn FnMut(usize, usize)| {
        serde_json::to_string(&simulated(asked, step).unwrap()).unwrap()
    };
    check(lake, &|step| ask(&asked, step), 4);

    // What another rule has left is not gone on with.
    let stopped = catch_unwind(AssertUnwindSafe(|| ask(&asked, &mut |done, _| assert!(done < 5_000))));
    assert!(stopped.is_err() && hidden(lake) == 1);
    let other = SimulationRequest { rule: TradingRule::parse("short when ofi > 0", &known).unwrap(), ..asked };
    let found = ask(&other, &mut |_, _| {});
    assert_eq!(found, ask(&other, &mut |_, _| {}));
}

#[test]
fn orders_that_are_executed_go_on_with_the_next_thousand() {
    let lake = recorded();
    let (lake, seconds) = (lake.path(), Span::secs);
    let asked = ExecutionRequest {
        lake: lake.to_owned(),
        market: market(),
        quote: 10_000.0,
        horizon: seconds(6),
        every: seconds(2),
        grid: seconds(1),
        latency: Span::millis(250),
        side: None,
        seed: 1,
        predicted: None,
    };
    let ask = |step: &mut dyn FnMut(usize, usize)| serde_json::to_string(&execution(&asked, step).unwrap()).unwrap();
    check(lake, &ask, 1_500);
}

/// A market whose mid does what the other one's did two seconds before.
fn follows(lake: &Path, symbol: &str, lag: i64) -> InstrumentName {
    let (mut books, _) = BookWriter::open(LakeConfig::import(lake), LakeMarket::new("binance-usdm", symbol)).unwrap();
    let mut random = barograph_domain::random::SplitMix::new(3);
    let mut mid = 50_000.0;
    for second in 0..4_000_i64 {
        let ts = crate::world::begins(0) + Span::secs(second + lag);
        let level = |side: f64| (0..3).map(move |n| (mid + side * (0.5 + f64::from(n)), 5.0));
        let head =
            BookHead { ts, known_ts: ts + Span::millis(20), updates: 1, sequence: second.unsigned_abs(), gap: None };
        books.push(&head, level(-1.0), level(1.0)).unwrap();
        mid *= if random.unit() < 0.5 { 1.0005 } else { 0.9995 };
    }
    books.into_partition().finish().unwrap();
    InstrumentName::new("binance-usdm", symbol).unwrap()
}

#[test]
fn pairs_that_were_studied_are_not_studied_again() {
    let lake = tempfile::tempdir().unwrap();
    let lake = lake.path();
    let asked = LeadLagRequest {
        lake: lake.to_owned(),
        markets: [("AUSDT", 0), ("BUSDT", 2), ("CUSDT", 4)].map(|(symbol, lag)| follows(lake, symbol, lag)).to_vec(),
        steps: vec![Span::secs(1)],
        skew_bound: Span::millis(100),
        confirm_from: None,
        terms: Some(terms(1).trade),
    };
    let ask = |step: &mut dyn FnMut(usize, usize)| serde_json::to_string(&lead_lag(&asked, step).unwrap()).unwrap();
    assert!(ask(&mut |_, _| {}).contains(r#""finding":"leads","leader":"binance-usdm:AUSDT","lead_s":2.0"#));
    // Three markets are read and one pair is done when it stops.
    check(lake, &ask, 4);
}
