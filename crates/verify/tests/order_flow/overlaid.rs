//! The rules of laying over (surveillance §9), over books of any kind and over what stands for a recording: a made market, handed on as a
//! recording of it would be.

use super::class;
use barograph_domain::depth::DepthLevel;
use barograph_domain::random::SplitMix;
use barograph_domain::{Pattern, Side, Span, Ts};
use barograph_engine::order_flow::{BookState, FlowInput, FlowLevel, FlowStream, FlowThresholds, RestingSide};
use barograph_verify::injected::acts::{LaidAct, LaidActs, LaidTrade, Substrate, lay_over};
use barograph_verify::injected::made::{MarketClass, play};
use barograph_verify::injected::recorded::{RecordedPlan, RecordedReport, RecordedTruth};
use barograph_verify::injected::{INTENSITIES, START};
use proptest::prelude::*;

/// A book that jumps from one state to any other.
struct AnyBook {
    bids: Vec<FlowLevel>,
    asks: Vec<FlowLevel>,
}

impl AnyBook {
    fn of((mid, gaps): &(i64, Vec<(i64, f64)>)) -> Self {
        let side = |sign: i64| {
            let mut at = *mid;
            let level = |(gap, qty): &(i64, f64)| {
                at += sign * gap;
                FlowLevel { units: at, qty: *qty }
            };
            gaps.iter().map(level).collect()
        };
        Self { bids: side(-1), asks: side(1) }
    }
    fn side(&self, side: RestingSide) -> &[FlowLevel] {
        if side == RestingSide::Bid { &self.bids } else { &self.asks }
    }
}

impl Substrate for AnyBook {
    fn best(&self, side: RestingSide) -> i64 {
        self.side(side)[0].units
    }
    fn last(&self, side: RestingSide) -> i64 {
        self.side(side).last().unwrap().units
    }
    fn tick(&self) -> i64 {
        1
    }
    fn lot(&self, qty: f64) -> f64 {
        qty
    }
    fn shift(&mut self, _up: bool) -> Option<FlowLevel> {
        None
    }
    fn takes_what_it_reaches(&self) -> bool {
        true
    }
}

fn books() -> impl Strategy<Value = Vec<(i64, Vec<(i64, f64)>)>> {
    let book = (90_000_i64..91_000, prop::collection::vec((1_i64..40, 0.01_f64..50.0), 3..25));
    prop::collection::vec(book, 1..20)
}

fn acts() -> impl Strategy<Value = Vec<(i64, LaidAct)>> {
    let side = prop::bool::ANY.prop_map(|bid| if bid { RestingSide::Bid } else { RestingSide::Ask });
    let act = prop_oneof![
        (0_u64..9, side.clone(), 0.0_f64..30.0, 0.01_f64..500.0).prop_map(|(id, side, bps, qty)| LaidAct::Post {
            id,
            side,
            bps,
            qty
        }),
        (0_u64..9).prop_map(|id| LaidAct::Pull { id }),
        (0_u64..9).prop_map(|id| LaidAct::PullBehind { id }),
        (0_u64..9, 0.0_f64..1.0).prop_map(|(id, part)| LaidAct::Fill { id, part }),
        (side, 0.1_f64..9.0).prop_map(|(took, qty)| LaidAct::Take { took, qty }),
        (prop::bool::ANY, 0.1_f64..9.0, 0_i64..3).prop_map(|(bought, qty, s)| LaidAct::Pair {
            bought,
            qty,
            gap: Span::secs(s)
        }),
        (prop::bool::ANY).prop_map(|up| LaidAct::Move { up, ticks: 7 }),
    ];
    prop::collection::vec((0_i64..20, act), 0..40)
}

/// One side as it is shown against what really rests: nothing less, in order, each price once, nothing behind what is known.
fn check_side(side: RestingSide, real: &[FlowLevel], shown: &[FlowLevel]) {
    let ordered = shown.windows(2).all(|w| side.is_better(w[0].units, w[1].units));
    assert!(ordered, "{side:?}: {shown:?}");
    for level in real {
        let over = shown.iter().find(|l| l.units == level.units);
        assert!(over.is_some_and(|l| l.qty >= level.qty), "{side:?}: {level:?} became {over:?}");
    }
    assert_eq!(shown.last().map(|l| l.units), real.last().map(|l| l.units), "{side:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is laid over whatever book: it is not crossed, nothing real is taken away, and trades are of some size.
    #[test]
    fn nothing_real_is_taken_away_and_nothing_crosses(books in books(), acts in acts()) {
        let at = |s: i64| START + Span::secs(s);
        let mut laid = LaidActs::of(acts.into_iter().map(|(s, act)| (at(s), act)).collect(), Vec::new());
        let (mut shown, mut trades) = ((Vec::new(), Vec::new()), Vec::<LaidTrade>::new());
        for (n, book) in books.iter().enumerate() {
            let mut book = AnyBook::of(book);
            laid.step(at(n as i64), &mut book, &mut trades);
            lay_over(BookState { bids: &book.bids, asks: &book.asks }, laid.orders(), &mut shown);
            check_side(RestingSide::Bid, &book.bids, &shown.0);
            check_side(RestingSide::Ask, &book.asks, &shown.1);
            prop_assert!(shown.0[0].units < shown.1[0].units, "crossed");
        }
        prop_assert!(trades.iter().all(|t| t.qty >= 0.0 && t.qty.is_finite()));
    }
}

/// Detectors judge from the second hour on: what is tested is how episodes are laid over, and not what a day is.
fn quick() -> FlowThresholds {
    let mut t = FlowThresholds::default();
    t.set("warm_hours", 2.0).unwrap();
    t
}

fn depth(levels: &[FlowLevel]) -> Vec<DepthLevel> {
    levels.iter().map(|l| DepthLevel { price: l.units as f64 / 100.0, size: l.qty }).collect()
}

/// Hands on a made market as its recording; the book is lost at these moments for a minute.
fn recorded(plan: RecordedPlan, length: Span, lost: &[Span]) -> RecordedReport {
    let class = MarketClass { step: Span::millis(240), ..class("thin") };
    let mut truth = RecordedTruth::new("made", plan, quick());
    truth.trades_begin();
    play(class, 11, length, &mut LaidActs::default(), |at, input| {
        let away = lost.iter().any(|from| at >= START + *from && at < START + *from + Span::mins(1));
        truth.passed(at);
        match input {
            FlowInput::Book(_) if away => truth.lost(FlowStream::Book),
            FlowInput::Book(state) => truth.book(at, &depth(state.bids), &depth(state.asks)),
            FlowInput::Trade { price, qty, aggressor_side } => {
                truth.trade(at, price, qty, aggressor_side == Some(Side::Long));
            }
            _ => {}
        }
    });
    truth.finish()
}

fn plan_of(pattern: Pattern, seed: u64) -> RecordedPlan {
    RecordedPlan { patterns: vec![pattern], intensities: INTENSITIES.to_vec(), episodes: usize::MAX, seed }
}

/// Episodes of every detector of books over five hours: ten minutes apart, sides balanced, more found the stronger they are.
#[test]
fn episodes_over_a_recording_keep_the_rules() {
    for pattern in [Pattern::Spoofing, Pattern::Layering, Pattern::QuoteStuffing] {
        let report = recorded(plan_of(pattern, 3), Span::hours(5), &[Span::mins(151), Span::mins(212)]);
        assert_eq!(report.rows.len(), 3);
        let mut recalls = Vec::new();
        for row in &report.rows {
            let counted = row.injections.iter().filter(|i| i.counts).count();
            assert!(counted >= 14, "{pattern:?}: {counted}");
            assert!(row.sides[0].abs_diff(row.sides[1]) <= 1, "{pattern:?}: {:?}", row.sides);
            assert_eq!(row.sides[0] + row.sides[1], counted);
            for two in row.injections.windows(2) {
                assert!(two[1].from - two[0].to >= Span::mins(10), "{pattern:?}: {two:?}");
                assert!(two.iter().all(|i| i.from >= START + Span::hours(1) && i.to >= i.from), "{two:?}");
            }
            recalls.push(row.row.score.recall().unwrap());
        }
        println!("{pattern:?}: {recalls:?} {:?}", report.rows[2].row.look_alikes);
        assert!(recalls.is_sorted(), "{pattern:?}: {recalls:?}");
        assert!(recalls[2] >= 0.7, "{pattern:?}: {recalls:?}");
        let [fired, of] = report.rows[2].row.look_alikes;
        assert!(of >= 5 && fired <= 1, "{pattern:?}: {fired} of {of}");
    }
}

/// Whenever the book is lost during an episode, that is no episode; and a seed decides everything.
#[test]
fn what_breaks_off_is_no_episode() {
    let minutes: Vec<Span> = (70..150).step_by(4).map(Span::mins).collect();
    let of = |seed| recorded(plan_of(Pattern::Layering, seed), Span::mins(160), &minutes);
    let report = of(3);
    let row = &report.rows[2];
    assert!(row.shortfall.interrupted > 0, "{:?}", row.shortfall);
    assert_eq!(row.injections.iter().filter(|i| !i.counts).count(), row.shortfall.interrupted + row.shortfall.not_made);
    assert_eq!(row.row.score.injections, row.sides[0] + row.sides[1]);
    assert!(of(3) == report, "the same seed gives the same");
    assert!(of(4).rows[2].injections != row.injections, "another one does not");
}

/// Pairs over the trades of some days: nothing before a day is known, whole hours, and more found the more there are.
#[test]
fn pairs_are_laid_over_recorded_trades() {
    let mut truth = RecordedTruth::new("made", plan_of(Pattern::WashTrading, 1), FlowThresholds::default());
    let (mut random, mut at) = (SplitMix::new(7), START);
    truth.trades_begin();
    while at < START + Span::days(5) {
        let level = |n: i64| DepthLevel { price: 100.0 + 0.01 * n as f64, size: 10.0 };
        truth.book(at, &[level(-1), level(-2), level(-3)], &[level(1), level(2), level(3)]);
        for n in 0..3 {
            // Half of twenty seconds: no two of them within one.
            let buy = random.unit() < 0.5;
            let qty = (1e4 * (0.01 + random.unit() * random.unit() * 3.0)).round() / 1e4;
            truth.trade(at + Span::secs(1 + 6 * n), if buy { 100.01 } else { 99.99 }, qty, buy);
        }
        at = at + Span::secs(20);
    }
    let report = truth.finish();
    let recalls: Vec<f64> = report.rows.iter().map(|r| r.row.score.recall().unwrap()).collect();
    println!("{recalls:?} of {}", report.rows[2].row.score.injections);
    assert!(recalls.is_sorted() && recalls[2] >= 0.4, "{recalls:?}");
    assert!(report.rows[2].row.score.injections >= 10, "{:?}", report.rows[2].row.score);
    for i in report.rows.iter().flat_map(|r| &r.injections) {
        assert!(i.from >= START + Span::days(1) && i.from == i.from.floor(Span::hours(1)), "{i:?}");
    }
    assert_eq!(report.states, 5 * 86_400 / 20);
    let funding = report.background.iter().find(|b| b.pattern == Pattern::FundingWindowPressure).unwrap();
    assert_eq!(funding.judged, Span::ZERO, "a recording of books and trades has no funding");
}

/// Nothing is known of a market that was not there.
#[test]
fn an_empty_recording_gives_nothing() {
    let report = RecordedTruth::new("none", plan_of(Pattern::Spoofing, 1), FlowThresholds::default()).finish();
    assert_eq!((report.states, report.trades, report.rows.len(), report.span), (0, 0, 0, None::<(Ts, Ts)>));
}
