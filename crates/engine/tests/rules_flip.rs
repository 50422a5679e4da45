//! Flips and exits are exact (regimes §10.1): what is reported changes the label, and nothing smaller does. Books, rows,
//! percentile windows and histories are random; ranks are recomputed from the window, never taken from the cuts.

use crate::rules_common;
use barograph_domain::snapshot::Flip;
use barograph_domain::{Cell, Kind, Reason, RiskRegime, Span, State};
use barograph_engine::catalogue::Feature;
use barograph_engine::rules::{
    RiskAxis, RuleBook, Scene, Staleness, apply_exit, apply_flip, cut, evaluate, nearest_changes, nearest_exit,
    nearest_flip, rank_of, with_override,
};
use proptest::prelude::*;
use rules_common::{feature, minute, row, shipped};

/// A row with the percentile windows behind it.
#[derive(Clone, Debug)]
struct World {
    book: RuleBook,
    cells: Vec<Cell>,
    /// Percentile feature and the other values of its window, ascending.
    windows: Vec<(Feature, Vec<f64>)>,
}

impl World {
    fn cuts(&self) -> Vec<Option<f64>> {
        let of = |p: Feature| self.windows.iter().find(|(f, _)| *f == p).map(|(_, w)| w.as_slice());
        self.book
            .cuts()
            .iter()
            .map(|r| {
                let ready = self.cells[r.percentile.index()].ready().is_some();
                of(r.percentile).filter(|_| ready).and_then(|w| cut(w, r.op, r.theta))
            })
            .collect()
    }
    /// The row with one feature changed and its percentiles ranked anew.
    fn with(&self, feature: Feature, x: f64) -> Vec<Cell> {
        let mut cells = self.cells.clone();
        cells[feature.index()].value = x;
        for (percentile, window) in &self.windows {
            if percentile.spec().ranks == Some(feature) {
                cells[percentile.index()].value = rank_of(window, x);
            }
        }
        cells
    }
    fn label_with(&self, feature: Feature, x: f64) -> RiskRegime {
        evaluate::<RiskRegime>(&self.book, &self.with(feature, x)).raw
    }
}

const NUMBERS: [&str; 6] =
    ["funding_zscore_24h", "oi_delta_4h", "oi_delta_1h", "realized_vol_1h", "realized_vol_4h", "funding_rate_8h"];
const PERCENTILES: [&str; 4] =
    ["funding_pct_30d", "oi_delta_4h_pct_90d", "realized_vol_1h_pct_90d", "realized_vol_4h_pct_90d"];

/// Thresholds and readings share one small grid, so that ties and exact hits happen.
fn grid(id: &str) -> BoxedStrategy<f64> {
    let scale = feature(id).spec().scale.unwrap_or(1.0);
    let low = if id.starts_with("realized_vol") { 0 } else { -4 };
    (low..=8_i32).prop_map(move |k| f64::from(k) * scale * 0.5).boxed()
}

fn clause() -> BoxedStrategy<String> {
    let ops = || prop::sample::select(vec![">", ">=", "<", "<="]);
    let number = prop::sample::select(NUMBERS.to_vec()).prop_flat_map(move |id| {
        (grid(id), ops(), any::<bool>()).prop_map(move |(value, op, abs)| {
            format!("{{ feature = \"{id}\", abs = {abs}, op = \"{op}\", value = {value:?} }}")
        })
    });
    let ops = || prop::sample::select(vec![">", ">=", "<", "<="]);
    let rank =
        (prop::sample::select(PERCENTILES.to_vec()), 1..20_i32, ops(), 0..4_u8).prop_map(|(id, k, op, warming)| {
            let warming = match warming {
                0 => String::new(),
                1 => ", warming = true".to_owned(),
                2 => ", warming = false".to_owned(),
                _ => ", warming = { feature = \"oi_delta_4h\", op = \">\", value = 0.1 }".to_owned(),
            };
            format!("{{ feature = \"{id}\", op = \"{op}\", value = {:?}{warming} }}", f64::from(k) * 0.05)
        });
    prop_oneof![3 => number, 2 => rank].boxed()
}

fn book() -> impl Strategy<Value = RuleBook> {
    let member = prop_oneof![
        2 => clause(),
        1 => prop::collection::vec(clause(), 1..4).prop_map(|c| format!("{{ any = [{}] }}", c.join(", "))),
    ];
    let rule =
        (prop::collection::vec(member, 1..4), 1..4_u8, prop::sample::select(vec!["\"immediate\"", "1", "2", "3"]));
    (prop::collection::vec(rule, 1..5), any::<bool>())
        .prop_map(|(rules, hysteresis)| {
            let mut text = format!("name = \"random\"\nhysteresis = {hysteresis}\n");
            for (i, (members, label, enter)) in rules.iter().enumerate() {
                let label = ["CHOP_RISK", "SQUEEZE_RISK", "HIGH_VOL"][usize::from(*label) - 1];
                text += &format!(
                    "[[rule]]\nid = \"r{i}\"\nlabel = \"{label}\"\nenter = {enter}\nall = [{}]\n",
                    members.join(", ")
                );
            }
            text
        })
        .prop_filter_map("a sound book", |text| RuleBook::parse("random.toml", &text).ok())
}

fn readings() -> impl Strategy<Value = Vec<(Feature, f64, State)>> {
    let state = || {
        prop_oneof![
            12 => Just(State::Ready),
            1 => Just(State::Stale),
            1 => Just(State::Warming { have: 1, need: 336 }),
            1 => Just(State::Undefined(Reason::Gap)),
            1 => Just(State::Undefined(Reason::NotOffered)),
        ]
    };
    let one = move |id: &'static str| {
        let exact = grid(id);
        let near = (grid(id), -1e-3..1e-3_f64).prop_map(|(x, d)| (x + d).max(-0.9));
        let positive = id.starts_with("realized_vol");
        (prop_oneof![exact, near.boxed()], state())
            .prop_map(move |(x, s)| (feature(id), if positive { x.abs() } else { x }, s))
    };
    NUMBERS.map(one).to_vec()
}

fn world() -> impl Strategy<Value = World> {
    let window = |id: &'static str| {
        let ranked = feature(id).spec().ranks.map_or("", Feature::id);
        prop::collection::vec(grid(ranked), 0..30).prop_map(move |mut w| {
            w.sort_by(f64::total_cmp);
            (feature(id), w)
        })
    };
    let rank_state = prop_oneof![4 => Just(State::Ready), 1 => Just(State::Warming { have: 1, need: 336 })];
    (book(), readings(), PERCENTILES.map(window).to_vec(), prop::collection::vec(rank_state, 4)).prop_map(
        |(book, readings, windows, rank_states)| {
            let mut cells = vec![Cell::undefined(Reason::MissingInput); Feature::COUNT];
            for (f, value, state) in readings {
                cells[f.index()] = Cell { state, ..Cell::ready_at(value, minute(0), Kind::Measured) };
            }
            for ((percentile, window), state) in windows.iter().zip(rank_states) {
                let ranked = percentile.spec().ranks.map(|r| cells[r.index()]);
                let Some(ranked) = ranked else { continue };
                let state = if ranked.ready().is_some() { state } else { ranked.state };
                cells[percentile.index()] =
                    Cell { state, ..Cell::ready_at(rank_of(window, ranked.value), minute(0), Kind::Measured) };
            }
            World { book, cells, windows }
        },
    )
}

/// Every feature with a usable reading that the book reads, ranked ones in place of their percentiles.
fn variable(world: &World) -> Vec<(Feature, f64)> {
    let mut out: Vec<(Feature, f64)> = world
        .book
        .features()
        .iter()
        .map(|f| f.spec().ranks.unwrap_or(*f))
        .filter_map(|f| world.cells[f.index()].ready().map(|x| (f, x)))
        .collect();
    out.sort_by_key(|(f, _)| *f);
    out.dedup_by_key(|(f, _)| *f);
    out
}

/// Values of `f` nearer than `distance`, dense, with the neighbours of everything a label could hang on.
fn nearer(world: &World, f: Feature, x: f64, distance: f64) -> Vec<f64> {
    let scale = world.book.scale(f).unwrap_or(1.0);
    let reach = (distance * scale).min(40.0 * scale);
    let lowest = if f.id().starts_with("realized_vol") {
        0.0
    } else if f.id().starts_with("oi_delta") {
        -1.0
    } else {
        f64::MIN
    };
    let dense = (-150..=150).map(|k| x + reach * f64::from(k) / 150.0);
    let special = world
        .windows
        .iter()
        .filter(|(p, _)| p.spec().ranks == Some(f))
        .flat_map(|(_, w)| w.clone())
        .chain((-8..=16).map(|k| f64::from(k) * scale * 0.5))
        .flat_map(|v| [v.next_down(), v, v.next_up()]);
    dense.chain(special).filter(|v| *v >= lowest && (v - x).abs() / scale < distance).collect()
}

fn as_feature(flip: &Flip) -> Feature {
    feature(flip.feature)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn a_reported_flip_flips_and_nothing_smaller_does(world in world()) {
        let cuts = world.cuts();
        let scene = Scene { book: &world.book, cells: &world.cells, cuts: &cuts, streams: &[] };
        let raw = evaluate::<RiskRegime>(&world.book, &world.cells).raw;
        let flip = nearest_flip(&scene);
        if raw == RiskRegime::Unknown {
            prop_assert_eq!(flip, None);
            return Ok(());
        }
        let distance = flip.as_ref().map_or(f64::INFINITY, |f| f.distance);
        if let Some(flip) = &flip {
            let there = world.label_with(as_feature(flip), flip.needed);
            prop_assert_ne!(there, raw);
            prop_assert_eq!(there, flip.label);
            prop_assert_eq!(apply_flip::<RiskRegime>(&scene, as_feature(flip), flip.needed), flip.label);
            prop_assert_eq!(flip.direction == "above", flip.needed > flip.value);
        }
        for (f, x) in variable(&world) {
            for v in nearer(&world, f, x, distance) {
                prop_assert_eq!(world.label_with(f, v), raw, "{} = {:e} is nearer than {:?}", f.id(), v, flip);
            }
        }
    }

    #[test]
    fn a_reported_exit_makes_the_label_leave_when_it_says(
        world in world(),
        history in prop::collection::vec((readings(), 1..20_u8), 0..4),
    ) {
        let mut axis = RiskAxis::new();
        let mut now = 0;
        let mut step = |axis: &mut RiskAxis, cells: &[Cell]| {
            now += 1;
            (axis.step(&world.book, minute(now), cells, &[], &[]), now)
        };
        for (past, times) in history {
            let mut w = world.clone();
            for (f, x, _) in past {
                if w.cells[f.index()].ready().is_some() {
                    w.cells = w.with(f, x);
                }
            }
            for _ in 0..times {
                step(&mut axis, &w.cells);
            }
        }
        let (state, at) = step(&mut axis, &world.cells);
        let cuts = world.cuts();
        let scene = Scene { book: &world.book, cells: &world.cells, cuts: &cuts, streams: &[] };
        let exit = nearest_exit(&scene, &state, minute(at), Staleness::default());
        let both = nearest_changes(&scene, &state, minute(at), Staleness::default());
        prop_assert_eq!(both, (nearest_flip(&scene), exit.clone()), "in one go and one by one");
        let leaves = |cells: &[Cell], readings: i64| {
            let mut axis = axis.clone();
            (1..=readings).map(|n| axis.step(&world.book, minute(at + n), cells, &[], &[]).label).collect::<Vec<_>>()
        };
        let Some(exit) = exit else {
            if state.label != RiskRegime::Unknown && state.raw_label == state.label {
                // Nothing said: then no single feature makes it leave, however long it stands.
                for (f, x) in variable(&world) {
                    for v in nearer(&world, f, x, f64::INFINITY).into_iter().step_by(7) {
                        let labels = leaves(&world.with(f, v), 20);
                        prop_assert_eq!(labels.last(), Some(&state.label), "{} = {:e}", f.id(), v);
                    }
                }
            }
            return Ok(());
        };
        let promised = apply_exit(&scene, &axis, &exit, minute(at), &[], &[]);
        prop_assert_eq!(promised.last(), Some(&exit.label));
        let needed = i64::from(exit.readings).max((exit.dwell_left_s + 59) / 60);
        for cells in [world.with(as_feature(&exit), exit.needed), with_override(&scene, as_feature(&exit), exit.needed)] {
            let labels = leaves(&cells, needed);
            let (last, before) = labels.split_last().unwrap();
            prop_assert!(before.iter().all(|l| *l == state.label), "left early: {:?} {:?}", exit, labels);
            prop_assert_eq!(*last, exit.label, "{:?} {:?}", exit, labels);
        }
        for (f, x) in variable(&world) {
            for v in nearer(&world, f, x, exit.distance).into_iter().step_by(5) {
                let labels = leaves(&world.with(f, v), 20);
                prop_assert_eq!(labels.last(), Some(&state.label), "{} = {:e} is nearer than {:?}", f.id(), v, exit);
            }
        }
    }
}

/// A rule of the random kind alone in a book, and the members it has.
fn lone_rule(members: &str, id: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\nlabel = \"HIGH_VOL\"\nall = [{members}]\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_global_rejects: 200_000, ..ProptestConfig::default() })]

    /// "Never decides" is a claim about every possible row.
    #[test]
    fn a_rule_reported_as_shadowed_never_decides(
        first in prop::collection::vec(clause(), 1..3),
        second in prop::collection::vec(clause(), 1..3),
        any_of in any::<bool>(),
        rows in prop::collection::vec(readings(), 8),
        ranks in prop::collection::vec(0.0..1.0_f64, 4),
        warm in any::<bool>(),
    ) {
        let wrap = |c: &[String]| if any_of { format!("{{ any = [{}] }}", c.join(", ")) } else { c.join(", ") };
        let (a, b) = (lone_rule(&wrap(&first), "a"), lone_rule(&second.join(", "), "b"));
        let of = |rules: &str| RuleBook::parse("x.toml", &format!("name = \"x\"\n{rules}"));
        let (Ok(alone_a), Ok(alone_b)) = (of(&a), of(&b)) else { return Ok(()) };
        let shadowed = of(&format!("{a}{b}")).is_err_and(|e| e.to_string().contains("never decides"));
        if !shadowed {
            return Ok(());
        }
        for row in rows {
            let mut cells = vec![Cell::undefined(Reason::MissingInput); Feature::COUNT];
            for (f, value, state) in row {
                cells[f.index()] = Cell { state, ..Cell::ready_at(value, minute(0), Kind::Measured) };
            }
            for (id, rank) in PERCENTILES.iter().zip(&ranks) {
                let state = if warm { State::Warming { have: 1, need: 336 } } else { State::Ready };
                cells[feature(id).index()] = Cell { state, ..Cell::ready_at(*rank, minute(0), Kind::Measured) };
            }
            if evaluate::<RiskRegime>(&alone_b, &cells).holds == 1 {
                prop_assert_eq!(evaluate::<RiskRegime>(&alone_a, &cells).holds, 1, "{}{}", a, b);
            }
        }
    }
}

#[test]
fn the_worked_example_flips_on_volatility() {
    let book = shipped("absolute");
    let cells = row(
        minute(0),
        &[
            ("funding_zscore_24h", 2.8),
            ("oi_delta_4h", 0.15),
            ("oi_delta_1h", 0.03),
            ("realized_vol_1h", 0.25),
            ("realized_vol_4h", 0.40),
        ],
    );
    let scene = Scene { book: &book, cells: &cells, cuts: &[], streams: &[] };
    let flip = nearest_flip(&scene).unwrap();
    assert_eq!(
        (flip.feature, flip.threshold, flip.direction, flip.label),
        ("realized_vol_1h", 0.30, "above", RiskRegime::Normal)
    );
    assert_eq!(flip.needed.to_bits(), 0.30_f64.to_bits());
    assert!((flip.delta - 0.05).abs() < 1e-15 && (flip.distance - 0.5).abs() < 1e-12);
    let mut axis = RiskAxis::new();
    axis.step(&book, minute(0), &cells, &[], &[]);
    let state = axis.step(&book, minute(5), &cells, &[], &[]);
    let exit = nearest_exit(&scene, &state, minute(5), Staleness::default()).unwrap();
    assert_eq!((exit.feature, exit.needed, exit.readings, exit.dwell_left_s), ("realized_vol_1h", 0.33, 2, 600));
    assert_eq!(exit.label, RiskRegime::Normal);
    assert_eq!(Span::secs(exit.dwell_left_s), Span::mins(10));
}

#[test]
fn ties_follow_the_table_and_the_impossible_is_not_offered() {
    let book = RuleBook::parse(
        "b.toml",
        "name = \"b\"\n[[rule]]\nid = \"HIGH_VOL\"\nany = [{ feature = \"realized_vol_1h\", op = \">\", value = 0.5 }, { feature = \"oi_delta_4h\", op = \">\", value = 0.25 }, { feature = \"realized_vol_4h\", op = \"<=\", value = 0.0 }]\n",
    )
    .unwrap();
    let cells = row(minute(0), &[("realized_vol_1h", 0.25), ("oi_delta_4h", 0.125), ("realized_vol_4h", 4.0)]);
    let flip = nearest_flip::<RiskRegime>(&Scene { book: &book, cells: &cells, cuts: &[], streams: &[] }).unwrap();
    assert_eq!(flip.feature, "oi_delta_4h", "both are 2.5 scales away; the table names open interest first");
    let alone = row(minute(0), &[("realized_vol_1h", 0.6), ("oi_delta_4h", 0.3), ("realized_vol_4h", 0.0)]);
    assert_eq!(
        nearest_flip::<RiskRegime>(&Scene { book: &book, cells: &alone, cuts: &[], streams: &[] }),
        None,
        "three reasons hold it"
    );
}
