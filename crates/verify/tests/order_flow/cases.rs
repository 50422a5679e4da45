//! One table of cases for each detector: the least that fires, and what each condition keeps from firing (surveillance §5).

use super::class;

use barograph_domain::alert::AlertChange;
use barograph_domain::{Pattern, Span, Ts};
use barograph_engine::order_flow::{FlowInput, FlowStream, FlowThresholds, OrderFlow, RestingSide};
use barograph_verify::injected::START;
use barograph_verify::injected::acts::{LaidAct as Act, LaidActs, LaidFlood};
use barograph_verify::injected::made::{MadeMarket, SCALE, play_on};
use barograph_verify::injected::usual::UsualSizes;
use barograph_verify::injected::weeks::{WeeksPlan, weeks};

/// What happens, and floods with their ends and rates; in seconds.
type Scene = (Vec<(f64, Act)>, Vec<(f64, f64, f64)>);

/// A market that is known for some hours, to go on from in each case.
struct Warm {
    market: MadeMarket,
    flow: OrderFlow,
    at: Ts,
    untouched: UsualSizes,
}

fn warm() -> Warm {
    let (class, seed, hours) = (class("thin"), 11, Span::mins(5 * 60 + 5));
    let (mut market, mut flow) = (MadeMarket::new(class, seed), OrderFlow::new(SCALE));
    let (t, mut out) = (FlowThresholds::default(), Vec::new());
    play_on(&mut market, START, hours, &mut LaidActs::default(), |at, input| flow.step(at, input, &t, &mut out));
    Warm { market, flow, at: START + hours, untouched: UsualSizes::measure(class, seed, Span::hours(1)) }
}

impl Warm {
    /// Does the pattern open within three minutes of this?
    fn fires(&self, pattern: Pattern, (acts, floods): Scene) -> bool {
        let (mut market, mut flow, mut out) = (self.market.clone(), self.flow.clone(), Vec::new());
        let after = |s: f64| self.at + Span((s * 1e9) as i64);
        let acts = acts.into_iter().map(|(s, act)| (after(s), act)).collect();
        let floods =
            floods.into_iter().map(|(from, to, rate)| LaidFlood { from: after(from), to: after(to), rate }).collect();
        let t = FlowThresholds::default();
        let mut injected = LaidActs::of(acts, floods);
        play_on(&mut market, self.at, Span::mins(3), &mut injected, |at, input| flow.step(at, input, &t, &mut out));
        out.iter().any(|a| a.pattern == pattern && a.change == AlertChange::Opened)
    }
}

/// Large orders: how many, how large (in what is large here), how far in bps, how long in s, what part trades, and how much the
/// other side trades (in what is much here).
#[derive(Clone, Copy)]
struct Large {
    orders: u64,
    size: f64,
    bps: f64,
    life: f64,
    trades: f64,
    opposite: f64,
    sides: [RestingSide; 2],
}

impl Large {
    fn acts(self, untouched: &UsualSizes) -> Vec<(f64, Act)> {
        let mut acts = Vec::new();
        for id in 0..self.orders {
            let (at, side) = (5.0 + 12.0 * id as f64, self.sides[id as usize % 2]);
            acts.push((at, Act::Post { id, side, bps: self.bps, qty: self.size * untouched.add_large }));
            let qty = self.opposite * untouched.opposite(self.life + 1.0).0;
            acts.push((at + 0.5 * self.life, Act::Take { took: side.opposite(), qty }));
            if self.trades > 0.0 {
                acts.push((at + 0.6 * self.life, Act::Fill { id, part: self.trades }));
            }
            acts.push((at + self.life, Act::Pull { id }));
        }
        acts
    }
}

#[test]
fn spoofing_by_its_conditions() {
    use RestingSide::{Ask, Bid};
    let base = Large { orders: 4, size: 2.0, bps: 8.0, life: 2.0, trades: 0.0, opposite: 3.0, sides: [Bid, Bid] };
    let cases = [
        ("four large bids are pulled while asks are taken", base, true),
        ("so are asks", Large { sides: [Ask, Ask], ..base }, true),
        ("two are not enough", Large { orders: 2, ..base }, false),
        ("nor are two of each side", Large { sides: [Bid, Ask], ..base }, false),
        ("they are not large", Large { size: 0.4, ..base }, false),
        ("they are too far away", Large { bps: 24.0, ..base }, false),
        ("they stay too long", Large { life: 6.5, ..base }, false),
        ("a good part of them trades", Large { trades: 0.6, ..base }, false),
        ("the other side does not trade", Large { opposite: 0.0, ..base }, false),
    ];
    let warm = warm();
    for (what, case, fires) in cases {
        let acts = (case.acts(&warm.untouched), Vec::new());
        assert_eq!(warm.fires(Pattern::Spoofing, acts), fires, "{what}");
    }
}

/// Stacks: how many, of how many prices, how long in s, how long it takes until all are gone, and what the other side trades.
#[derive(Clone, Copy)]
struct Stacked {
    stacks: u64,
    levels: u64,
    size: f64,
    life: f64,
    going: f64,
    opposite: f64,
}

impl Stacked {
    fn acts(self, untouched: &UsualSizes) -> Vec<(f64, Act)> {
        let mut acts = Vec::new();
        for stack in 0..self.stacks {
            let at = 5.0 + 30.0 * stack as f64;
            for level in 0..self.levels {
                let (id, side) = (100 * stack + level, RestingSide::Ask);
                let (bps, qty) = (4.0 + 2.4 * level as f64, self.size * untouched.add_stacked);
                acts.push((at, Act::Post { id, side, bps, qty }));
                acts.push((at + self.life + self.going * level as f64 / self.levels as f64, Act::Pull { id }));
            }
            let qty = self.opposite * untouched.opposite(self.life).1;
            acts.push((at + 0.5 * self.life, Act::Take { took: RestingSide::Bid, qty }));
        }
        acts
    }
}

#[test]
fn layering_by_its_conditions() {
    let base = Stacked { stacks: 3, levels: 4, size: 2.0, life: 4.0, going: 0.2, opposite: 3.0 };
    let cases = [
        ("three stacks come and go", base, true),
        ("one is not enough", Stacked { stacks: 1, ..base }, false),
        ("nor are two prices", Stacked { levels: 2, ..base }, false),
        ("they are not large", Stacked { size: 0.3, ..base }, false),
        ("they stay too long", Stacked { life: 10.5, ..base }, false),
        ("they go one by one", Stacked { going: 5.0, ..base }, false),
        ("the market does not answer", Stacked { opposite: 0.0, ..base }, false),
    ];
    let warm = warm();
    for (what, case, fires) in cases {
        let acts = (case.acts(&warm.untouched), Vec::new());
        assert_eq!(warm.fires(Pattern::Layering, acts), fires, "{what}");
    }
}

#[test]
fn quote_stuffing_by_its_conditions() {
    let warm = warm();
    let rate = warm.untouched.rate;
    let takes = |n: u32| {
        (0..n).map(move |k| (5.0 + 4.0 * f64::from(k) / f64::from(n), Act::Take { took: RestingSide::Ask, qty: 0.01 }))
    };
    let moves = (0..12).map(|k| (5.3 + 0.4 * f64::from(k), Act::Move { up: k % 4 < 2, ticks: 2 }));
    let cases = [
        ("four seconds of many times the usual updates", Vec::new(), vec![(5.0, 9.0, 2.0 * rate)], true),
        ("half of a second is none", Vec::new(), vec![(5.2, 5.7, 2.0 * rate)], false),
        ("no more than usual", Vec::new(), vec![(5.0, 9.0, 0.02 * rate)], false),
        ("it trades as well", takes(80).collect(), vec![(5.0, 9.0, 2.0 * rate)], false),
        ("the price moves", moves.collect(), vec![(5.0, 9.0, 2.0 * rate)], false),
    ];
    for (what, acts, floods, fires) in cases {
        assert_eq!(warm.fires(Pattern::QuoteStuffing, (acts, floods)), fires, "{what}");
    }
}

/// An episode waits while a stream is lost, and nothing is found on a feed that is too slow.
#[test]
fn a_lost_stream_suspends_and_a_slow_one_is_no_feed() {
    let warm = warm();
    let large =
        Large { orders: 4, size: 2.0, bps: 8.0, life: 2.0, trades: 0.0, opposite: 3.0, sides: [RestingSide::Bid; 2] };
    for slow in [false, true] {
        let (mut market, mut flow, mut out) = (warm.market.clone(), warm.flow.clone(), Vec::new());
        let after = |s: f64| warm.at + Span((s * 1e9) as i64);
        let acts = large.acts(&warm.untouched).into_iter().map(|(s, act)| (after(s), act)).collect();
        let (t, mut injected, mut n) = (FlowThresholds::default(), LaidActs::of(acts, Vec::new()), 0);
        // Whether a feed is slow is a matter of its last hour.
        let before = if slow { Span::mins(70) } else { Span::ZERO };
        let mut each = |flow: &mut OrderFlow, at: Ts, input: FlowInput<'_>| {
            n += 1;
            if !slow || !matches!(input, FlowInput::Book(_)) || n % 3 == 0 {
                flow.step(at, input, &t, &mut out);
            }
        };
        if slow {
            play_on(&mut market, warm.at, before, &mut LaidActs::default(), |at, input| each(&mut flow, at, input));
        } else {
            play_on(&mut market, warm.at, Span::mins(2), &mut injected, |at, input| each(&mut flow, at, input));
            flow.step(warm.at + Span::mins(2), FlowInput::Lost(FlowStream::Book), &t, &mut out);
            flow.step(warm.at + Span::mins(3), FlowInput::Tick, &t, &mut out);
            play_on(&mut market, warm.at + Span::mins(3), Span::mins(9), &mut LaidActs::default(), |at, input| {
                flow.step(at, input, &t, &mut out);
            });
        }
        let of = |a: &&barograph_domain::Alert| a.pattern == Pattern::Spoofing;
        let changes: Vec<AlertChange> =
            out.iter().filter(of).map(|a| a.change).filter(|c| *c != AlertChange::Updated).collect();
        use AlertChange::{Closed, Opened, Resumed, Suspended};
        assert_eq!(changes, if slow { vec![] } else { vec![Opened, Suspended, Resumed, Closed] });
        // After the loss of a slow feed there is nothing to judge; of the fast one there is again.
        assert_eq!(flow.is_offered(&t), !slow);
    }
}

#[test]
fn hours_and_days_by_their_conditions() {
    let patterns =
        [(Pattern::WashTrading, 3, 8), (Pattern::PumpAndDump, 8, 11), (Pattern::FundingWindowPressure, 2, 5)];
    for (pattern, warm, days) in patterns {
        for (look_alikes, fires) in [(false, true), (true, false)] {
            let (episodes, seed, trades) = (u64::MAX, 4, 1_200.0);
            let plan = WeeksPlan { pattern, intensity: 2.0, look_alikes, episodes, warm, days, seed, trades };
            let (injections, alerts) = weeks(plan, &FlowThresholds::default(), &mut || {});
            let opened = alerts.iter().filter(|a| a.pattern == pattern && a.change == AlertChange::Opened).count();
            assert!(injections.len() >= 9, "{pattern:?}: {}", injections.len());
            assert_eq!(opened > injections.len() / 2, fires, "{pattern:?}: {opened} of {}", injections.len());
            assert!(
                fires || opened <= injections.len() / 9,
                "{pattern:?}: {opened} look-alikes of {}",
                injections.len()
            );
        }
    }
}
