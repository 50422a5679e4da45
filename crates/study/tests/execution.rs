//! Policies of the execution study against arithmetic done by hand (research §7).
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::math::ln;
use barograph_domain::{Side, Span, Ts};
use barograph_study::money::books::{NoBook, RecordedBooks};
use barograph_study::money::execution::{
    CostMedians, ExecutionMarket, ExecutionMetrics, ExecutionPolicy, ExecutionRow, MarketPrint, MeasuredParents,
    NoComparison, NoExecution, ParentOrder, compare,
};
use barograph_study::money::fills::TakerBook;

fn at(s: i64) -> Ts {
    Ts::from_secs(s)
}

/// Mid of a second: it rises by 1 a second.
fn mid(s: i64) -> f64 {
    1_000.0 + f64::from(i32::try_from(s).unwrap())
}

/// Order books of 5 units at each of two levels; half the spread is 0.5, but 2 in the last six of every ten seconds.
fn books(seconds: i64) -> RecordedBooks {
    let book = |s: i64| {
        let half = if s % 10 < 4 { 0.5 } else { 2.0 };
        let level = |k: i32| half + f64::from(k);
        TakerBook::new((0..2).map(|k| (mid(s) - level(k), 5.0)), (0..2).map(|k| (mid(s) + level(k), 5.0))).ok()
    };
    RecordedBooks::new((0..seconds).map(|s| (at(s), book(s))).collect(), Span::secs(1))
}

/// The forecast of the cost is right.
fn rows(seconds: i64) -> Vec<ExecutionRow> {
    let cost = |s: i64| Some(if s % 10 < 4 { 5.0 } else { 20.0 });
    (0..seconds).map(|s| ExecutionRow { known_ts: at(s), buy_cost_bps: cost(s), sell_cost_bps: cost(s) }).collect()
}

fn parent(taker: Side, start: i64, quantity: f64) -> ParentOrder {
    ParentOrder { taker, quantity, start: at(start), horizon: Span::secs(10), kyle_lambda: Some(2.0) }
}

fn execute(parent: &ParentOrder, policy: ExecutionPolicy) -> Result<ExecutionMetrics, NoExecution> {
    let (rows, mut books) = (rows(500), books(1_000));
    let prints: Vec<_> = (0..500).map(|s| MarketPrint { at: at(s), price: mid(s) + 0.5, quantity: 2.0 }).collect();
    let medians = CostMedians::of(&rows);
    ExecutionMarket::new((&rows, &medians), &prints, &mut books, Span::millis(250)).execute(parent, policy)
}

fn near(got: Option<f64>, want: f64, what: &str) {
    assert!(got.is_some_and(|got| (got - want).abs() < 1e-9 * want.abs().max(1.0)), "{what}: {got:?} is not {want}");
}

#[test]
fn equal_parts_pay_the_price_of_every_row() {
    let got = execute(&parent(Side::Long, 100, 10.0), ExecutionPolicy::Twap).unwrap();
    // One unit at each of the seconds 100 to 109: mids 1,100 to 1,109, half spreads 0.5 and 2.
    let (average, decided, middle) = (1_104.5 + 1.4, 1_100.0, 1_104.5);
    assert!((got.fill_ratio - 1.0).abs() < 1e-12);
    near(got.shortfall_bps, 1e4 * (average / decided - 1.0), "shortfall");
    near(got.vs_twap_bps, 1e4 * (average / middle - 1.0), "against the mean of the mids");
    // Trades of seconds 101 to 110, at 0.5 above the mid.
    near(got.vs_vwap_bps, 1e4 * (average / 1_106.0 - 1.0), "against the market");
    near(got.participation, 10.0 / 20.0, "participation");
    near(got.impact_bps, 1e4 * ln(1_110.0 / 1_100.0), "impact");
    near(got.temporary_bps, 1e4 * (average / middle - 1.0), "temporary");
    near(got.permanent_bps, 1e4 * (1_409.0 / 1_100.0 - 1.0), "permanent");
    near(got.shortfall_per_lambda, 1e4 * (average / decided - 1.0) / (2.0 * 11_000.0 / 1e6), "per lambda");
}

#[test]
fn everything_at_once_walks_deeper_and_sellers_lose_the_other_way() {
    let buy = execute(&parent(Side::Long, 100, 10.0), ExecutionPolicy::Immediate).unwrap();
    near(buy.shortfall_bps, 1e4 * (1_101.0 / 1_100.0 - 1.0), "five at 0.5, five at 1.5 above");
    let sell = execute(&parent(Side::Short, 100, 10.0), ExecutionPolicy::Immediate).unwrap();
    near(sell.shortfall_bps, 1e4 * (1.0 - 1_099.0 / 1_100.0), "a seller");
    near(sell.impact_bps, -1e4 * ln(1_110.0 / 1_100.0), "the market went against");
}

#[test]
fn the_forecast_waits_for_a_cheap_row_and_the_last_row_waits_for_nothing() {
    // Six rows of ten cost 20, so that is the median: seconds 100 to 103 are cheap, the rest goes at 109, through two levels.
    let got = execute(&parent(Side::Long, 100, 10.0), ExecutionPolicy::Signal).unwrap();
    let (early, last) = ((1_101.5 + 0.5) * 4.0, (1_109.0 + 2.0) * 5.0 + 1_109.0 + 3.0);
    near(got.shortfall_bps, 1e4 * ((early + last) / 10.0 / 1_100.0 - 1.0), "shortfall");
    // From 105 on nothing is cheap until 110: six parts that are due by then go at once, three follow, 114 is the last row.
    let late = execute(&parent(Side::Long, 105, 10.0), ExecutionPolicy::Signal).unwrap();
    let caught_up = (1_110.0 + 0.5) * 5.0 + 1_110.0 + 1.5;
    let then = (1_112.0 + 0.5) * 3.0 + 1_114.0 + 2.0;
    near(late.shortfall_bps, 1e4 * ((caught_up + then) / 10.0 / 1_105.0 - 1.0), "shortfall from 105 on");
}

#[test]
fn what_the_order_book_cannot_take_is_carried_on_and_what_is_left_is_not_filled() {
    let once = execute(&parent(Side::Long, 100, 11.0), ExecutionPolicy::Immediate).unwrap();
    assert!(once.fill_ratio.abs() < 1e-12 && once.shortfall_bps.is_none() && once.permanent_bps.is_none());
    assert_eq!(execute(&parent(Side::Long, -20, 1.0), ExecutionPolicy::Twap), Err(NoExecution::Rows));
    assert_eq!(execute(&parent(Side::Long, -5, 1.0), ExecutionPolicy::Twap), Err(NoExecution::Start(NoBook::Before)));
    assert_eq!(execute(&parent(Side::Long, 100, 0.0), ExecutionPolicy::Twap), Err(NoExecution::Quantity));
}

#[test]
fn policies_are_compared_over_the_same_parents_and_not_over_few() {
    let (rows, mut books) = (rows(2_600), books(3_200));
    let medians = CostMedians::of(&rows);
    let mut market = ExecutionMarket::new((&rows, &medians), &[], &mut books, Span::millis(250));
    let parents: Vec<_> =
        (0..250).map(|k| parent(if k % 2 == 0 { Side::Long } else { Side::Short }, 50 + k * 10, 4.0)).collect();
    let mut executed = Vec::new();
    let study = MeasuredParents::of(&mut market, &parents, &mut |done| executed.push(done));
    assert!(executed.iter().copied().eq(0..250));
    let mut in_pieces = MeasuredParents::default();
    for piece in parents.chunks(40) {
        let piece = MeasuredParents::of(&mut market, piece, &mut |_| {});
        let kept = serde_json::to_vec(&piece).unwrap();
        in_pieces.append(serde_json::from_slice(&kept).unwrap());
    }
    assert_eq!(in_pieces, study);
    let policies = study.policies(5.0, 1);
    assert_eq!((study.left_out.len(), policies.len()), (0, 3));
    let of = |policy| policies.iter().find(|p| p.policy == policy).unwrap();
    let itself = of(ExecutionPolicy::Twap).vs_twap.unwrap();
    assert!(itself.value.abs() < 1e-12 && itself.low.abs() < 1e-12 && itself.high.abs() < 1e-12);
    // Buyers run after a rising price, sellers gain by it: together only the spread is left, of which less is paid at once here.
    let at_once = of(ExecutionPolicy::Immediate);
    let band = at_once.vs_twap.unwrap();
    assert!(band.high < 0.0 && band.low < band.value && band.value < band.high, "{band:?}");
    let mean = |p| of(p).mean(|m| m.shortfall_bps).unwrap();
    assert!((mean(ExecutionPolicy::Immediate).0 - mean(ExecutionPolicy::Twap).0 - band.value).abs() < 1e-9);
    assert_eq!(at_once.mean(|m| m.vs_vwap_bps), None, "there were no trades");
    let few = compare(&at_once.parents[..199], &at_once.parents[..199], 5.0, 1);
    assert_eq!(few, Err(NoComparison::Parents { have: 199, needed: 200 }));
}
