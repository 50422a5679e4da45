//! Properties of levels over seeded bars: what was said is never changed, however the bars come; mirrored and scaled prices
//! give mirrored and scaled levels; clusters, blocks and density levels follow their definitions.
#![expect(clippy::float_cmp, reason = "equal means equal here")]

use crate::support;
use barograph_domain::{LevelType, Span, Ts};
use barograph_engine::features::bars::BuiltBar;
use barograph_engine::liquidity::profile::Profile;
use barograph_engine::liquidity::{
    BlockRule, BreakKind, ClusterMethod, ClusterPeaks, Face, Happening, LEVELS_MAX, LevelHappening, LevelSink,
    Liquidity, Named, Reaction, Record, StructureBreak, TimeframeOptions, density,
};
use std::collections::BTreeMap;
use support::Random;

/// Seeded bars in ticks, with holes, calm and wild stretches.
fn bars(seed: u64, count: i64, tick: f64) -> Vec<BuiltBar> {
    let mut r = Random(seed);
    let mut price = 10_000.0_f64;
    let on = |x: f64| (x / tick).round() * tick;
    let mut out = Vec::new();
    for index in 1_000..1_000 + count {
        let wild = if (index / 300) % 3 == 2 { 3.0 } else { 1.0 };
        let open = price;
        price = on(price * (1.0 + 0.002 * wild * r.normal()));
        let high = on(open.max(price) * (1.0 + 0.001 * wild * r.unit()));
        let low = on(open.min(price) * (1.0 - 0.001 * wild * r.unit()));
        let volume = Some(1.0 + (r.unit() * 100.0).floor());
        // A hole now and then: the next bar stands alone.
        if r.unit() > 0.004 {
            out.push(BuiltBar { index, open, high, low, close: price, volume, quote_volume: None });
        }
    }
    out
}

#[derive(Default, Clone, PartialEq, Debug)]
struct Heard {
    changes: Vec<LevelHappening>,
    breaks: Vec<StructureBreak>,
    reactions: Vec<Reaction>,
}

impl LevelSink for Heard {
    fn level(&mut self, change: &LevelHappening) {
        self.changes.push(*change);
    }
    fn structure(&mut self, broke: &StructureBreak) {
        self.breaks.push(*broke);
    }
    fn reaction(&mut self, ended: &Reaction) {
        self.reactions.push(*ended);
    }
}

fn known_at(bar: &BuiltBar) -> Ts {
    Ts(bar.index * Span::mins(15).0) + Span::secs(2)
}

fn run(levels: &mut Liquidity, bars: &[BuiltBar]) -> Heard {
    let mut heard = Heard::default();
    for bar in bars {
        levels.push(bar, known_at(bar), &mut heard);
    }
    heard
}

/// The kinds of choice there are.
fn choices() -> [(&'static str, TimeframeOptions); 4] {
    let base = TimeframeOptions::default();
    [
        ("default", base),
        ("swings", TimeframeOptions { cluster_peaks: ClusterPeaks::Swings, swing_left: 3, swing_right: 4, ..base }),
        ("kde", TimeframeOptions { cluster_method: ClusterMethod::Kde, ..base }),
        (
            "extreme",
            TimeframeOptions {
                block_rule: BlockRule::Extreme,
                half_life: 30.0,
                exponents: [1.0, 0.5, 2.0],
                fvg_min_atr: 0.1,
                ..base
            },
        ),
    ]
}

/// Without the key, which only tells records of one engine apart.
fn shown(levels: &Liquidity) -> Vec<Record> {
    levels.levels().map(|r| Record { key: 0, ..levels.ranked(r) }).collect()
}

#[test]
fn a_longer_history_says_the_same_about_its_beginning() {
    let bars = bars(3, 3_000, 1.0);
    for (name, options) in choices() {
        let whole = run(&mut Liquidity::new(options), &bars);
        assert!(whole.changes.len() > 3_000 && whole.breaks.len() > 100, "{name}: {}", whole.changes.len());
        let mut rewritten = 0;
        for cut in [1, 5, 77, 500, 1_313, 2_900] {
            let part = run(&mut Liquidity::new(options), &bars[..cut]);
            rewritten += part.changes.iter().zip(&whole.changes).filter(|(a, b)| a != b).count();
            let upto = |b: i64| b <= bars[cut - 1].index;
            assert_eq!(part.changes.len(), whole.changes.iter().take_while(|c| upto(c.bar)).count(), "{name} {cut}");
            assert_eq!(part.breaks[..], whole.breaks[..part.breaks.len()], "{name} {cut}");
            assert_eq!(part.reactions[..], whole.reactions[..part.reactions.len()], "{name} {cut}");
        }
        assert_eq!(rewritten, 0, "{name}");
    }
}

#[test]
fn saving_and_restoring_equals_never_having_stopped() {
    let bars = bars(4, 1_500, 1.0);
    for (name, options) in choices() {
        let mut never = Liquidity::new(options);
        let whole = run(&mut never, &bars);
        let mut levels = Liquidity::new(options);
        let mut heard = Heard::default();
        for piece in bars.chunks(37) {
            let bytes = serde_json::to_vec(&levels).unwrap();
            levels = serde_json::from_slice(&bytes).unwrap();
            let next = run(&mut levels, piece);
            heard.changes.extend(next.changes);
            heard.breaks.extend(next.breaks);
            heard.reactions.extend(next.reactions);
        }
        assert_eq!(heard, whole, "{name}");
        assert_eq!(shown(&levels), shown(&never), "{name}");
    }
}

/// A gap may have to be as wide as a share of the usual range: what is exactly that wide is one, nothing is before that range is
/// known.
#[test]
fn a_gap_is_as_wide_as_it_has_to_be() {
    let bar = |index: i64, [open, high, low, close]: [f64; 4]| BuiltBar {
        index,
        open,
        high,
        low,
        close,
        volume: None,
        quote_volume: None,
    };
    for (flat, fvg_min_atr, want) in [(20, 0.5, 1), (20, 0.51, 0), (20, 0.0, 1), (3, 0.5, 0), (3, 0.0, 1)] {
        // Every true range is 4; between the outer ones of the last three bars lie 2.
        let mut prices = vec![[103.0, 104.0, 100.0, 102.0]; flat];
        prices.extend([[103.0, 106.0, 102.0, 105.0], [106.0, 109.0, 106.0, 108.0]]);
        let up: Vec<BuiltBar> = (1_000..).zip(prices).map(|(index, prices)| bar(index, prices)).collect();
        let turned = |b: &BuiltBar| bar(b.index, [b.open, b.low, b.high, b.close].map(|price| 200.0 - price));
        let down: Vec<BuiltBar> = up.iter().map(turned).collect();
        for (bars, kind) in [(up, LevelType::BullishFvg), (down, LevelType::BearishFvg)] {
            let options = TimeframeOptions { fvg_min_atr, ..TimeframeOptions::default() };
            let heard = run(&mut Liquidity::new(options), &bars);
            let found = heard.changes.iter().filter(|c| c.record.kind == kind).count();
            assert_eq!(found, want, "{kind:?} after {flat} bars, {fvg_min_atr} of the range");
        }
    }
}

#[test]
fn a_bar_that_is_not_newer_changes_nothing() {
    let bars = bars(5, 300, 1.0);
    let mut levels = Liquidity::new(TimeframeOptions::default());
    run(&mut levels, &bars);
    let before = serde_json::to_string(&levels).unwrap();
    assert_eq!(run(&mut levels, &bars[100..]), Heard::default());
    assert_eq!(serde_json::to_string(&levels).unwrap(), before);
}

#[test]
fn whoever_listens_changes_nothing() {
    let bars = bars(6, 2_500, 1.0);
    for (name, options) in choices() {
        let options = TimeframeOptions { reactions: false, ..options };
        let (mut heard, mut alone) = (Liquidity::new(options), Liquidity::new(options));
        run(&mut heard, &bars);
        bars.iter().for_each(|bar| alone.push(bar, known_at(bar), &mut ()));
        // A rank that waited does not know its moment from one that did not.
        assert_eq!(shown(&heard), shown(&alone), "{name}");
    }
}

/// A level lives ten half-lives, a cluster grows out of older ones and a density out of 200 swings: a run that has seen all
/// that has the same levels as one that has seen more.
#[test]
fn any_start_agrees_after_the_longest_memory() {
    let bars = bars(7, 4_500, 1.0);
    for (name, options) in choices() {
        let options = TimeframeOptions { half_life: 20.0, ..options };
        let (mut long, mut short) = (Liquidity::new(options), Liquidity::new(options));
        run(&mut long, &bars);
        run(&mut short, &bars[1_500..]);
        assert!(!long.is_partial() && !short.is_partial());
        let without = |mut all: Vec<Record>| {
            all.iter_mut().for_each(|r| r.moment = 0);
            all
        };
        let (a, b) = (without(shown(&long)), without(shown(&short)));
        assert!(a.len() > 20);
        assert_eq!(a, b, "{name}");
    }
}

fn mirrored(kind: LevelType) -> LevelType {
    use LevelType as L;
    match kind {
        L::EqualHighs => L::EqualLows,
        L::EqualLows => L::EqualHighs,
        L::BullishOb => L::BearishOb,
        L::BearishOb => L::BullishOb,
        L::BullishFvg => L::BearishFvg,
        L::BearishFvg => L::BullishFvg,
        L::SwingHigh => L::SwingLow,
        L::SwingLow => L::SwingHigh,
        L::SessionHigh => L::SessionLow,
        L::SessionLow => L::SessionHigh,
        L::PrevDayHigh => L::PrevDayLow,
        L::PrevDayLow => L::PrevDayHigh,
        L::VolumeNode | L::LiquidationZone => kind,
    }
}

/// One bar's changes may come in another order, so they are compared bar by bar.
fn by_bar(changes: impl Iterator<Item = LevelHappening>) -> BTreeMap<i64, Vec<String>> {
    let mut all: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for c in changes {
        let r = Record { key: 0, ..c.record };
        all.entry(c.bar).or_default().push(format!("{:?} {r:?}", c.what));
    }
    all.values_mut().for_each(|v| v.sort());
    all
}

#[test]
fn reflected_prices_swap_highs_and_lows() {
    let bars = bars(8, 2_000, 1.0);
    // Reflection in zero keeps relative distances, so clusters are the same to the bit.
    let flip = |b: &BuiltBar| BuiltBar { open: -b.open, high: -b.low, low: -b.high, close: -b.close, ..*b };
    let reflected: Vec<BuiltBar> = bars.iter().map(flip).collect();
    for (name, options) in choices().into_iter().filter(|(n, _)| *n != "kde") {
        let straight = run(&mut Liquidity::new(options), &bars);
        let turned = run(&mut Liquidity::new(options), &reflected);
        let back = turned.changes.iter().map(|c| {
            let r = c.record;
            let record = Record {
                kind: mirrored(r.kind),
                price: -r.price,
                top: -r.bottom,
                bottom: -r.top,
                named: -r.named,
                ..r
            };
            LevelHappening { record, ..*c }
        });
        let (a, b) = (by_bar(straight.changes.iter().copied()), by_bar(back));
        assert_eq!(a.len(), b.len(), "{name}");
        for (bar, said) in &a {
            assert_eq!(Some(said), b.get(bar), "{name}, bar {bar}");
        }
        assert_eq!(straight.breaks.len(), turned.breaks.len(), "{name}");
    }
}

#[test]
fn prices_in_another_unit_give_the_same_levels_in_that_unit() {
    let bars = bars(9, 2_000, 1.0);
    // A power of two is exact, so nothing is rounded otherwise.
    let scaled = |b: &BuiltBar| BuiltBar {
        open: b.open * 0.25,
        high: b.high * 0.25,
        low: b.low * 0.25,
        close: b.close * 0.25,
        volume: b.volume.map(|v| v * 8.0),
        ..*b
    };
    let small: Vec<BuiltBar> = bars.iter().map(scaled).collect();
    for (name, options) in choices() {
        let (mut a, mut b) = (Liquidity::new(options), Liquidity::new(options));
        let (straight, other) = (run(&mut a, &bars), run(&mut b, &small));
        assert_eq!(straight.changes.len(), other.changes.len(), "{name}");
        for (x, y) in straight.changes.iter().zip(&other.changes) {
            assert_eq!((x.what, x.record.kind, x.record.touches), (y.what, y.record.kind, y.record.touches), "{name}");
            assert!((x.record.price * 0.25 - y.record.price).abs() < 1e-9, "{name}");
            assert_eq!(x.record.rank, y.record.rank, "{name}");
        }
    }
}

#[test]
fn stamps_are_ordered_and_set_once() {
    let bars = bars(10, 3_000, 1.0);
    for (name, options) in choices() {
        let mut seen: BTreeMap<u32, Record> = BTreeMap::new();
        for c in run(&mut Liquidity::new(options), &bars).changes {
            let r = c.record;
            assert!(r.bottom <= r.price && r.price <= r.top, "{name} {r:?}");
            assert!(r.formed <= r.confirmed && r.known_at >= Ts(r.confirmed * Span::mins(15).0), "{name} {r:?}");
            for later in [r.touched, r.mitigated, r.swept].into_iter().flatten() {
                assert!(later > r.confirmed, "{name} {r:?}");
            }
            let Some(before) = seen.insert(r.key, r) else {
                assert_eq!((c.what, r.revision, r.touches), (Happening::Known, 1, 0), "{name}");
                continue;
            };
            assert!(before.mitigated.is_none(), "{name}: after its end {c:?}");
            let same = (r.kind, r.formed, r.confirmed, r.named)
                == (before.kind, before.formed, before.confirmed, before.named);
            assert!(same, "{name} {before:?} {r:?}");
            let kept = |a: Option<i64>, b: Option<i64>| a.is_none() || a == b;
            assert!(kept(before.touched, r.touched) && kept(before.swept, r.swept), "{name} {before:?} {r:?}");
            if c.what == Happening::Revised {
                assert_eq!(r.revision, before.revision + 1, "{name}");
            } else {
                assert_eq!(
                    (r.revision, r.price, r.top, r.bottom, r.known_at),
                    (before.revision, before.price, before.top, before.bottom, before.known_at)
                );
            }
        }
        let revised = seen.values().filter(|r| r.revision > 1).count();
        assert!(revised > 10, "{name}: {revised} of {} were revised", seen.len());
    }
}

/// A bar at a whole price with wicks where they are wanted.
fn bar(index: i64, open: f64, high: f64, low: f64, close: f64) -> BuiltBar {
    BuiltBar { index, open, high, low, close, volume: Some(1.0), quote_volume: None }
}

#[test]
fn a_cluster_grows_by_revisions_and_is_swept_and_broken() {
    let flat = |i| bar(i, 1_000.0, 1_000.2, 999.8, 1_000.0);
    let peak = |i, high| bar(i, 1_000.0, high, 999.8, 1_000.0);
    let bars = [
        flat(1),
        peak(2, 1_005.0),
        flat(3),
        peak(4, 1_005.4),
        flat(5),
        peak(6, 1_005.2),
        flat(7),
        flat(8),
        peak(9, 1_005.1),
        flat(10),
        bar(11, 1_000.0, 1_005.6, 999.8, 1_005.0),
        bar(12, 1_005.0, 1_006.0, 1_004.0, 1_005.9),
    ];
    let heard = run(&mut Liquidity::new(TimeframeOptions::default()), &bars);
    let equal: Vec<_> = heard.changes.iter().filter(|c| c.record.kind == LevelType::EqualHighs).collect();
    let said: Vec<_> = equal.iter().map(|c| (c.bar, c.what, c.record.revision, c.record.members)).collect();
    use Happening as H;
    // The peak at bar 4 is two bars after the first, too near; the one at bar 6 makes the level, known at bar 7.
    assert_eq!(
        said,
        [
            (7, H::Known, 1, 2),
            (9, H::Touched, 1, 2), // the next member itself
            (10, H::Revised, 2, 3),
            (11, H::Touched, 2, 3),
            (11, H::Swept, 2, 3),
            (12, H::Touched, 2, 3),
            (12, H::Mitigated { broken: true }, 2, 3),
        ]
    );
    let (first, revised) = (equal[0].record, equal[2].record);
    assert_eq!((first.formed, first.bottom, first.top), (2, 1_005.0, 1_005.2));
    assert_eq!((first.named, revised.named), (1_005.0, 1_005.0));
    assert!((revised.price - 1_005.1).abs() < 1e-9);
    let of = Named { instrument: "venue:X", timeframe: Span::hours(1), tick: Some(0.1) };
    assert_eq!(of.id(&first), of.id(&revised));
    assert_ne!(of.id(&first), Named { instrument: "venue:Y", ..of }.id(&first));
    let level = revised.to_level(&of, 10, &TimeframeOptions::default());
    assert_eq!((level.formed_at, level.confirmed_at), (Ts(0) + Span::hours(2), Ts(0) + Span::hours(7)));
    assert_eq!((level.revision, level.level_id.len(), level.known_at), (2, 36, known_at(&bars[9])));
}

/// The order block of each break, found by looking at all bars again.
#[test]
fn order_blocks_are_the_bars_of_their_definition() {
    let bars: Vec<BuiltBar> = bars(11, 2_000, 1.0);
    for rule in [BlockRule::LastOpposite, BlockRule::Extreme] {
        let heard =
            run(&mut Liquidity::new(TimeframeOptions { block_rule: rule, ..TimeframeOptions::default() }), &bars);
        let mut found = 0;
        for b in &heard.breaks {
            let up = b.face == Face::High;
            let between: Vec<&BuiltBar> = bars.iter().filter(|x| x.index > b.swing.bar && x.index < b.bar).collect();
            let want = match rule {
                BlockRule::LastOpposite => {
                    between.iter().rfind(|x| if up { x.close < x.open } else { x.close > x.open }).copied()
                }
                BlockRule::Extreme => between
                    .iter()
                    .rev()
                    .min_by(|x, y| if up { x.low.total_cmp(&y.low) } else { y.high.total_cmp(&x.high) })
                    .copied(),
            };
            let kind = if up { LevelType::BullishOb } else { LevelType::BearishOb };
            let got = heard
                .changes
                .iter()
                .find(|c| c.bar == b.bar && c.record.kind == kind && c.what == Happening::Known)
                .map(|c| (c.record.formed, c.record.bottom, c.record.top));
            assert_eq!(got, want.map(|x| (x.index, x.low, x.high)), "{rule:?} {b:?}");
            found += usize::from(got.is_some());
        }
        assert!(found > 100 && heard.breaks.iter().any(|b| b.kind == BreakKind::Choch), "{rule:?}: {found}");
    }
}

#[test]
fn the_number_of_levels_is_bounded() {
    // Ever lower highs and lows: every high stays unbroken.
    let mut levels = Liquidity::new(TimeframeOptions { half_life: 1e6, ..TimeframeOptions::default() });
    let mut known = 0;
    for i in 0..6_000_i32 {
        let price = 1e6 - f64::from(i) * 10.0 + if i % 4 == 0 { 25.0 } else { 0.0 };
        let mut heard = Heard::default();
        levels.push(&bar(i64::from(i), price + 1.0, price + 3.0, price - 3.0, price), Ts(i64::from(i)), &mut heard);
        known += heard.changes.iter().filter(|c| c.what == Happening::Known).count();
    }
    assert!(known > LEVELS_MAX, "{known}");
    assert_eq!(levels.levels().count(), LEVELS_MAX);
    let oldest = levels.levels().map(|r| r.confirmed).min().unwrap();
    assert!(oldest > 1_000, "the longest confirmed go first: {oldest}");
}

#[test]
fn density_counts_near_strong_levels_of_its_side_only() {
    let mut levels = Liquidity::new(TimeframeOptions::default());
    run(&mut levels, &bars(12, 1_000, 1.0));
    let price = bars(12, 1_000, 1.0).last().unwrap().close;
    let reach = 300.0;
    for face in Face::BOTH {
        let by_hand: f64 = levels
            .levels()
            .filter(|r| Face::of(r.kind) == Some(face) && density::counts(r.kind))
            .filter_map(|r| {
                let d = if face == Face::Low { price - r.top } else { r.bottom - price };
                (0.0..=reach).contains(&d).then(|| levels.strength(r) * (1.0 - d / reach))
            })
            .sum();
        let got = density::of_levels(&levels, price, reach, face);
        assert!((got - by_hand).abs() < 1e-12 && got > 0.0, "{face:?}: {got}, by hand {by_hand}");
    }
    let price = 10_000.0;
    let zone = density::Zone { face: Face::Low, top: 9_900.0, bottom: 9_890.0, strength: 0.6 };
    assert!((density::of_zones(&[zone], price, 200.0, Face::Low) - 0.3).abs() < 1e-12);
    assert_eq!(density::of_zones(&[zone], price, 200.0, Face::High), 0.0);
}

#[test]
fn nodes_of_a_day_replace_those_of_the_day_before() {
    let mut levels = Liquidity::new(TimeframeOptions::default());
    run(&mut levels, &bars(13, 60, 1.0));
    let profile = |at: usize| {
        let mut volumes = vec![1.0; 20];
        volumes[at] = 30.0;
        let mut nodes = Vec::new();
        Profile::of_bins(10.0, 9_900.0, volumes, 1_440).nodes(1_060, &mut nodes);
        nodes
    };
    let mut heard = Heard::default();
    levels.replace_nodes(&profile(3), Ts(5), &mut heard);
    levels.replace_nodes(&profile(9), Ts(6), &mut heard);
    let said: Vec<_> = heard.changes.iter().map(|c| (c.what, c.record.price, c.known_at)).collect();
    use Happening as H;
    assert_eq!(
        said,
        [(H::Known, 9_930.0, Ts(5)), (H::Mitigated { broken: false }, 9_930.0, Ts(6)), (H::Known, 9_990.0, Ts(6)),]
    );
    assert_eq!(levels.levels().filter(|r| r.kind == LevelType::VolumeNode).count(), 1);
}
