//! Snapshots field by field: trace and margins, guidance under every circumstance, what is missing and said to be
//! (regimes §7–§10, §14; R1.35–R1.41, R1.52, R1.53, R1.98).

use crate::rules_common;
use barograph_domain::row::HeldCount;
use barograph_domain::snapshot::WireValue;
use barograph_domain::{
    Axis, HeldBy, Instrument, InstrumentName, Kind, MarketKind, MinuteRow, Posture, Reason, RiskBias, RiskRegime,
    Snapshot, Span, State, StopVulnerability, StreamDecl, StreamIndex,
};
use barograph_engine::explain::{Context, at_present, render};
use barograph_engine::rules::{Axes, RiskAxis, RuleBook, logic_version};
use rules_common::{ages, feature, live_streams, minute, minute_row, set, shipped, window};

const SQUEEZE: [(&str, f64); 6] = [
    ("funding_zscore_24h", 2.8),
    ("oi_delta_4h", 0.15),
    ("oi_delta_1h", 0.03),
    ("realized_vol_1h", 0.25),
    ("realized_vol_4h", 0.40),
    ("squeeze_direction", 0.0),
];

struct Case {
    book: RuleBook,
    streams: Vec<StreamDecl>,
    instrument: Instrument,
    row: MinuteRow,
}

/// A row under a book, after it has stood for `minutes`.
fn case(book: &RuleBook, readings: &[(&str, f64)], age_s: [i64; 3], edit: impl Fn(&mut MinuteRow)) -> Case {
    let streams = live_streams();
    let mut axes = Axes::new(book);
    let mut row = minute_row(book, minute(0), readings, &[]);
    for n in 0..20 {
        row = minute_row(book, minute(n), readings, &[]);
        if n == 19 {
            row.inputs = ages(minute(n), age_s);
            edit(&mut row);
        }
        row.risk = axes.step(book, minute(n), &row.cells, &row.inputs, &streams).risk;
    }
    row.held = axes.held().to_vec();
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}"));
    Case { book: book.clone(), streams, instrument: Instrument::from_name(name, MarketKind::Perpetual), row }
}

impl Case {
    fn context(&self) -> Context<'_> {
        Context {
            book: &self.book,
            logic_version: "v0.1.0+0123456789ab",
            instrument: &self.instrument,
            streams: &self.streams,
            held: None,
            calls: None,
        }
    }
    fn snapshot(&self) -> Snapshot {
        render(&self.context(), &self.row, None)
    }
}

fn plain(book: &str, readings: &[(&str, f64)]) -> Snapshot {
    case(&shipped(book), readings, [0; 3], |_| {}).snapshot()
}

#[test]
fn the_worked_example_is_traced() {
    let s = plain("absolute", &SQUEEZE);
    let risk = &s.regimes.risk;
    assert_eq!(
        (risk.label, risk.raw_label, risk.held_by),
        (RiskRegime::SqueezeRisk, RiskRegime::SqueezeRisk, HeldBy::None)
    );
    assert_eq!((risk.direction, risk.age_s, risk.axis_coverage), (Some("LONG_SQUEEZE"), 19 * 60, 1.0));
    assert!((risk.margin.unwrap() - 0.5).abs() < 1e-12);
    let trace: Vec<_> = s.explanation.trace.iter().filter(|r| r.axis == Axis::Risk).collect();
    let results: Vec<(&str, &str)> = trace.iter().map(|r| (r.id.as_str(), r.result)).collect();
    assert_eq!(results, [("SQUEEZE_RISK", "true"), ("HIGH_VOL", "false"), ("CHOP_RISK", "false")]);
    let margins: Vec<f64> =
        trace.iter().flat_map(|r| &r.clauses).map(|c| (c.margin.unwrap() * 1e9).round() / 1e9).collect();
    assert_eq!(margins, [0.8, 1.0, 0.5, -5.5, -1.0, -1.0]);
    assert!((trace[1].margin.unwrap() + 5.5).abs() < 1e-12);
    let clause = &trace[0].clauses[0];
    assert_eq!((clause.feature, clause.abs, clause.op, clause.exit), ("funding_zscore_24h", true, ">", Some(1.8)));
    assert_eq!((clause.threshold.as_f64(), clause.group, clause.by_default), (Some(2.0), None, false));
    assert_eq!(
        (s.explanation.fired.as_slice(), s.explanation.also_matched.len()),
        (["SQUEEZE_RISK".to_owned()].as_slice(), 0)
    );
    assert_eq!(trace[0].held_share_90d, Some(1.0));
    assert_eq!(s.explanation.nearest_flip.as_ref().unwrap().feature, "realized_vol_1h");
    assert_eq!(s.explanation.rule_text, "High funding + rising OI + low vol = squeeze risk");
    let mut short = SQUEEZE;
    (short[0].1, short[5].1) = (-2.8, 1.0);
    assert_eq!(
        plain("absolute", &short).explanation.rule_text,
        "Very negative funding + rising OI + low vol = short-squeeze risk"
    );
}

#[test]
fn normal_measures_the_nearest_rule() {
    let quiet = [SQUEEZE[0], ("oi_delta_4h", 0.05), SQUEEZE[2], SQUEEZE[3], SQUEEZE[4]];
    let s = plain("absolute", &quiet);
    assert_eq!(s.regimes.risk.label, RiskRegime::Normal);
    assert!(
        (s.regimes.risk.margin.unwrap() - 1.0).abs() < 1e-12,
        "open interest lacks one scale unit: {:?}",
        s.regimes.risk.margin
    );
    assert!(s.explanation.fired.is_empty());
    let exit = s.explanation.nearest_exit.unwrap();
    let flip = s.explanation.nearest_flip.unwrap();
    assert_eq!((exit.feature, exit.needed, exit.label), (flip.feature, flip.needed, flip.label));
    assert_eq!((exit.feature, exit.readings, flip.readings), ("oi_delta_4h", 2, 1));
}

#[test]
fn groups_stand_ins_and_shares_show_in_the_trace() {
    let book = shipped("default");
    let c = case(&book, &SQUEEZE, [0; 3], |row| {
        set(&mut row.cells, "oi_delta_4h_pct_90d", State::Warming { have: 12, need: 336 });
        set(&mut row.cells, "funding_pct_30d", State::Warming { have: 12, need: 168 });
    });
    let s = c.snapshot();
    let squeeze = &s.explanation.trace[0];
    let groups: Vec<Option<usize>> = squeeze.clauses.iter().map(|c| c.group).collect();
    assert_eq!(groups, [Some(1), Some(1), Some(1), None, Some(2), Some(2), Some(3), Some(3)]);
    let stand_in = &squeeze.clauses[4];
    assert_eq!((stand_in.feature, stand_in.by_default, stand_in.result), ("oi_delta_4h", true, "true"));
    assert_eq!(stand_in.threshold.as_f64(), Some(0.10));
    assert_eq!(
        s.explanation.defaults_used,
        [
            "funding_pct_30d: fixed limits until there are 7 d of history",
            "oi_delta_4h_pct_90d: fixed limits until there are 14 d of history"
        ]
    );
    let view = &s.explanation.features["oi_delta_4h_pct_90d"];
    assert_eq!((view.state, view.reason, view.have, view.need), ("warming", Some("warming"), Some(12), Some(336)));
    assert_eq!((&view.value, view.age_s), (&WireValue::Null, None));
}

/// The share beside a label is that of the published one, also while another rule fires or none does.
#[test]
fn a_held_share_is_that_of_the_published_label() {
    use RiskRegime::{ChopRisk, HighVol, Normal, SqueezeRisk};
    let book = shipped("absolute");
    let (first, resting) = book.counted_at(Axis::Risk);
    let quiet = [SQUEEZE[0], ("oi_delta_4h", 0.05), SQUEEZE[2], SQUEEZE[3], SQUEEZE[4]];
    for (readings, raw) in [(&SQUEEZE[..], SqueezeRisk), (&quiet[..], Normal)] {
        let mut c = case(&book, readings, [0; 3], |_| {});
        // Ten days, of which each label held another share.
        for (place, held) in [(first, 1_440), (first + 1, 2_880), (first + 2, 4_320), (resting, 5_760)] {
            c.row.held[place] = HeldCount { held, known: 14_400 };
        }
        for (label, share) in [(SqueezeRisk, 0.1), (HighVol, 0.2), (ChopRisk, 0.3), (Normal, 0.4)] {
            c.row.risk.label = label;
            let risk = c.snapshot().regimes.risk;
            assert_eq!((risk.label, risk.raw_label, risk.held_share_90d), (label, raw, Some(share)), "{label:?}");
        }
    }
}

#[test]
fn bias_and_posture_of_every_label() {
    let quiet = [
        ("funding_zscore_24h", 0.0),
        ("oi_delta_4h", 0.0),
        ("oi_delta_1h", 0.05),
        ("realized_vol_1h", 0.4),
        ("realized_vol_4h", 0.4),
    ];
    let storm = [quiet[0], quiet[1], quiet[2], ("realized_vol_1h", 0.9), quiet[4]];
    let chop = [quiet[0], quiet[1], ("oi_delta_1h", 0.0), quiet[3], ("realized_vol_4h", 0.6)];
    let cases = [
        (
            &SQUEEZE[..],
            "SQUEEZE_RISK",
            RiskBias::Conservative,
            Posture::Reduce,
            "smaller size, wider stop or wait",
            "review, reduce or trail stop",
        ),
        (
            &storm[..],
            "HIGH_VOL",
            RiskBias::Conservative,
            Posture::Reduce,
            "smaller size, wider stop or wait",
            "review, reduce or trail stop",
        ),
        (
            &chop[..],
            "CHOP_RISK",
            RiskBias::Conservative,
            Posture::Hold,
            "fewer entries, expect whipsaw",
            "keep, no adding",
        ),
        (&quiet[..], "NORMAL", RiskBias::Neutral, Posture::Normal, "follow own rules", "no action needed"),
        (&quiet[..2], "UNKNOWN", RiskBias::Conservative, Posture::Hold, "data incomplete: wait", "keep"),
    ];
    for (readings, label, bias, posture, entries, open) in cases {
        let s = plain("absolute", readings);
        let g = &s.guidance;
        assert_eq!(
            (s.regimes.risk.label.name(), g.risk_bias, g.posture, g.new_entries.as_str(), g.open_positions.as_str()),
            (label, bias, posture, entries, open)
        );
        assert!(g.upgrade_blocked_by.contains(&"trend confirmation is not available"));
    }
}

#[test]
fn staleness_is_stricter_and_the_strict_book_holds() {
    let quiet = [
        ("funding_zscore_24h", 0.0),
        ("oi_delta_4h", 0.0),
        ("oi_delta_1h", 0.05),
        ("realized_vol_1h", 0.4),
        ("realized_vol_4h", 0.4),
    ];
    let old = |book: &str, readings: &[(&str, f64)]| {
        case(&shipped(book), readings, [0, 0, 400], |row| {
            set(&mut row.cells, "oi_delta_1h", State::Stale);
            set(&mut row.cells, "oi_delta_4h", State::Stale);
        })
        .snapshot()
    };
    let cases = [
        ("absolute", &SQUEEZE[..], RiskRegime::SqueezeRisk, Posture::Reduce, "smaller size, wider stop or wait"),
        ("absolute", &quiet[..], RiskRegime::Normal, Posture::Hold, "data incomplete: wait"),
        ("seed1-strict", &SQUEEZE[..], RiskRegime::SqueezeRisk, Posture::Hold, "smaller size, wider stop or wait"),
        ("seed1-strict", &quiet[..], RiskRegime::Normal, Posture::Hold, "data incomplete: wait"),
    ];
    for (book, readings, label, posture, entries) in cases {
        let s = old(book, readings);
        assert_eq!(s.regimes.risk.label, label, "{book}");
        assert_eq!((s.guidance.risk_bias, s.guidance.posture), (RiskBias::Conservative, posture), "{book} {label:?}");
        if book == "absolute" && label == RiskRegime::SqueezeRisk {
            assert_eq!(s.guidance.new_entries, "data incomplete: wait", "nothing can be judged now");
        } else {
            assert_eq!(s.guidance.new_entries, entries, "{book} {label:?}");
        }
        assert_eq!(s.explanation.freshness_warning.as_deref(), Some("Data stale (6 minutes old)"));
        assert_eq!(s.explanation.stale_metrics, ["open_interest"]);
        assert!(s.guidance.upgrade_blocked_by.contains(&"an input is stale"));
        let value = &s.explanation.features["oi_delta_4h"];
        assert_eq!((value.state, value.value == WireValue::Null), ("stale", book == "absolute"));
    }
}

#[test]
fn the_personal_step_is_one_down() {
    let mut book = shipped("absolute");
    book.bias_shift = -1;
    let quiet = [
        ("funding_zscore_24h", 0.0),
        ("oi_delta_4h", 0.0),
        ("oi_delta_1h", 0.05),
        ("realized_vol_1h", 0.4),
        ("realized_vol_4h", 0.4),
    ];
    let s = case(&book, &quiet, [0; 3], |_| {}).snapshot();
    assert_eq!((s.guidance.risk_bias, s.guidance.posture), (RiskBias::Conservative, Posture::Normal));
    assert_ne!(logic_version(&book, ""), logic_version(&shipped("absolute"), ""));
}

#[test]
fn stops_add_to_entries_and_never_read_low_for_lack_of_data() {
    let book = shipped("absolute");
    let stops = |level: f64, coverage: f32| {
        case(&book, &SQUEEZE, [0; 3], |row| {
            for id in ["stop_vulnerability", "stop_vulnerability_long", "stop_vulnerability_short"] {
                let cell = &mut row.cells[feature(id).index()];
                (cell.state, cell.value, cell.coverage, cell.kind) = (State::Ready, level, coverage, Kind::Modelled);
            }
        })
        .snapshot()
    };
    let high = stops(2.0, 0.5);
    assert_eq!(high.stop_vulnerability.worst, Some(StopVulnerability::High));
    assert_eq!(high.guidance.new_entries, "smaller size, wider stop or wait for better entry");
    let thin = stops(0.0, 1.0 / 3.0);
    assert_eq!(
        (thin.stop_vulnerability.long, thin.stop_vulnerability.coverage),
        (Some(StopVulnerability::Medium), 0.3333)
    );
    assert_eq!(
        thin.explanation.defaults_used,
        ["stop_vulnerability: LOW reads MEDIUM while coverage is 0.3333, below 0.5"]
    );
    assert_eq!(stops(0.0, 0.6).stop_vulnerability.worst, Some(StopVulnerability::Low));
    let none = plain("absolute", &SQUEEZE);
    assert_eq!((none.stop_vulnerability.worst, none.stop_vulnerability.coverage), (None, 0.0));
}

#[test]
fn what_changed_is_ranked_in_margin_units() {
    let book = shipped("absolute");
    let before = case(&book, &SQUEEZE, [0; 3], |_| {}).row;
    let mut now = SQUEEZE;
    (now[0].1, now[1].1, now[3].1) = (2.9, 0.30, 0.35);
    let mut c = case(&book, &now, [0; 3], |row| set(&mut row.cells, "realized_vol_4h", State::Undefined(Reason::Gap)));
    c.row.ts = minute(20);
    let changed = render(&c.context(), &c.row, Some(&before)).explanation.changed_since_last.unwrap();
    let names: Vec<&str> = changed.features.iter().map(|f| f.feature).collect();
    assert_eq!(names, ["oi_delta_4h", "realized_vol_1h", "funding_zscore_24h"]);
    assert_eq!(changed.label_from, Some(RiskRegime::SqueezeRisk));
    assert!((changed.features[0].distance.unwrap() - 3.0).abs() < 1e-9);
    assert_eq!(c.snapshot().explanation.changed_since_last, None);
}

#[test]
fn identity_sources_and_what_is_not_available() {
    let book = shipped("absolute");
    let c = case(&book, &SQUEEZE, [0, 30, 60], |row| {
        row.cells[feature("oi_delta_4h").index()].stream = Some(StreamIndex(2));
    });
    let (a, b) = (c.snapshot(), c.snapshot());
    assert_eq!(serde_json::to_string(&a).unwrap(), serde_json::to_string(&b).unwrap());
    assert_eq!(a.sources_used, ["binance_futures"]);
    assert_eq!(a.explanation.features["oi_delta_4h"].sources, ["binance_futures"]);
    assert_eq!(a.not_available, ["calls", "probability", "similar_episodes", "models"]);
    assert_eq!((a.symbol.as_str(), a.known_ts - a.timestamp), ("BTCUSDT", Span::millis(200)));
    let ages: Vec<(&str, Option<i64>, Option<i64>)> =
        a.explanation.inputs.iter().map(|i| (i.metric, i.age_s, i.max_age_s)).collect();
    assert_eq!(
        ages,
        [
            ("mark_price", Some(0), Some(300)),
            ("funding_rate", Some(30), Some(300)),
            ("open_interest", Some(60), Some(300))
        ]
    );
    let json = serde_json::to_value(&a).unwrap();
    assert!(
        json.get("age_s").is_none() && json["regimes"]["trend"]["label"] == "UNKNOWN" && json["probability"].is_null()
    );
    assert_eq!(json["explanation"]["features"]["squeeze_direction"]["value"], "LONG_SQUEEZE");
    let other = Case { row: MinuteRow { held: vec![HeldCount { held: 1, known: 2 }; 3], ..c.row.clone() }, ..c };
    assert_eq!(other.snapshot().snapshot_id, a.snapshot_id, "the id follows from readings, not from memory");
}

#[test]
fn read_at_present_the_override_grows_in() {
    let book = shipped("default");
    let windows = [
        ("oi_delta_4h_pct_90d", window(2159, &[(0.0, -0.1), (1.0, 0.1)])),
        ("realized_vol_1h_pct_90d", window(2159, &[(0.0, 0.1), (1.0, 2.0)])),
        ("realized_vol_4h_pct_90d", window(2159, &[(0.0, 0.1), (1.0, 2.0)])),
        ("funding_pct_30d", window(719, &[(0.0, -0.001), (1.0, 0.001)])),
    ];
    let readings = [
        ("funding_zscore_24h", 0.0),
        ("funding_rate_8h", 0.0),
        ("oi_delta_4h", 0.0),
        ("oi_delta_1h", 0.05),
        ("realized_vol_1h", 0.4),
        ("realized_vol_4h", 0.4),
        ("efficiency_12h", 0.5),
    ];
    let mut c = case(&book, &readings, [0; 3], |_| {});
    let mut row = minute_row(&book, minute(0), &readings, &windows);
    row.risk = RiskAxis::new().step(&book, minute(0), &row.cells, &row.inputs, &c.streams);
    c.row = row;
    assert_eq!(c.row.risk.label, RiskRegime::Normal);
    let read = |s: i64| at_present(&c.context(), &c.row, None, minute(0) + Span::secs(s));
    assert_eq!((read(300).guidance.posture, read(300).guidance.risk_bias), (Posture::Normal, RiskBias::Neutral));
    let old = read(301);
    assert_eq!((old.guidance.posture, old.guidance.risk_bias), (Posture::Hold, RiskBias::Conservative));
    assert_eq!((old.regimes.risk.label, old.regimes.risk.stale), (RiskRegime::Normal, true));
    assert_eq!(read(-50).age_s, Some(0));
    let mut strict = case(&shipped("seed1-strict"), &SQUEEZE, [0; 3], |_| {});
    strict.row.ts = minute(19);
    let later = at_present(&strict.context(), &strict.row, None, minute(19) + Span::hours(30));
    assert_eq!((later.regimes.risk.label, later.guidance.posture), (RiskRegime::SqueezeRisk, Posture::Hold));
}
