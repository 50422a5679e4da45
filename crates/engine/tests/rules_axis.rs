//! From raw label to published label: exit band, dwell, precedence, UNKNOWN in and out, staleness, saving (regimes §6, §9).

use crate::rules_common;
use barograph_domain::row::HeldCount;
use barograph_domain::{AxisState, Cell, HeldBy, Reason, RiskRegime, Span, State};
use barograph_engine::rules::{Axes, Enter, RuleBook};
use rules_common::{ages, feature, live_streams, minute, row, set, shipped};

const NORMAL: [(&str, f64); 5] = [
    ("funding_zscore_24h", 0.0),
    ("oi_delta_4h", 0.0),
    ("oi_delta_1h", 0.05),
    ("realized_vol_1h", 0.40),
    ("realized_vol_4h", 0.40),
];
const CHOP: [(&str, f64); 5] = [NORMAL[0], NORMAL[1], ("oi_delta_1h", 0.0), NORMAL[3], ("realized_vol_4h", 0.60)];
const SQUEEZE: [(&str, f64); 5] =
    [("funding_zscore_24h", -3.0), ("oi_delta_4h", 0.20), NORMAL[2], ("realized_vol_1h", 0.20), NORMAL[4]];
const STORM: [(&str, f64); 5] = [NORMAL[0], NORMAL[1], NORMAL[2], ("realized_vol_1h", 0.90), NORMAL[4]];

struct Run {
    book: RuleBook,
    axis: Axes,
    now: i64,
}

impl Run {
    fn new(book: &str) -> Self {
        let book = shipped(book);
        let axis = Axes::new(&book);
        Self { book, axis, now: -1 }
    }
    fn cells(&mut self, cells: &[Cell], age_s: [i64; 3]) -> AxisState {
        self.now += 1;
        let ts = minute(self.now);
        self.axis.step(&self.book, ts, cells, &ages(ts, age_s), &live_streams()).risk
    }
    fn fresh(&mut self, readings: &[(&str, f64)]) -> AxisState {
        let cells = row(minute(self.now + 1), readings);
        self.cells(&cells, [0; 3])
    }
    fn labels(&mut self, times: usize, readings: &[(&str, f64)]) -> Vec<&'static str> {
        (0..times).map(|_| self.fresh(readings).label.name()).collect()
    }
}

#[test]
fn a_new_label_needs_two_readings_and_high_vol_one() {
    let mut run = Run::new("absolute");
    assert_eq!(run.labels(1, &NORMAL), ["NORMAL"], "UNKNOWN is left at once");
    assert_eq!(run.labels(2, &SQUEEZE), ["NORMAL", "SQUEEZE_RISK"]);
    assert_eq!(run.labels(1, &STORM), ["HIGH_VOL"]);
    let mut run = Run::new("absolute");
    run.fresh(&NORMAL);
    run.fresh(&CHOP);
    let waiting = run.fresh(&SQUEEZE);
    assert_eq!(
        (waiting.candidate, waiting.candidate_count),
        (Some(RiskRegime::SqueezeRisk), 1),
        "another candidate starts anew"
    );
    assert_eq!((waiting.label, waiting.held_by), (RiskRegime::Normal, HeldBy::Dwell));
}

#[test]
fn a_calmer_label_waits_fifteen_minutes_and_a_worse_one_does_not() {
    let mut run = Run::new("absolute");
    run.fresh(&STORM);
    let labels = run.labels(15, &NORMAL);
    assert_eq!(labels[..14].iter().filter(|l| **l == "HIGH_VOL").count(), 14);
    assert_eq!(labels[14], "NORMAL", "15 minutes after it was entered");
    let mut run = Run::new("absolute");
    run.fresh(&NORMAL);
    run.labels(2, &CHOP);
    assert_eq!(run.labels(2, &SQUEEZE), ["CHOP_RISK", "SQUEEZE_RISK"]);
}

/// Where a book counts readings, a reading that is merely seen again by the next minute is not a second one.
#[test]
fn a_reading_seen_again_is_no_second_one() {
    let pcts = ["funding_pct_30d", "oi_delta_4h_pct_90d", "realized_vol_1h_pct_90d", "realized_vol_4h_pct_90d"];
    let by_minutes = RuleBook::shipped_text("default").unwrap().replace("dwell_counts = \"bars\"", "");
    let by_minutes = RuleBook::parse("by minutes", &by_minutes).unwrap();
    let books = [("default", shipped("default"), "NORMAL"), ("absolute", shipped("absolute"), "NORMAL")];
    for (name, book, after_five) in books.into_iter().chain([("by minutes", by_minutes, "SQUEEZE_RISK")]) {
        let axis = Axes::new(&book);
        let mut run = Run { book, axis, now: -1 };
        let read_at = |at: i64, readings: &[(&str, f64)]| {
            let mut cells = row(minute(at), readings);
            pcts.iter().for_each(|id| set(&mut cells, id, State::Warming { have: 10, need: 336 }));
            cells
        };
        run.cells(&read_at(0, &NORMAL), [0; 3]);
        let once = read_at(1, &SQUEEZE);
        let labels: Vec<_> = (0..5).map(|_| run.cells(&once, [0; 3])).collect();
        assert_eq!((labels[0].label, labels[0].candidate_count), (RiskRegime::Normal, 1), "{name}");
        assert_eq!(labels[4].label.name(), after_five, "{name}: the same reading for five minutes");
        if after_five == "NORMAL" {
            assert!(labels.iter().all(|s| s.candidate_count == 1), "{name}: {labels:?}");
            assert_eq!(run.cells(&read_at(6, &SQUEEZE), [0; 3]).label, RiskRegime::SqueezeRisk, "{name}: a new one");
        }
    }
}

/// Open interest that ticks within a bar is no second reading of that bar.
#[test]
fn what_ticks_within_a_bar_is_no_second_reading_of_it() {
    for (counts, waited) in [("readings", [1, 2, 3]), ("bars", [1, 1, 2])] {
        let text = RuleBook::shipped_text("absolute").unwrap().replace("\"readings\"", &format!("{counts:?}"));
        let text = text.replace("enter = 2\n", "enter = 9\n");
        let book = RuleBook::parse("mine", &text).unwrap();
        let axis = Axes::new(&book);
        let mut run = Run { book, axis, now: -1 };
        run.cells(&row(minute(0), &NORMAL), [0; 3]);
        let at = |bar: i64, oi: i64| {
            let mut cells = row(minute(bar), &CHOP);
            let ticks = row(minute(oi), &CHOP);
            for id in ["oi_delta_1h", "oi_delta_4h"] {
                cells[feature(id).index()] = ticks[feature(id).index()];
            }
            cells
        };
        let got = [at(1, 1), at(1, 2), at(3, 3)].map(|cells| run.cells(&cells, [0; 3]).candidate_count);
        assert_eq!(got, waited, "{counts}");
    }
}

/// A label is left for a calmer one once every reading of a time has been calmer, whatever calmer label each of them gave.
#[test]
fn a_label_is_left_slowly_where_its_rule_says_so() {
    let text = RuleBook::shipped_text("absolute").unwrap();
    let text = text.replacen("enter = \"immediate\"\n", "enter = \"immediate\"\nleave = \"2h\"\n", 1);
    let book = RuleBook::parse("mine", &text).unwrap();
    assert_eq!(book.risk().leave(RiskRegime::HighVol), Span::hours(2));
    let axis = Axes::new(&book);
    let mut run = Run { book, axis, now: -1 };
    assert_eq!(run.labels(1, &STORM), ["HIGH_VOL"]);
    let stays = |labels: Vec<&str>| labels.iter().all(|l| *l == "HIGH_VOL");
    assert!(stays(run.labels(119, &NORMAL)) && stays(run.labels(1, &STORM)), "one reading short, and it begins anew");
    assert!(stays(run.labels(60, &NORMAL)) && stays(run.labels(59, &CHOP)));
    assert_eq!(run.labels(1, &CHOP), ["CHOP_RISK"], "two hours of calmer readings, the newest of them chop");
    assert_eq!(run.labels(1, &STORM), ["HIGH_VOL"], "a more severe label is never waited for");
}

/// A time is made up of readings, so that it is the same time whatever their cadence.
#[test]
fn a_time_to_enter_is_as_many_readings_as_make_it_up() {
    for (every, readings) in [(Span::mins(1), 120), (Span::mins(5), 24), (Span::hours(1), 2), (Span::hours(8), 2)] {
        assert_eq!(Enter::For(Span::hours(2)).readings(every), readings, "{every}");
    }
}

#[test]
fn the_exit_band_keeps_a_label_until_a_rule_of_higher_precedence_is_true() {
    let mut run = Run::new("absolute");
    run.fresh(&CHOP);
    run.labels(20, &CHOP);
    let inside = [CHOP[0], CHOP[1], ("oi_delta_1h", 0.021), CHOP[3], ("realized_vol_4h", 0.46)];
    let held = run.fresh(&inside);
    assert_eq!(
        (held.raw_label, held.label, held.held_by),
        (RiskRegime::Normal, RiskRegime::ChopRisk, HeldBy::Hysteresis)
    );
    let storm_inside = [inside[0], inside[1], inside[2], ("realized_vol_1h", 0.9), inside[4]];
    assert_eq!(run.fresh(&storm_inside).label, RiskRegime::HighVol);
}

#[test]
fn unknown_comes_and_goes_at_once() {
    let mut run = Run::new("absolute");
    run.labels(3, &SQUEEZE);
    let s = run.fresh(&SQUEEZE[1..]);
    assert_eq!(
        (s.label, s.raw_label, s.since, s.candidate),
        (RiskRegime::Unknown, RiskRegime::Unknown, minute(3), None)
    );
    assert_eq!(run.fresh(&SQUEEZE).label, RiskRegime::SqueezeRisk);
}

#[test]
fn stale_inputs_keep_the_last_label_in_view_until_the_gap_alert() {
    let mut run = Run::new("absolute");
    run.labels(2, &CHOP);
    let mut cells = row(minute(2), &CHOP);
    for id in ["oi_delta_1h", "oi_delta_4h"] {
        set(&mut cells, id, State::Stale);
    }
    let s = run.cells(&cells, [0, 0, 360]);
    assert_eq!((s.label, s.raw_label, s.stale, s.since), (RiskRegime::ChopRisk, RiskRegime::Unknown, true, minute(0)));
    let s = run.cells(&cells, [0, 0, 7_201]);
    assert_eq!((s.label, s.stale), (RiskRegime::Unknown, true), "two hours are too long");
    assert_eq!(run.fresh(&CHOP).label, RiskRegime::ChopRisk);
    // Missing for another reason as well: then it is not the age that stands in the way.
    set(&mut cells, "realized_vol_4h", State::Undefined(Reason::Gap));
    assert_eq!(run.cells(&cells, [0, 0, 360]).label, RiskRegime::Unknown);
}

#[test]
fn a_rule_decided_without_the_stale_input_keeps_its_label() {
    let mut run = Run::new("absolute");
    run.fresh(&STORM);
    let mut cells = row(minute(1), &STORM);
    set(&mut cells, "oi_delta_4h", State::Stale);
    let s = run.cells(&cells, [0, 0, 9_000]);
    assert_eq!((s.label, s.raw_label, s.stale), (RiskRegime::HighVol, RiskRegime::HighVol, true));
}

#[test]
fn the_strict_book_goes_on_from_last_values_without_memory() {
    let mut run = Run::new("seed1-strict");
    run.fresh(&CHOP);
    assert_eq!(run.labels(2, &STORM), ["HIGH_VOL", "HIGH_VOL"]);
    assert_eq!(run.labels(1, &NORMAL), ["NORMAL"]);
    let mut cells = row(minute(4), &CHOP);
    set(&mut cells, "oi_delta_1h", State::Stale);
    let s = run.cells(&cells, [0, 0, 90_000]);
    assert_eq!((s.label, s.stale), (RiskRegime::ChopRisk, true));
}

#[test]
fn spot_markets_skip_what_they_cannot_have() {
    for name in RuleBook::SHIPPED {
        let mut run = Run::new(name);
        let mut cells = row(minute(0), &[("realized_vol_1h", 0.9), ("realized_vol_4h", 0.9), ("efficiency_12h", 0.1)]);
        for id in ["funding_zscore_24h", "funding_pct_30d", "oi_delta_1h", "oi_delta_4h", "oi_delta_4h_pct_90d"] {
            set(&mut cells, id, State::Undefined(Reason::NotOffered));
        }
        for id in ["realized_vol_1h_pct_90d", "realized_vol_4h_pct_90d"] {
            set(&mut cells, id, State::Warming { have: 3, need: 336 });
        }
        let s = run.cells(&cells, [0; 3]);
        assert_eq!(s.label, RiskRegime::HighVol, "{name}");
        cells[feature("realized_vol_1h").index()].value = 0.2;
        assert_eq!(run.cells(&cells, [0; 3]).raw_label, RiskRegime::Normal, "{name}");
    }
}

#[test]
fn while_history_is_short_fixed_numbers_judge() {
    let warm = State::Warming { have: 10, need: 336 };
    let pcts = ["funding_pct_30d", "oi_delta_4h_pct_90d", "realized_vol_1h_pct_90d", "realized_vol_4h_pct_90d"];
    let judge = |readings: &[(&str, f64)]| {
        let mut run = Run::new("default");
        let mut cells = row(minute(0), readings);
        pcts.iter().for_each(|id| set(&mut cells, id, warm));
        run.cells(&cells, [0; 3]).label.name()
    };
    assert_eq!(judge(&SQUEEZE), "SQUEEZE_RISK");
    assert_eq!(judge(&[SQUEEZE[0], ("oi_delta_4h", 0.10), SQUEEZE[2], SQUEEZE[3], SQUEEZE[4]]), "NORMAL");
    assert_eq!(judge(&[SQUEEZE[0], SQUEEZE[1], SQUEEZE[2], ("realized_vol_1h", 0.30), SQUEEZE[4]]), "NORMAL");
    assert_eq!(
        judge(&[("funding_zscore_24h", 1.0), SQUEEZE[1], SQUEEZE[2], SQUEEZE[3], SQUEEZE[4]]),
        "NORMAL",
        "funding percentile counts as false"
    );
    assert_eq!(judge(&STORM), "HIGH_VOL");
    let chop = [CHOP[0], CHOP[1], CHOP[2], CHOP[3], CHOP[4], ("efficiency_12h", 0.2)];
    assert_eq!(judge(&chop), "CHOP_RISK");
}

#[test]
fn saving_and_restoring_changes_nothing() {
    let mut whole = Run::new("absolute");
    let mut cut = Run::new("absolute");
    let mut seed = 42_u64;
    for n in 0..3_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let readings = [&NORMAL, &CHOP, &SQUEEZE, &STORM][usize::try_from(seed >> 62).unwrap()];
        let hold = usize::try_from(seed >> 58 & 7).unwrap();
        assert_eq!(whole.labels(hold, readings), cut.labels(hold, readings));
        if n % 97 == 0 {
            let saved = serde_json::to_string(&cut.axis).unwrap();
            cut.axis = serde_json::from_str(&saved).unwrap();
        }
    }
    assert_eq!(whole.axis, cut.axis);
}

#[test]
fn shares_count_minutes_judged() {
    let mut run = Run::new("absolute");
    run.labels(6, &STORM);
    run.fresh(&SQUEEZE[1..]);
    run.now += 100;
    run.fresh(&NORMAL);
    let held = run.axis.held();
    assert_eq!(held[1], HeldCount { held: 6, known: 8 });
    assert_eq!(held[0], HeldCount { held: 0, known: 7 }, "one minute could not be judged, the skipped ones were not");
}
