//! The back-test as research §6 words it: which rows trade, when orders reach the order book, what every trade cost.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::{Side, Span, Ts};
use barograph_study::money::backtest::{
    BacktestFault, DeltaChoice, HoldRule, StanceSignal, UpProbability, backtest, choose_delta, delta_of_inner_split,
    moments, threshold,
};
use barograph_study::money::blotter::{FundingPayment, Stance, TradeTerms};
use barograph_study::money::books::{BookAt, NoBook, RecordedBooks};
use barograph_study::money::fees::TakerFee;
use barograph_study::money::fills::TakerBook;
use barograph_study::money::report::TradeReport;
use proptest::prelude::*;

fn at(s: i64) -> Ts {
    Ts::from_secs(s)
}

/// A order book a second around `mid`, its best levels `half` away, deep enough for everything.
fn books(seconds: i64, half: f64, mid: impl Fn(i64) -> f64) -> RecordedBooks {
    let book = |s| TakerBook::new([(mid(s) - half, 1e4)], [(mid(s) + half, 1e4)]).ok();
    RecordedBooks::new((0..seconds).map(|s| (at(s), book(s))).collect(), Span::secs(1))
}

fn terms(bps: f64) -> TradeTerms {
    TradeTerms::new(TakerFee::new("VIP 0", bps).unwrap())
}

fn rows(stances: &str) -> Vec<StanceSignal> {
    let stance = |c| match c {
        '+' => Stance::Long,
        '-' => Stance::Short,
        _ => Stance::Flat,
    };
    (0..).zip(stances.chars()).map(|(s, c)| StanceSignal { known_ts: at(s), stance: stance(c) }).collect()
}

fn holding(seconds: i64, renewed: bool) -> HoldRule {
    HoldRule { horizon: Span::secs(seconds), renewed }
}

/// Side, second of the decision to enter, second of that to leave.
fn held(report: &TradeReport) -> Vec<(char, i64, i64)> {
    let sign = |side| if side == Side::Long { '+' } else { '-' };
    let leave = |t: Ts| (t - Span::millis(250) - at(0)).as_secs();
    report.trips.iter().map(|t| (sign(t.held), (t.decided_at - at(0)).as_secs(), leave(t.exit_at))).collect()
}

#[test]
fn positions_are_held_do_not_overlap_and_are_renewed_by_the_same_side() {
    type Held<'a> = &'a [(char, i64, i64)];
    let cases: [(&str, bool, Held<'_>); 7] = [
        ("..+......", false, &[('+', 2, 5)]),
        ("+++++++..", false, &[('+', 0, 3), ('+', 3, 6), ('+', 6, 9)]),
        ("+++++++...", true, &[('+', 0, 9)]),
        ("+..-.....", true, &[('+', 0, 3), ('-', 3, 6)]),
        ("+..+..-..", true, &[('+', 0, 6), ('-', 6, 9)]),
        ("+--.+....", false, &[('+', 0, 3), ('+', 4, 7)]),
        (".........", true, &[]),
    ];
    for (stances, renewed, want) in cases {
        let mut books = books(20, 0.5, |_| 1_000.0);
        let report = backtest(&rows(stances), holding(3, renewed), &terms(5.0), &mut books, &[]).unwrap();
        assert_eq!(held(&report), want, "{stances} {renewed}");
        assert!(!report.unclosed);
    }
}

/// Worked numbers of research §12: taker 5 bps a side and a spread of 1 bp are 11 bps for a round trip.
#[test]
fn a_round_trip_at_five_basis_points_and_a_spread_of_one_costs_eleven() {
    let mut books = books(20, 0.05, |_| 1_000.0);
    let report = backtest(&rows("+....-....."), holding(5, false), &terms(5.0), &mut books, &[]).unwrap();
    assert_eq!(report.trips.len(), 2);
    assert!((report.avg_cost_bps().unwrap() - 11.0).abs() < 1e-3, "{:?}", report.avg_cost_bps());
    assert!((report.net_bps().unwrap() + 11.0).abs() < 1e-3 && report.break_even_cost_bps().unwrap().abs() < 1e-9);
}

#[test]
fn an_order_meets_the_order_book_of_its_arrival() {
    let mid = |s: i64| if s < 3 { 1_000.0 } else { 1_010.0 };
    for (latency, gross) in [(Span::millis(999), 100.0), (Span::secs(1), 0.0)] {
        let mut books = books(20, 0.5, mid);
        let terms = TradeTerms { latency, ..terms(0.0) };
        let report = backtest(&rows("..+......"), holding(3, false), &terms, &mut books, &[]).unwrap();
        let got = report.trips[0].gross() / report.trips[0].entry.quantity * 10.0;
        assert!((got - gross).abs() < 1e-9, "{latency:?}: {got}");
    }
}

#[test]
fn funding_is_paid_by_who_is_long_when_it_is_settled() {
    let payments = [FundingPayment { at: at(2), rate: 1e-3, mark: Some(1_000.0) }];
    for (stances, want) in [("+....", 10.0), ("-....", -10.0), ("...+.", 0.0)] {
        let mut books = books(20, 1e-9, |_| 1_000.0);
        let report = backtest(&rows(stances), holding(3, false), &terms(1.0), &mut books, &payments).unwrap();
        assert!((report.costs.funding - want).abs() < 1e-6, "{stances}: {:?}", report.costs);
    }
}

#[test]
fn what_cannot_be_traded_is_not_made_up() {
    let gap = |from: i64, to: i64| {
        let book = |s| (!(from..to).contains(&s)).then(|| TakerBook::new([(999.5, 1e4)], [(1_000.5, 1e4)]).ok());
        RecordedBooks::new((0..12).map(|s| (at(s), book(s).flatten())).collect(), Span::secs(1))
    };
    let run = |books: &mut RecordedBooks, notional| {
        let terms = TradeTerms { notional, ..terms(5.0) };
        backtest(&rows("+.........."), holding(3, false), &terms, books, &[]).unwrap()
    };
    let late = run(&mut gap(3, 6), 10_000.0);
    assert_eq!((held(&late), late.untraded.exits), (vec![('+', 0, 6)], 3), "left at the first row that can");
    let stuck = run(&mut gap(3, 12), 10_000.0);
    assert_eq!((stuck.trips.len(), stuck.unclosed, stuck.net().to_bits()), (0, true, 0));
    let missed = run(&mut gap(0, 1), 10_000.0);
    assert_eq!((missed.trips.len(), missed.untraded.entries_no_book), (0, 1));
    let large = run(&mut gap(0, 0), 1e9);
    assert_eq!((large.trips.len(), large.untraded.entries_depth), (0, 1));
}

#[test]
fn rows_and_terms_are_checked() {
    let mut source = books(5, 0.5, |_| 1_000.0);
    let mut run = |rows: &[StanceSignal], seconds, terms: &TradeTerms| {
        backtest(rows, holding(seconds, false), terms, &mut source, &[]).map(|_| ())
    };
    assert_eq!(run(&[], 3, &terms(5.0)), Err(BacktestFault::Empty));
    assert_eq!(run(&rows("+"), 0, &terms(5.0)), Err(BacktestFault::Terms));
    assert_eq!(run(&rows("+"), 3, &TradeTerms { notional: 0.0, ..terms(5.0) }), Err(BacktestFault::Terms));
    assert_eq!(run(&rows("+"), 3, &TradeTerms { latency: Span(-1), ..terms(5.0) }), Err(BacktestFault::Terms));
    let twice = [rows("+")[0], rows("+")[0]];
    assert_eq!(run(&twice, 3, &terms(5.0)), Err(BacktestFault::Order(at(0))));
}

#[test]
fn the_threshold_is_strict_and_chosen_where_it_is_told_to() {
    let probabilities: Vec<_> =
        (0..).zip([0.6, 0.61, 0.4, 0.39, 0.5]).map(|(s, p_up)| UpProbability { known_ts: at(s), p_up }).collect();
    let stances: Vec<_> = threshold(&probabilities, 0.1).iter().map(|s| s.stance).collect();
    // 0.5 − 0.1 is 0.4 and 0.5 + 0.1 is 0.6, also in doubles.
    assert_eq!(stances, [Stance::Flat, Stance::Long, Stance::Flat, Stance::Short, Stance::Flat]);
    let choice = |delta, net, tried| Some(DeltaChoice { delta, net, tried });
    assert_eq!(choose_delta(&[(0.01, Some(-0.1)), (0.05, Some(0.2)), (0.1, None)]), choice(0.05, 0.2, 3));
    assert_eq!(choose_delta(&[(0.3, Some(0.0)), (0.01, Some(0.0)), (0.2, Some(0.0))]), choice(0.3, 0.0, 3));
    assert_eq!(choose_delta(&[(0.3, None)]), None);
}

/// The price rises by 3 bps in the second half of every minute, and the forecast knows it; every trade costs more.
#[test]
fn a_threshold_that_trades_nothing_is_the_best_of_an_edge_below_its_costs() {
    let mid = |s: i64| 1_000.0 + if s % 60 < 30 { 0.0 } else { 0.3 };
    let inner: Vec<_> =
        (0..600).map(|s| UpProbability { known_ts: at(s), p_up: if s % 60 == 29 { 0.7 } else { 0.5 } }).collect();
    for (fee, delta) in [(0.2, 0.1), (5.0, 0.3)] {
        let mut books = books(700, 0.01, mid);
        let choice = delta_of_inner_split(&inner, &[0.1, 0.3], holding(5, false), &terms(fee), &mut books, &[]);
        assert_eq!(choice.map(|c| (c.delta, c.tried)), Ok((delta, 2)), "{fee}");
    }
}

/// Notes every moment that it is asked for.
struct Noted {
    moments: Vec<Ts>,
    books: RecordedBooks,
}

impl BookAt for Noted {
    fn book_at(&mut self, at: Ts) -> Result<&TakerBook, NoBook> {
        self.moments.push(at);
        self.books.book_at(at)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Gross less every cost is net; days add up to the trades; order books are asked for in order and as announced; trades of the
    /// first rows do not change when later rows come.
    #[test]
    fn the_books_balance(
        stances in prop::collection::vec(0_u8..3, 30..80), walk in prop::collection::vec(-20_i32..20, 120), horizon in 1_i64..9,
        renewed: bool, fee in 0.0_f64..10.0, lost in prop::collection::vec(0_u8..12, 120), cut in 1_usize..29,
    ) {
        let mids: Vec<f64> = walk.iter().scan(1_000.0, |mid, step| { *mid += 0.1 * f64::from(*step); Some(*mid) }).collect();
        let book = |k: usize| (lost[k] > 0).then(|| TakerBook::new(
            (0..3).map(|n| (mids[k] - 0.5 - f64::from(n), 4.0)), (0..3).map(|n| (mids[k] + 0.5 + f64::from(n), 4.0))).ok()).flatten();
        let source = || RecordedBooks::new((0..120).map(|k| (at(i64::try_from(k).unwrap()), book(k))).collect(), Span::secs(1));
        let rows: Vec<_> = (0..).zip(&stances).map(|(s, c)| StanceSignal {
            known_ts: at(s), stance: [Stance::Short, Stance::Flat, Stance::Long][usize::from(*c)] }).collect();
        let payments = [5, 17, 40].map(|s| FundingPayment { at: at(s), rate: 1e-4, mark: None });
        let (terms, holding) = (terms(fee), holding(horizon, renewed));
        let mut books = Noted { moments: Vec::new(), books: source() };
        let report = backtest(&rows, holding, &terms, &mut books, &payments).unwrap();
        let announced = moments(&rows, holding, terms.latency);
        prop_assert!(books.moments.iter().all(|at| announced.binary_search(at).is_ok()));
        prop_assert!(books.moments.is_sorted());
        let mut net = 0.0;
        for trip in &report.trips {
            prop_assert!((trip.gross() - trip.costs.total() - trip.net()).abs() < 1e-8, "{trip:?}");
            net += trip.net();
        }
        prop_assert!((report.net() * terms.notional - net).abs() < 1e-6);
        prop_assert!(report.trips.windows(2).all(|w| w[0].exit_at <= w[1].entry_at));
        prop_assert!((0.0..=1.0).contains(&report.exposure));
        let early = backtest(&rows[..cut], holding, &terms, &mut source(), &payments).unwrap();
        for (one, other) in early.trips.iter().zip(&report.trips) {
            if one.exit_at < rows[cut].known_ts {
                prop_assert_eq!(one, other);
            }
        }
    }
}
